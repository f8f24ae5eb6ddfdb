"""The cache of int8 keys and values, with attention sinks and a ring.

Slots: first the sinks' positions (the first of all, which a position always sees: Xiao et
al. 2023), in whole blocks of 16, then a ring of blocks. A key is stored rotated to its own
position for ever; what slides is only where the ring begins.
"""

from collections import namedtuple

import numpy as np

from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.panels import COLUMNS, OFFSET, PANELS, QUAD, TILE_COLUMNS
from predictors.language_models.exact.rounding import (
    INFINITE,
    INT8_MAX,
    float_of_bits,
    largest_bits,
    power_of_two,
    round_even,
)

BLOCK = COLUMNS
"""Positions of a block, which are the columns of a panel; the window slides by as many."""

# What is smaller is rounded as if it were this, so that no reciprocal overflows: 2**-100.
_MIN_SCALE_POWER = -100

Cache = namedtuple("Cache", "keys key_sums key_scale values value_scale sinks ring window")
Cache.__doc__ = """Keys and values of L layers, S streams and G KV heads, in C slots.

keys: [L, S, G, C / 16 + 1, d / 4, 16, 4] int8: positions are columns.
key_sums: [L, S, G, C] int32, of each key times `OFFSET`. key_scale: [L, S, G, C] float32.
values: [L, S, G, d' / 16, C / 4, 16, 4] int8, d' a multiple of 32: elements are columns.
value_scale: [L, S, G, C] float32. sinks, ring (slots of it), window: int64.
"""


def new_cache(
    layers: int, streams: int, kv_heads: int, size: int, sinks: int, window: int, ahead: int
) -> Cache:
    """An empty cache that can take `ahead` positions at once.

    Args:
        size: of a head, a multiple of 4.
        sinks, window: in positions.
    """
    ring = _whole_blocks(window - sinks + BLOCK + ahead)
    slots = _whole_blocks(sinks) + ring
    shape = (layers, streams, kv_heads)
    tiles = -(-size // TILE_COLUMNS)
    return Cache(
        # A tile reads two blocks: the one after the last slot is only read.
        keys=np.zeros((*shape, slots // BLOCK + 1, size // QUAD, BLOCK, QUAD), dtype=np.int8),
        key_sums=np.zeros((*shape, slots), dtype=np.int32),
        key_scale=np.zeros((*shape, slots), dtype=np.float32),
        values=np.zeros((*shape, tiles * PANELS, slots // QUAD, COLUMNS, QUAD), dtype=np.int8),
        value_scale=np.zeros((*shape, slots), dtype=np.float32),
        sinks=np.int64(sinks),
        ring=np.int64(ring),
        window=np.int64(window),
    )


def copy_first_stream(cache: Cache, positions: int) -> None:
    """Let all streams have read what the first has, so many positions."""
    for array in _used(cache, positions):
        array[:, 1:] = array[:, :1]


def save_first_stream(cache: Cache, positions: int) -> tuple[np.ndarray, ...]:
    """A copy of what the first stream has read: positions that have not filled the ring."""
    return tuple(array[:, 0].copy() for array in _used(cache, positions))


def restore_first_stream(cache: Cache, positions: int, saved: tuple[np.ndarray, ...]) -> None:
    """Inverse of `save_first_stream`, also for another number of streams."""
    for array, kept in zip(_used(cache, positions), saved, strict=True):
        array[:, 0] = kept


def _used(cache: Cache, positions: int) -> list[np.ndarray]:
    """The parts of the arrays that so many positions use, [L, S, G, ...]."""
    # The sinks' last block may not be full.
    used = _whole_blocks(int(cache.sinks)) + _whole_blocks(positions)
    slots = min(used, cache.key_sums.shape[3])
    return [
        cache.keys[:, :, :, : slots // BLOCK],
        cache.key_sums[:, :, :, :slots],
        cache.key_scale[:, :, :, :slots],
        cache.value_scale[:, :, :, :slots],
        cache.values[:, :, :, :, : slots // QUAD],
    ]


def _whole_blocks(positions: int) -> int:
    return -(-positions // BLOCK) * BLOCK


@kernel
def first_kept(position, sinks, window):
    """The first position after the sinks that a query still sees; sinks + 16 n."""
    excess = position + 1 - window
    if excess <= 0:
        return sinks
    return sinks + (excess + BLOCK - 1) // BLOCK * BLOCK


@kernel
def slot_of(position, sinks, ring):
    """The slot of a position, for a number of sinks and of the ring's slots."""
    if position < sinks:
        return position
    return (sinks + BLOCK - 1) // BLOCK * BLOCK + (position - sinks) % ring


@kernel
def store(cache, layer, stream, head, slot, key, value):
    """Round a rotated key and a value into a slot.

    Args:
        cache: `Cache`. layer, stream, head (a KV head), slot: int64.
        key, value: [d] float32.

    Returns:
        False if one of them is not finite.
    """
    size = len(key)
    top = largest_bits(key.view(np.int32), size)
    if top >= INFINITE:
        return False
    largest, inverse = _scale_of(top)
    block = cache.keys[layer, stream, head, slot // BLOCK]
    within = slot % BLOCK
    total = np.int32(0)
    for j in range(size):
        q = _round_int8(key[j] * inverse)
        block[j // QUAD, within, j % QUAD] = np.int8(q)
        total += q
    cache.key_sums[layer, stream, head, slot] = np.int32(total * OFFSET)
    cache.key_scale[layer, stream, head, slot] = largest / INT8_MAX

    top = largest_bits(value.view(np.int32), size)
    if top >= INFINITE:
        return False
    largest, inverse = _scale_of(top)
    panels = cache.values[layer, stream, head]
    for j in range(size):
        q = _round_int8(value[j] * inverse)
        panels[j // COLUMNS, slot // QUAD, j % COLUMNS, slot % QUAD] = np.int8(q)
    cache.value_scale[layer, stream, head, slot] = largest / INT8_MAX
    return True


@kernel
def _scale_of(bits):
    """The float32 of these bits and 127 divided by it (by at least 2**-100)."""
    value = float_of_bits(bits)
    return value, INT8_MAX / max(value, power_of_two(_MIN_SCALE_POWER))


@kernel
def _round_int8(x):
    """A float32 rounded to an int32 within ± 127."""
    return np.int32(min(max(round_even(x), -INT8_MAX), INT8_MAX))
