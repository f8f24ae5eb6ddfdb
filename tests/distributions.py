"""A softmax of chosen scores, and the candidates of it, without a language model."""

import numpy as np
import numpy.typing as npt

from predictors.heads.candidates import Candidates, find_candidates, new_candidates, reweigh
from predictors.softmax import Softmax, new_softmax, weigh

NATS_PER_BIT = np.log(2.0)


class Flat:
    """Stands for a vocabulary of n symbols, each its own token."""

    def __init__(self, n: int) -> None:
        self.token_of_symbol = np.arange(n, dtype=np.int32)
        self.offsets = np.zeros(n, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.offsets)


def softmax_of(bits: npt.ArrayLike) -> Softmax:
    """Of the scores `bits`, one a symbol."""
    scores = np.asarray(bits, dtype=np.float64)
    softmax = new_softmax(Flat(len(scores)))  # type: ignore[arg-type]
    assert weigh(softmax, (scores * NATS_PER_BIT).astype(np.float32))
    return softmax


def candidates_of(softmax: Softmax) -> Candidates:
    """As yet unchanged by heads."""
    candidates = new_candidates()
    find_candidates(softmax, candidates)
    reweigh(softmax, candidates)
    return candidates


def share_of(candidates: Candidates, symbol: int) -> float:
    """The probability of a candidate after the heads; 0 if it is none."""
    n = candidates.state[0]
    found = candidates.shares[:n][candidates.symbols[:n] == symbol]
    return float(found.sum()) / (1 << 30)
