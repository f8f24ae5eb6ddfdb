"""The cache of int8 keys and values on the device, with attention sinks and a ring.

Slots are those of `exact.cache`: first the sinks' positions (Xiao et al. 2023) in whole blocks of
16, then a ring of blocks. A position of all streams has one slot, so which slots a position sees
is known to the processor, and one row of a mask says it to the device for all streams.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predictors.language_models.exact.cache import BLOCK, first_kept
from predictors.language_models.exact.shape import Shape
from predictors.language_models.exact_torch.constants import Constants
from predictors.language_models.exact_torch.torch_module import torch


class Cache(NamedTuple):
    """Keys and values of L layers, S streams and G KV heads, in C slots.

    Attributes:
        keys, values: [L, S, G, C, d] int8.
        key_scale, value_scale: [L, S, G, C] float32.
    """

    keys: Any
    values: Any
    key_scale: Any
    value_scale: Any


class Slots(NamedTuple):
    """Where positions are.

    Attributes:
        sinks, window: in positions.
        ring: slots of the ring.
    """

    sinks: int
    window: int
    ring: int

    @property
    def sink_slots(self) -> int:
        return whole_blocks(self.sinks)

    @property
    def total(self) -> int:
        """C, slots of a stream."""
        return self.sink_slots + self.ring

    def used(self, positions: int) -> int:
        """Slots in front of the first that so many positions have never used; at most C."""
        return self.sink_slots + min(max(positions - self.sinks, 0), self.ring)

    def of(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The slot of each position."""
        in_ring = self.sink_slots + (positions - self.sinks) % self.ring
        return np.where(positions < self.sinks, positions, in_ring)

    def unseen(self, positions: npt.NDArray[np.int64], slots: int) -> npt.NDArray[np.bool_]:
        """Which of the first slots hold nothing that a position sees, [n, slots].

        Args:
            positions: [n], ascending without a gap; all are in the cache.
        """
        index = np.arange(slots) - self.sink_slots
        last = int(positions[-1])
        rounds = (last - self.sinks - index) // self.ring
        held = np.where(index < 0, index + self.sink_slots, self.sinks + index + rounds * self.ring)
        is_sink = (index < 0) & (held < self.sinks)
        is_held = is_sink | ((index >= 0) & (rounds >= 0))
        first = np.array([self.first(int(p)) for p in positions])
        seen = is_sink | (held >= first[:, None])
        return ~(seen & is_held & (held <= positions[:, None]))

    def first(self, position: int) -> int:
        """The first position after the sinks that a position still sees."""
        return int(first_kept(position, self.sinks, self.window))


def new_slots(sinks: int, window: int, ahead: int) -> Slots:
    """Slots for a window, and `ahead` positions that are evaluated at once."""
    return Slots(sinks, window, whole_blocks(window - sinks + BLOCK + ahead))


def whole_blocks(positions: int) -> int:
    """Positions rounded up to whole blocks."""
    return -(-positions // BLOCK) * BLOCK


def new_cache(shape: Shape, streams: int, slots: int, device: Any) -> Cache:
    """An empty cache; raises `torch.OutOfMemoryError`."""
    rows = (shape.layers, streams, shape.kv_heads, slots)
    # Zeros: what is not seen gets a weight of 0, and 0 times what is there must be 0.
    return Cache(
        keys=torch.zeros((*rows, shape.head_size), dtype=torch.int8, device=device),
        values=torch.zeros((*rows, shape.head_size), dtype=torch.int8, device=device),
        key_scale=torch.zeros(rows, dtype=torch.float32, device=device),
        value_scale=torch.zeros(rows, dtype=torch.float32, device=device),
    )


def first_streams(cache: Cache, streams: int) -> Cache:
    """The same memory, of the first streams only."""
    return Cache(*(part[:, :streams] for part in cache))


def store(
    cache: Cache, layer: int, slots: Any, keys: Any, values: Any, constants: Constants,
    tops: list[Any],
) -> None:  # fmt: skip
    """Round rotated keys and values into slots.

    Args:
        slots: [n] int64.
        keys, values: [n, S, G, d] float32.
        tops: see `normalize`.
    """
    for integers, scales, heads in (
        (cache.keys, cache.key_scale, keys),
        (cache.values, cache.value_scale, values),
    ):
        top = heads.abs().amax(-1, keepdim=True)
        tops.append(top)
        inverse = torch.div(constants.int8_max, torch.maximum(top, constants.min_scale))
        rounded = (heads * inverse).round_().clamp_(-127, 127).to(torch.int8)
        scale = torch.div(top, constants.int8_max).squeeze(-1)
        integers[layer].index_copy_(2, slots, rounded.permute(1, 2, 0, 3))
        scales[layer].index_copy_(2, slots, scale.permute(1, 2, 0))
