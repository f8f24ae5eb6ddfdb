"""The ensemble: from the language model's logits to a coded symbol.

logits, bias head → weights → output head → byte-level refinement → coder, with what the
output head changed and the votes of similar past states into the refinement. Without refinement
a symbol is coded by its interval of a CDF.
"""

from collections import namedtuple
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from coder import CDF_BITS, Coder, ScoreError, cdf_from_scores
from coder.cdf import NOT_FINITE
from coder.kernels import njit
from predictors import softmax
from predictors.base import FloatArray, IntArray
from predictors.heads import bias_head, candidates, hidden_state, neighbors, output_head
from predictors.language_models.vocabulary import Vocabulary
from predictors.mixing import refinement
from predictors.mixing.logistic import MIN_PROBABILITY

COST_BITS = 24
"""Fraction bits of `Ensemble.least_cost`."""


class EnsembleParameters(Protocol):
    """What an `Ensemble` must be told; a decoder's must be equal to the encoder's."""

    @property
    def bias_rate(self) -> int:
        """Learning rate of the bias head, in thousandths; 0 = off."""
        ...

    @property
    def head_rate(self) -> int:
        """Learning rate of the output head, in thousandths; 0 = off."""
        ...

    @property
    def contexts(self) -> int:
        """Mask of the refinement's kinds of context.

        0 = no refinement: a token is coded as one symbol.
        """
        ...

    @property
    def neighbors(self) -> int:
        """How many past states the refinement asks; 0 = none."""
        ...

    @property
    def unlike(self) -> int:
        """1 = streams may be unlike: see `refinement.new_tables`."""
        ...


def are_unlike(parameters: EnsembleParameters, n_streams: int) -> bool:
    """Are these the streams of a text, several, that may be unlike?"""
    return n_streams > 1 and bool(parameters.unlike)


Parts = namedtuple("Parts", "softmax candidates state bias_head output_head neighbors")
Parts.__doc__ = """What predicts a token's weights and votes: a tuple of each part's arrays.

softmax: `Softmax`. candidates: `Candidates`. state: `HiddenState`, of 0 dimensions if the
backend does not tell states. bias_head, output_head, neighbors: see there.
"""


State = namedtuple("State", "parts tables")
State.__doc__ = (
    """All that an ensemble learns: its `Parts` and, with refinement, `Tables`, else None."""
)


def new_state(
    vocabulary: Vocabulary,
    parameters: EnsembleParameters,
    n_streams: int,
    n_symbols: int,
    dimensions: int,
) -> State:
    """Untrained.

    Args:
        vocabulary, parameters, n_streams, n_symbols: see `Ensemble`.
        dimensions: E, of the hidden states; 0 = there are none.
    """
    p = parameters
    alphabet = len(vocabulary)
    unlike = are_unlike(p, n_streams)
    weights = softmax.new_softmax(vocabulary)
    parts = Parts(
        softmax=weights,
        candidates=candidates.new_candidates(),
        state=hidden_state.new_hidden_state(dimensions),
        bias_head=bias_head.new_bias_head(weights, p.bias_rate),
        output_head=output_head.new_output_head(alphabet, dimensions, p.head_rate),
        neighbors=neighbors.new_neighbors(
            alphabet, dimensions, p.neighbors if p.contexts else 0, n_streams if unlike else 0
        ),
    )
    tables = None
    if p.contexts:
        tables = refinement.new_tables(vocabulary.trie, n_streams, n_symbols, p.contexts, unlike)
    return State(parts, tables)


