"""The ensemble: from the language model's logits to a coded symbol.

logits → scores → bias head, output head → CDF → byte-level refinement → coder,
with what the heads changed and the votes of similar past states into the refinement
"""

from typing import Protocol

import numpy as np

from coder import CDF_BITS, MAX_CDF_BITS, Coder, cdf_from_scores, scores_from_logits
from predictors.base import FloatArray, TokenPredictor
from predictors.heads.bias_head import BiasHead
from predictors.heads.neighbors import Neighbors
from predictors.heads.output_head import OutputHead
from predictors.language_models.vocabulary import Vocabulary
from predictors.mixing.logistic import MIN_PROBABILITY
from predictors.mixing.prefix_sums import PrefixSums, add_up, new_prefix_sums
from predictors.mixing.refinement import Refinement

COST_BITS = 24
"""Fraction bits of `Ensemble.least_cost`."""


class EnsembleParameters(Protocol):
    """What an `Ensemble` must be told; a decoder's must be equal to the encoder's."""

    @property
    def bias_rate(self) -> int:
        """Learning rate of the `BiasHead`, in thousandths; 0 = off."""
        ...

    @property
    def head_rate(self) -> int:
        """Learning rate of the `OutputHead`, in thousandths; 0 = off."""
        ...

    @property
    def contexts(self) -> int:
        """Mask of the `Refinement`'s kinds of context.

        0 = no refinement: a token is coded as one symbol.
        """
        ...

    @property
    def neighbors(self) -> int:
        """How many past states the refinement asks; 0 = none."""
        ...


class Ensemble:
    """Everything that predicts after the language model, for the streams of one frame.

    Starts untrained; all streams share what it learns. The same in both directions.
    """

    def __init__(
        self, vocabulary: Vocabulary, parameters: EnsembleParameters, n_streams: int
    ) -> None:
        """
        Args:
            vocabulary: of the language model.
            parameters: see `EnsembleParameters`.
            n_streams: S, sequences that advance in lockstep.
        """
        p = parameters
        n_symbols = len(vocabulary)
        # The refinement only takes ratios of the counts, so they can be finer than
        # the coder allows: this saves the 0.003 bits a token that counts ≥ 1 cost.
        self._bits = MAX_CDF_BITS if p.contexts else CDF_BITS
        self._vocabulary = vocabulary
        self._heads: list[TokenPredictor] = []
        if p.bias_rate:
            self._heads.append(BiasHead(n_symbols, p.bias_rate, self._bits))
        if p.head_rate:
            self._heads.append(OutputHead(n_symbols, p.head_rate, self._bits))
        self._refinement: Refinement | None = None
        self._before_heads: PrefixSums | None = None
        self._neighbors: Neighbors | None = None
        if p.contexts:
            self._refinement = Refinement(vocabulary.trie, n_streams, p.contexts)
            if self._heads:
                self._before_heads = new_prefix_sums(n_symbols)
            if p.neighbors:
                self._neighbors = Neighbors(n_symbols, p.neighbors)
        self._scores = np.empty(n_symbols, dtype=np.int32)
        self._cdf = np.empty(n_symbols + 1, dtype=np.uint32)

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
        symbol: int,
    ) -> int:
        """Code the next symbol of a stream and learn from it.

        Args:
            coder: an encoder or a decoder.
            stream: 0 .. S - 1.
            logits: [V] float32 in nats, for this symbol.
            hidden: [E] float32, see `Session.hidden`.
            symbol: to encode; ignored when decoding.

        Returns:
            The symbol.

        Raises:
            coder.ScoreError: a logit is not finite.
        """
        vocabulary = self._vocabulary
        scores_from_logits(logits, vocabulary.token_of_symbol, vocabulary.offsets, self._scores)
        if self._before_heads:
            add_up(self._before_heads, self._scores)
        for head in self._heads:
            head.predict(self._scores, hidden)
        cdf_from_scores(self._scores, self._cdf, self._bits)
        if self._refinement:
            votes = self._neighbors.vote(hidden) if self._neighbors else None
            symbol = self._refinement.code(
                coder, stream, self._cdf, symbol, votes, self._before_heads
            )
            if self._neighbors:
                self._neighbors.remember(symbol)
        else:
            symbol = coder.code(self._cdf, self._bits, symbol)
        for head in self._heads:
            head.update(self._cdf, symbol)
        return symbol
