"""Batches of positions on a device: their input is put where a recorded step reads it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predictors.base import IntArray
from predictors.language_models.exact.model_data import ModelData
from predictors.language_models.exact.rope import rotation
from predictors.language_models.exact_torch.attention import Batch
from predictors.language_models.exact_torch.cache import Cache, Slots, first_streams
from predictors.language_models.exact_torch.device import CPU, on
from predictors.language_models.exact_torch.forward import Results
from predictors.language_models.exact_torch.passes import Passes
from predictors.language_models.exact_torch.replay import Recorder
from predictors.language_models.exact_torch.torch_module import torch


class _Recorded(NamedTuple):
    """A step of one shape.

    Attributes:
        here: its input where the processor writes it. there: where the step reads it.
    """

    here: Batch
    there: Batch
    run: Callable[[], None]


class Evaluator:
    """Evaluates batches of positions of streams in a cache, one after the other.

    Attributes:
        results: of the last batch, on the device, for as many rows as there is room for.
    """

    def __init__(
        self,
        data: ModelData,
        passes: Passes,
        cache: Cache,
        slots: Slots,
        rows: int,
        recorder: Recorder,
        slot_step: int,
    ) -> None:
        """
        Args:
            passes: what carries batches out, on the cache's device.
            rows: of a batch, at most.
            recorder: of steps; see `replay`.
            slot_step: slots are multiplied in multiples of so many: each needs a recording.
        """
        self._data = data
        self._passes = passes
        self._cache = cache
        self._slots = slots
        self._recorder = recorder
        self._slot_step = slot_step
        self._device = device = cache.keys.device
        self._recorded: dict[tuple[int, int, int], _Recorded] = {}
        self.results = Results(
            logits=torch.zeros((rows, data.shape.vocabulary), device=device),
            hidden=torch.zeros((rows, data.shape.width), device=device),
            largest=torch.zeros(1, device=device),
        )

    @property
    def recordings(self) -> int:
        """Steps of different shapes so far."""
        return len(self._recorded)

    @property
    def widths(self) -> set[int]:
        """Numbers of streams of the steps so far."""
        return {streams for _, streams, _ in self._recorded}

    def run(self, tokens: IntArray, position: int) -> None:
        """Evaluate [n, S] int32 tokens from a position on; does not wait for a GPU.

        The input of the batch before must have been read: wait for its results first.
        """
        n, streams = tokens.shape
        used = self._slots.used(position + n)
        slots = min(-(-used // self._slot_step) * self._slot_step, self._slots.total)
        key = (n, streams, slots)
        with on(self._device), torch.no_grad():
            recorded = self._recorded.get(key)
            if not recorded:
                batch = self._new_batch(*key, self._device)
                recorded = _Recorded(
                    self._new_batch(*key, torch.device(CPU)) if self._device.type != CPU else batch,
                    batch,
                    lambda: None,
                )
            self._fill(recorded, tokens, position)
            if key not in self._recorded:
                # It may run meanwhile: what it stores must be what will be stored.
                recorded = recorded._replace(run=self._record(recorded.there, streams))
                self._recorded[key] = recorded
            recorded.run()

    def _record(self, batch: Batch, streams: int) -> Callable[[], None]:
        n, slots = batch.unseen.shape
        forward = self._passes(n, n * streams, slots)

        def evaluate(batch: Batch, cache: Cache, results: Results) -> None:
            found = forward(batch, cache)
            for there, part in zip(results, found, strict=True):
                there[: len(part)].copy_(part)

        cache = first_streams(self._cache, streams)
        return self._recorder(evaluate, batch, cache, self.results)

    def _new_batch(self, n: int, streams: int, slots: int, device: Any) -> Batch:
        """Room for a batch; what a GPU copies from the processor's memory must be pinned there."""
        pinned = device.type == CPU and self._device.type != CPU
        pairs = self._data.shape.rope_pairs

        def zeros(*shape: int, dtype: Any) -> Any:
            return torch.zeros(shape, dtype=dtype, device=device, pin_memory=pinned)

        return Batch(
            tokens=zeros(n * streams, dtype=torch.int64),
            slots=zeros(n, dtype=torch.int64),
            cos_sin=zeros(n, 2, 2, pairs, dtype=torch.float32),
            unseen=zeros(n, slots, dtype=torch.bool),
        )

    def _fill(self, recorded: _Recorded, tokens: IntArray, position: int) -> None:
        positions = np.arange(position, position + len(tokens))
        here = recorded.here
        here.tokens.numpy()[:] = tokens.reshape(-1)
        here.slots.numpy()[:] = self._slots.of(positions)
        here.cos_sin.numpy()[:] = self._rotations(positions)
        here.unseen.numpy()[:] = self._slots.unseen(positions, here.unseen.shape[1])
        if here is not recorded.there:
            for there, part in zip(recorded.there, here, strict=True):
                there.copy_(part, non_blocking=True)

    def _rotations(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """[n, 2, 2, pairs] float32: see `Batch`."""
        data = self._data
        found = np.empty((len(positions), 2, 2, data.shape.rope_pairs), dtype=np.float32)
        for rows, p in zip(found, positions.tolist(), strict=True):
            dropped = self._slots.first(p) - self._slots.sinks
            for (cosines, sines), seen_at in zip(rows, (p, p - dropped), strict=True):
                rotation(
                    seen_at, data.frequencies, data.coarse_table, data.fine_table, cosines, sines
                )
        return found