class Ensemble:
    """Everything that predicts after the language model, for the streams of one frame.

    All streams share what it learns, but for a little where they may be unlike. The same in both
    directions.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        parameters: EnsembleParameters,
        n_streams: int,
        n_symbols: int,
        make_state: Callable[..., State] = new_state,
    ) -> None:
        """
        Args:
            vocabulary: of the language model.
            parameters: see `EnsembleParameters`.
            n_streams: S, sequences that advance in lockstep.
            n_symbols: that they have together, with those that the state has learned from.
            make_state: called as `new_state` before the first symbol; it starts untrained by
                default.
        """
        self._vocabulary = vocabulary
        self._parameters = parameters
        self._make_state = partial(make_state, vocabulary, parameters, n_streams, n_symbols)
        self._state: State | None = None

    @staticmethod
    def least_cost(vocabulary: Vocabulary, parameters: EnsembleParameters) -> int:
        """A lower bound of what a symbol costs, in 2**-24 bit.

        -log2(1 - x) ≥ x: the likeliest symbol leaves the others a count of 1 each,
        a decision leaves the other side `MIN_PROBABILITY`.
        """
        if parameters.contexts:
            return vocabulary.trie.min_decisions * MIN_PROBABILITY
        return len(vocabulary) - 1

    def code(
        self,
        coder: Coder,
        stream: int,
        logits: FloatArray,
        hidden: FloatArray | None,
        symbols: IntArray,
    ) -> None:
        """Code the next symbol of some streams in a row, and learn from each.

        Args:
            coder: an encoder or a decoder.
            stream: the first, 0 .. S - 1.
            logits: [n, V] float32 in nats, for these symbols.
            hidden: [n, E] float32, see `Session.hidden`.
            symbols: [n] int32, read when encoding, filled in when decoding.

        Raises:
            coder.ScoreError: a logit is not finite.
        """
        states = np.zeros((len(symbols), 0), dtype=np.float32) if hidden is None else hidden
        if self._state is None:
            self._state = self._make_state(states.shape[1])
        parts, tables = self._state
        if tables is None:
            for row in range(len(symbols)):
                self._code_interval(coder, logits[row], states[row], symbols[row : row + 1])
            return
        coder_state, buffer = coder.kernel_state(self._vocabulary.trie.max_decisions * len(symbols))
        if not _code(coder_state, buffer, parts, tables, stream, logits, states, symbols):
            raise ScoreError(NOT_FINITE)

    def sums(self) -> npt.NDArray[np.int64]:
        """The weights after the heads for the symbol that was coded last, cumulated.

        Returns:
            [A + 1] int64: the probability of a symbol is its difference over the last.
        """
        assert self._state
        parts = self._state.parts
        sums = np.zeros(len(self._vocabulary) + 1, dtype=np.int64)
        weights = parts.softmax.weights[: len(self._vocabulary)]
        np.cumsum(weights, dtype=np.int64, out=sums[1:])
        c = parts.candidates
        n = candidates.count_of(c)
        for place, raised in zip(c.symbols[:n].tolist(), np.diff(c.sums[: n + 1]), strict=True):
            sums[place + 1 :] += raised
        return sums

    @property
    def state(self) -> State | None:
        """What has been learned; None before the first symbol."""
        return self._state

    def _code_interval(
        self, coder: Coder, logits: FloatArray, hidden: FloatArray, symbol: IntArray
    ) -> None:
        """Code a symbol, [1] int32, by its interval of a CDF."""
        vocabulary = self._vocabulary
        assert self._state
        parts = self._state.parts
        if not _predict(parts, logits, hidden):
            raise ScoreError(NOT_FINITE)
        scores = np.empty(len(vocabulary), dtype=np.int32)
        cdf = np.empty(len(vocabulary) + 1, dtype=np.uint32)
        candidates.write_scores(parts.softmax, parts.candidates, scores)
        cdf_from_scores(scores, cdf, CDF_BITS)
        symbol[0] = coder.code(cdf, CDF_BITS, int(symbol[0]))
        _learn(parts, np.int64(symbol[0]))


@njit(cache=True, nogil=True)
def _code(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    parts: Parts,
    tables: refinement.Tables,
    stream: int,
    logits: FloatArray,
    hidden: FloatArray,
    symbols: IntArray,
) -> Any:
    """Code the next symbols, see `Ensemble.code`; return whether all logits are finite."""
    for row in range(len(symbols)):
        if not _predict(parts, logits[row], hidden[row]):
            return False
        p = parts
        neighbors.vote(p.neighbors, p.state.signs, stream + row)
        symbol = refinement.code_symbol(
            coder_state, buffer, tables, p.neighbors.votes, p.softmax, p.candidates,
            stream + row, np.int64(symbols[row]),
        )  # fmt: skip
        symbols[row] = symbol
        neighbors.remember(p.neighbors, symbol, stream + row)
        _learn(parts, symbol)
    return True


@njit(cache=True, nogil=True)
def _predict(p: Parts, logits: FloatArray, hidden: FloatArray) -> Any:
    """Find the weights before and after the heads; return whether all logits are finite."""
    if not softmax.weigh(p.softmax, logits):
        return False
    candidates.find_candidates(p.softmax, p.candidates)
    hidden_state.observe(p.state, hidden)
    output_head.predict(p.output_head, p.state.features, p.candidates)
    candidates.reweigh(p.softmax, p.candidates)
    return True


@njit(cache=True, nogil=True)
def _learn(p: Parts, symbol: int) -> None:
    """Let the heads learn from a symbol."""
    bias_head.update(p.bias_head, p.softmax, p.candidates, symbol)
    output_head.update(p.output_head, p.state.features, p.candidates, symbol)
