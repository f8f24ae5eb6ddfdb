"""Watching the one loop: what each token cost, and what else was expected.

An observer is set for everything that runs inside `observed_by`, whichever
direction it is, so that the pipeline need not know of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import njit
from nacrith.codec.ablated import Ablated
from nacrith.codec.layout import Layout
from nacrith.format.parameters import Parameters
from predictors.base import FloatArray, IntArray
from predictors.ensemble import Ensemble, State, new_state
from predictors.language_models.vocabulary import Vocabulary

N_BEST = 5

ROW = np.dtype(
    [
        ("symbol", np.uint32),
        ("bits", np.float32, 3),
        ("others", np.uint32, N_BEST + 1),
        ("p_model", np.float32, N_BEST + 1),
        ("p_heads", np.float32, N_BEST + 1),
    ]
)
"""What is recorded of a token.

symbol: of the vocabulary.
bits: cost with the language model alone, after the bias and output heads, and as coded.
others: the `N_BEST` most probable symbols after the heads, most probable first, then
    the language model's first choice.
p_model, p_heads: probability of `others` with the language model alone and after the heads.
"""


class TokenLog:
    """The record of the streams of one frame.

    Attributes:
        vocabulary: of its model.
        charset: number of the charset that the text was transcoded from.
        ablated: what codes the text beside; None if the observer does not ask for it.
    """

    def __init__(
        self, vocabulary: Vocabulary, n_streams: int, charset: int, ablated: Ablated | None = None
    ) -> None:
        self.vocabulary = vocabulary
        self.charset = charset
        self.ablated = ablated
        self._streams: list[list[npt.NDArray[Any]]] = [[] for _ in range(n_streams)]

    def add(self, stream: int, row: npt.NDArray[Any]) -> None:
        """Take note of the next token of a stream: [1] `ROW`."""
        self._streams[stream].append(row)

    def __len__(self) -> int:
        return sum(map(len, self._streams))

    def rows(self) -> npt.NDArray[Any]:
        """[n] `ROW`, in the order of the text."""
        return np.concatenate([np.zeros(0, ROW), *(row for rows in self._streams for row in rows)])


class Observer:
    """Collects the log of each frame that is coded, in `logs`."""

    def __init__(self, ablating: bool = False) -> None:
        """`ablating`: code each text without each predictor, too (`ablated.WITHOUT`)."""
        self.ablating = ablating
        self.logs: list[TokenLog] = []


_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observed_by(observer: Observer | None) -> Iterator[None]:
    """Let `observer`, or nobody, see all text that is coded in this block."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def new_ensemble(
    vocabulary: Vocabulary,
    parameters: Parameters,
    layout: Layout,
    charset: int,
    make_state: Callable[..., State] = new_state,
    read: int = 0,
) -> Ensemble:
    """An `Ensemble` for a frame in that charset, observed if there is an observer.

    Args:
        read: symbols that the state has learned from before.
    """
    observer = _observer.get()
    n_symbols = sum(layout.symbols) + read
    if observer is None:
        return Ensemble(vocabulary, parameters, len(layout), n_symbols, make_state)
    ablated = None
    if observer.ablating:
        ablated = Ablated(vocabulary, parameters, len(layout), n_symbols)
    log = TokenLog(vocabulary, len(layout), charset, ablated)
    observer.logs.append(log)
    return _ObservedEnsemble(log, vocabulary, parameters, len(layout), n_symbols, make_state)


class _ObservedEnsemble(Ensemble):
    """An ensemble that writes a `TokenLog`."""

    def __init__(self, log: TokenLog, *of_ensemble: Any) -> None:
        super().__init__(*of_ensemble)
        self._log = log

    def code(
        self,
        coder: Coder,
        stream: int,
        logits: FloatArray,
        hidden: FloatArray | None,
        symbols: IntArray,
    ) -> None:
        for i in range(len(symbols)):
            one = slice(i, i + 1)
            row = np.zeros(1, dtype=ROW)
            before = coder.bits
            states = None if hidden is None else hidden[one]
            super().code(coder, stream + i, logits[one], states, symbols[one])
            row["symbol"] = symbols[i]
            row["bits"][0, 2] = coder.bits - before
            if self._log.ablated:
                self._log.ablated.code(stream + i, logits[one], states, symbols[one])
            _observe(
                logits[i],
                self._vocabulary.token_of_symbol,
                self.sums(),
                int(symbols[i]),
                row["bits"][0],
                row["others"][0],
                row["p_model"][0],
                row["p_heads"][0],
            )
            self._log.add(stream + i, row)


@njit(cache=True)
def _observe(
    logits: FloatArray,
    token_of_symbol: IntArray,
    sums: npt.NDArray[np.int64],
    symbol: int,
    bits: FloatArray,
    others: npt.NDArray[np.uint32],
    p_model: FloatArray,
    p_heads: FloatArray,
) -> None:
    n = len(token_of_symbol)
    best = len(others) - 1
    top = np.float64(logits.max())
    total = np.exp(logits - top).sum()
    first = 0
    counts = np.zeros(best, dtype=np.int64)
    for i in range(n):
        if logits[token_of_symbol[i]] > logits[token_of_symbol[first]]:
            first = i
        count = sums[i + 1] - sums[i]
        # Insertion into the short list of the best; nearly never.
        if count > counts[best - 1]:
            k = best - 1
            while k > 0 and count > counts[k - 1]:
                counts[k] = counts[k - 1]
                others[k] = others[k - 1]
                k -= 1
            counts[k] = count
            others[k] = i
    others[best] = first
    whole = np.float64(sums[n])
    for k in range(best + 1):
        i = others[k]
        p_model[k] = np.exp(logits[token_of_symbol[i]] - top) / total
        p_heads[k] = (sums[i + 1] - sums[i]) / whole
    bits[0] = (np.log(total) + top - logits[token_of_symbol[symbol]]) / np.log(2.0)
    bits[1] = -np.log2((sums[symbol + 1] - sums[symbol]) / whole)
