"""Streams on a device as a `BatchSession`."""

from typing import Any

import numpy as np

from predictors.base import FloatArray, IntArray, ModelError
from predictors.language_models.exact_torch.cache import Cache, Slots
from predictors.language_models.exact_torch.device import CPU, on
from predictors.language_models.exact_torch.evaluator import Evaluator
from predictors.language_models.exact_torch.forward import Results
from predictors.language_models.exact_torch.memory import too_little
from predictors.language_models.exact_torch.timing import Clock, Seconds
from predictors.language_models.exact_torch.torch_module import torch


class TorchSession:
    """A cache of S streams on a device.

    While the results of one batch are read, the next one is evaluated, if it is known.
    """

    def __init__(
        self, evaluator: Evaluator, cache: Cache, slots: Slots, ahead: int, rounds_up: bool
    ) -> None:
        """
        Args:
            ahead: positions of a stream that are evaluated at once.
            rounds_up: whether a narrower session evaluates a power of two of streams, some in
                vain: steps of each number of them would have to be recorded.
        """
        self._evaluator = evaluator
        self._cache = cache
        self._slots = slots
        self._ahead = ahead
        self._rounds_up = rounds_up
        self._room = cache.keys.shape[1]
        self._device = cache.keys.device
        is_gpu = self._device.type != CPU
        with on(self._device):
            self._clock = Clock(self._device)
        # Where the processor reads results: of one batch, and of the next one meanwhile.
        self._rows, self._next_rows = (
            Results(*(torch.empty(p.shape, pin_memory=is_gpu) for p in evaluator.results))
            for _ in range(2)
        )
        self._position = 0
        self._none: IntArray
        self._prefetched: IntArray
        self._batch: IntArray
        self._begun: IntArray
        self._set_streams(self._room)

    def step(self, tokens: IntArray) -> FloatArray:
        if self._next == len(self._batch):
            if not len(self._begun):
                self._begin(tokens[None])
            self._end()
            self._begin_prefetched()
        if not np.array_equal(self._batch[self._next], tokens):
            raise ValueError("the tokens are not those that were prefetched")
        self._next += 1
        return self._of_step(self._rows.logits)

    def hidden(self) -> FloatArray:
        return self._of_step(self._rows.hidden)

    def prefetch(self, tokens: IntArray) -> None:
        self._prefetched = np.concatenate([self._prefetched, tokens])
        self._begin_prefetched()

    def guess(self, tokens: IntArray) -> None:
        """Of little use here: a device is for many streams, and those are not guessed."""

    def reset(self) -> None:
        self._clock.wait()
        # What the cache still holds is never read before it is written again.
        self._position = 0
        self._set_streams(self._room)

    def narrow(self, n_streams: int) -> None:
        # Of a batch only what has been read may be left.
        if n_streams != self._streams:
            self._set_streams(n_streams)

    def save(self) -> Any:
        used = self._slots.used(self._position)
        return self._position, [part[:, :1, :, :used].clone() for part in self._cache]

    def restore(self, saved: Any) -> None:
        self.reset()
        self._position, parts = saved
        for part, kept in zip(self._cache, parts, strict=True):
            part[:, :, :, : kept.shape[3]] = kept

    @property
    def seconds(self) -> Seconds:
        """What the batches took whose results have been read."""
        return self._clock.seconds

    def close(self) -> None:
        pass

    def _set_streams(self, n_streams: int) -> None:
        """Nothing is known of the next tokens of these streams."""
        self._streams = self._width = n_streams
        if self._rounds_up:
            self._width = min(1 << (n_streams - 1).bit_length(), self._room)
        none: IntArray = np.empty((0, n_streams), dtype=np.int32)
        self._none = self._prefetched = self._batch = self._begun = none
        self._next = 0

    def _of_step(self, rows: Any) -> FloatArray:
        begin = (self._next - 1) * self._width
        found: FloatArray = rows[begin : begin + self._streams].numpy()
        return found

    def _begin_prefetched(self) -> None:
        """Begin with the next batch that is known, if none has begun."""
        if len(self._prefetched) and not len(self._begun):
            tokens = self._prefetched[: self._ahead]
            self._prefetched = self._prefetched[self._ahead :]
            self._begin(tokens)

    def _begin(self, tokens: IntArray) -> None:
        """Begin with a batch, [n, S] int32."""
        fed: IntArray = np.zeros((len(tokens), self._width), dtype=np.int32)
        fed[:, : self._streams] = tokens
        with on(self._device):
            self._clock.begun()
            try:
                self._evaluator.run(fed, self._position)
            except torch.OutOfMemoryError as error:
                raise too_little(self._device, f"steps of {fed.size} rows") from error
            self._clock.evaluated()
            for here, there in zip(self._next_rows, self._evaluator.results, strict=True):
                rows = min(fed.size, len(here))
                here[:rows].copy_(there[:rows], non_blocking=True)
            self._clock.transferred()
        self._position += len(tokens)
        self._begun = tokens

    def _end(self) -> None:
        """Wait for the batch that has begun; from here on its results are read."""
        self._clock.wait()
        self._batch, self._begun, self._next = self._begun, self._none, 0
        self._rows, self._next_rows = self._next_rows, self._rows
        if not torch.isfinite(self._rows.largest).all():
            raise ModelError("the model computed a value that is not finite; use another model")
