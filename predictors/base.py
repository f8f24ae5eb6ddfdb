"""The protocols between the parts: what a language model and a predictor offer."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from predictors.numerics import Numerics
from predictors.vocabulary import Vocabulary

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]


class ModelError(Exception):
    """A model or backend that can't be used; the message says why and what to do."""


class Session(Protocol):
    """S sequences that advance in lockstep, one token each per step."""

    def step(self, tokens: IntArray) -> FloatArray:
        """Feed one token per stream, return the logits of the next ones.

        Args:
            tokens: [S] int32 token ids.

        Returns:
            [S, V] float32 logits in nats. Valid until the next call.
        """
        ...

    def reset(self) -> None:
        """Forget everything: the next step is at position 0 of every stream."""
        ...

    def close(self) -> None: ...


class LanguageModel(Protocol):
    """A language-model backend."""

    vocabulary: Vocabulary

    @property
    def numerics(self) -> Numerics:
        """What must be equal for the logits to be equal (without the probe)."""
        ...

    def open(self, n_streams: int, window: int, sinks: int) -> Session:
        """Open a session.

        Args:
            n_streams: number of sequences S.
            window: positions of context a stream keeps, at most.
            sinks: first positions kept for ever (attention sinks, Xiao et al. 2023).
        """
        ...

    def close(self) -> None: ...


class TokenPredictor(Protocol):
    """An online predictor over whole tokens, the same in both directions.

    For each token of each stream: `predict`, then (once the token is known)
    `update`. Streams of a group share one predictor, so each learns from all.
    """

    def predict(self, stream: int, scores: IntArray) -> None:
        """Add to `scores`, [A] int32 in 2**-16 bit, in vocabulary byte order."""
        ...

    def update(self, stream: int, cdf: npt.NDArray[np.uint32], symbol: int) -> None:
        """Learn from the coded symbol; `cdf` is the distribution that coded it."""
        ...
