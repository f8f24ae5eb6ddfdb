"""Guesses of the next tokens, so that a decoder can evaluate several of them at once.

A wrong guess costs time, and no guess changes a bit: only a decoder makes them, and the results of
a backend that heeds them do not depend on what is evaluated together (speculative decoding,
Leviathan et al. 2023). As many tokens are guessed as makes for the most right ones in a time.
"""

from itertools import accumulate, takewhile

import numpy as np

from nacrith.codec.drafts import draft, learn, new_drafts, part
from nacrith.codec.ngrams import Ngrams
from nacrith.codec.step_cost import MAX_ROWS, StepCost
from predictors.base import IntArray

MAX_STREAMS = 4
"""Of so many streams tokens are guessed: with more, one of them is nearly always wrong, and a
further row of each costs more than it saves."""

_TOKEN_COST = 0.04
"""What coding a token costs, in steps of one row."""


class Guesser:
    """Guesses for streams that advance together, by what has been decoded of all of them."""

    def __init__(self, n_streams: int, n_tokens: int, ngrams: Ngrams) -> None:
        """
        Args:
            n_streams: S, at most `MAX_STREAMS`.
            n_tokens: that each stream is fed, at most.
            ngrams: of the tokens' vocabulary.
        """
        room = MAX_ROWS // n_streams - 1
        self._drafts = new_drafts(n_streams, n_tokens, room, ngrams)
        self._shares = np.empty(room)
        self._none: IntArray = np.empty((0, n_streams), dtype=np.int32)
        self._cost = StepCost(n_streams)
        self._n_streams = n_streams
        self._n = 0
        # So far all streams have read the same; then the first one stands for all of them.
        self._alike = True
        self._guessed = self._none
        # Tokens of each stream that the last step has evaluated; 0 = it was guessed before.
        self._evaluated = 0

    def guess(self) -> IntArray:
        """The tokens that may follow the next step's, [k, S] int32; none if there are some left
        of the last guess, all of which were right so far."""
        self._evaluated = 0
        if len(self._guessed):
            self._guessed = self._guessed[1:]
            return self._none
        d, n = self._drafts, self._n
        self._shares[:] = 1.0
        for stream in range(1 if self._alike else self._n_streams):
            draft(d, stream, n, self._shares)
        k = self._best_number()
        self._evaluated = 1 + k
        if k == 0:
            self._guessed = self._none
            return self._none
        drafts = d.tokens[:1] if self._alike else d.tokens
        drafted = np.broadcast_to(drafts[:, n : n + k], (self._n_streams, k))
        self._guessed = drafted.T.copy()
        return self._guessed

    def took(self, seconds: float) -> None:
        """The step took so long."""
        # Of streams that are alike only one is evaluated.
        if self._evaluated and (not self._alike or self._n_streams == 1):
            self._cost.took(self._evaluated, seconds)

    def update(self, tokens: IntArray) -> None:
        """The next step will be fed these, [S] int32."""
        if self._alike and (tokens != tokens[0]).any():
            part(self._drafts, self._n)
            self._alike = False
        for stream in range(1 if self._alike else self._n_streams):
            learn(self._drafts, stream, self._n, np.int64(tokens[stream]))
        self._n += 1
        if len(self._guessed) and not np.array_equal(self._guessed[0], tokens):
            self._guessed = self._none

    def _best_number(self) -> int:
        """How many tokens to guess of each stream, for the most right ones in a time."""
        coding = _TOKEN_COST * self._n_streams
        # Behind what can't be right nothing can. So few numbers are faster without arrays.
        tokens = accumulate(takewhile(bool, self._shares.tolist()), initial=1.0)
        costs = self._cost.costs().tolist()
        rates = [n / (cost + coding * n) for n, cost in zip(tokens, costs, strict=False)]
        return rates.index(max(rates))
