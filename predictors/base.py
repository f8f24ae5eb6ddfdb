"""The protocols between the parts: what a language model and a predictor offer."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from predictors.language_models.numerics import Numerics
from predictors.language_models.vocabulary import Vocabulary

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]


class ModelError(Exception):
    """A model or backend that can't be used; the message says why and what to do."""


class UnsupportedModelError(ModelError):
    """A sound model that this backend can't run; another one may."""


class Session(Protocol):
    """S sequences that advance in lockstep, one token each per step."""

    def step(self, tokens: IntArray) -> FloatArray:
        """Feed one token per stream, return the logits of the next ones.

        Args:
            tokens: [S] int32 token ids.

        Returns:
            [S, V] float32 logits in nats; [1, V] while all streams have read the same, if
            the backend makes use of that. Valid until the next call.
        """
        ...

    def hidden(self) -> FloatArray | None:
        """The last step's normalized hidden states, [S, E] (or [1, E]) float32, or None.

        They are what the output matrix multiplies. Valid until the next step.
        """
        ...

    def prefetch(self, tokens: IntArray) -> None:
        """Tell which tokens the steps after those prefetched so far will be fed.

        The steps return the same; a backend may evaluate many of them at once, and
        may do so while the caller does something else.

        Args:
            tokens: [n, S] int32.
        """
        ...

    def guess(self, tokens: IntArray) -> None:
        """Tell which tokens may be fed after those of the next step.

        A backend whose results do not depend on the batch may evaluate them together with
        the next step (speculative decoding, Leviathan et al. 2023): if the guess was right,
        the steps after it return at once.

        Args:
            tokens: [n, S] int32.
        """
        ...

    def reset(self) -> None:
        """Forget everything: the next step is at position 0 of every stream."""
        ...

    def close(self) -> None: ...


class BatchSession(Session, Protocol):
    """A session whose results do not depend on what is evaluated together."""

    def narrow(self, n_streams: int) -> None:
        """From here on only the first streams are fed; not after `prefetch` and before `step`."""
        ...

    def save(self) -> Any:
        """What the first stream has read, for `restore`; it must not have filled the window."""
        ...

    def restore(self, saved: Any) -> None:
        """Let all streams have read what a session of the same window has saved, no more."""
        ...


class LanguageModel(Protocol):
    """A language-model backend."""

    vocabulary: Vocabulary

    @property
    def numerics(self) -> Numerics:
        """What must be equal for the logits to be equal (without the probe)."""
        ...

    def sessions(self, n_streams: int) -> int:
        """Into how many sessions the streams of a frame are best cut."""
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
