"""Attention over a cache of int8 keys and values, with sinks and a ring.

Slots: first the sinks' positions, in whole blocks of 16, then a ring of blocks. A
key is stored rotated to its own position for ever; what slides is only where the
ring begins. For the sinks the query is rotated as if the dropped positions had
never been, so that it stays within the trained distance of them.
"""

from collections import namedtuple

import numpy as np

from coder.kernels import njit
from predictors.language_models.exact.exp2 import exp2_negative
from predictors.language_models.exact.product import OFFSET, USES_BYTES, multiply_tile, pack
from predictors.language_models.exact.rope import rotate
from predictors.language_models.exact.rounding import (
    INFINITE,
    exponent_of,
    float_of_bits,
    largest_bits,
    power_of_two,
    round_even,
    round_row,
)

BLOCK = 16
"""Positions of a block; the window slides by as many."""

_QUERY_BITS = 15
_WEIGHT_MAX = np.int32((1 << 15) - 1)
# Products of weights and values are summed in int32 over so many positions.
_RUN = 512
# Bytes from one packed weight to the next.
_PACKED_STEP = 1 if USES_BYTES else 2
_MASKED = np.int32(-(1 << 30))
# Scores are rounded to 2**-12 bit, and limited to ± 2**21 of these.
_SCORE_LIMIT = np.float32(1 << 21)
_SCORE_ROUNDER = np.float32((1 << 22) + 0.5)

Cache = namedtuple("Cache", "keys key_sums key_scale values value_scale sinks ring window")
Cache.__doc__ = """Keys and values of all layers, streams and KV heads.

keys: [L, S, H, C / 16 + 1, d / 4, 16, 4] int8 for C slots.
key_sums: [L, S, H, C] int32, of each key times `OFFSET`. key_scale: [L, S, H, C] float32.
values: [L, S, H, d' / 16, C / 4, 16, 4] int8, d' a multiple of 32.
value_scale: [L, S, H, C] float32. sinks, ring (slots of it), window: int64.
"""

Scratch = namedtuple(
    "Scratch",
    "query sums integers scores scales weights packed factors totals row",
)


def new_cache(
    layers: int, streams: int, heads: int, size: int, sinks: int, window: int, ahead: int
) -> Cache:
    """An empty cache that can take `ahead` positions at once."""
    ring = -(-(window - sinks + BLOCK + ahead) // BLOCK) * BLOCK
    slots = -(-sinks // BLOCK) * BLOCK + ring
    shape = (layers, streams, heads)
    return Cache(
        keys=np.zeros((*shape, slots // BLOCK + 1, size // 4, BLOCK, 4), dtype=np.int8),
        key_sums=np.zeros((*shape, slots), dtype=np.int32),
        key_scale=np.zeros((*shape, slots), dtype=np.float32),
        values=np.zeros((*shape, -(-size // 32) * 2, slots // 4, 16, 4), dtype=np.int8),
        value_scale=np.zeros((*shape, slots), dtype=np.float32),
        sinks=np.int64(sinks),
        ring=np.int64(ring),
        window=np.int64(window),
    )


def new_scratch(group: int, size: int, window: int) -> Scratch:
    """Working memory of one thread, for `group` query heads per KV head."""
    n = window + 4 * BLOCK
    columns = -(-size // 32) * 32
    return Scratch(
        query=np.zeros((2, group, 2 * size), dtype=np.uint8),
        sums=np.zeros((max(group, 6), 32), dtype=np.int32),
        integers=np.zeros(max(size, n), dtype=np.int32),
        scores=np.zeros((group, n), dtype=np.int32),
        scales=np.zeros(n, dtype=np.float32),
        weights=np.zeros((group, n), dtype=np.float32),
        packed=np.zeros((group, 2 * n), dtype=np.uint8),
        factors=np.zeros(group, dtype=np.float64),
        totals=np.zeros((group, columns), dtype=np.int64),
        row=np.zeros(size, dtype=np.float32),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def first_kept(position, sinks, window):
    """The first position after the sinks that a query still sees; sinks + 16 n."""
    excess = position + 1 - window
    if excess <= 0:
        return sinks
    return sinks + (excess + BLOCK - 1) // BLOCK * BLOCK


@njit(nogil=True, cache=True, error_model="numpy")
def slot_of(position, sinks, ring):
    if position < sinks:
        return position
    return (sinks + BLOCK - 1) // BLOCK * BLOCK + (position - sinks) % ring


@njit(nogil=True, cache=True, error_model="numpy")
def store(cache, layer, stream, head, slot, key, value):
    """Round a rotated key and a value, [d] float32 each, into a slot.

    Returns False if one of them is not finite.
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
        q = np.int32(min(max(round_even(key[j] * inverse), np.float32(-127)), np.float32(127)))
        block[j >> 2, within, j & 3] = np.int8(q)
        total += q
    cache.key_sums[layer, stream, head, slot] = np.int32(total * OFFSET)
    cache.key_scale[layer, stream, head, slot] = largest / np.float32(127)

    top = largest_bits(value.view(np.int32), size)
    if top >= INFINITE:
        return False
    largest, inverse = _scale_of(top)
    columns = cache.values[layer, stream, head]
    for j in range(size):
        q = np.int32(min(max(round_even(value[j] * inverse), np.float32(-127)), np.float32(127)))
        columns[j >> 4, slot >> 2, j & 15, slot & 3] = np.int8(q)
    cache.value_scale[layer, stream, head, slot] = largest / np.float32(127)
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def _scale_of(bits):
    """The float32 of these bits and 127 divided by it (by at least 2**-100)."""
    value = float_of_bits(bits)
    return value, np.float32(127) / max(value, power_of_two(-100))


@njit(nogil=True, cache=True, error_model="numpy")
def _xor(values):
    """Read all values; the result is of no use, but keeps the compiler from leaving this out."""
    total = np.int64(0)
    for i in range(len(values)):
        total ^= values[i]
    return np.int32(total)


@njit(nogil=True, cache=True, error_model="numpy")
def _scores(cache, layer, stream, head, slot, count, at, packed, units, scratch):
    """Scores of `count` slots from `slot`, written from column `at` on.

    units: [group] float32, what an integer of the query is worth, in 2**-12 bit.
    """
    group, row_size = packed.shape
    size = row_size // 2
    stride = size * BLOCK
    base = cache.keys[layer, stream, head].ctypes.data
    scores = scratch.scores
    # Tiles read two blocks in turn, and the processor does not foresee that: reading
    # all in plain order first takes a third of the time off, if memory is the limit.
    blocks = cache.keys[layer, stream, head, slot // BLOCK : (slot + count) // BLOCK]
    scratch.integers[0] = _xor(blocks.reshape(-1).view(np.int64))
    # The last tile may write a block too much, which is written again or never read.
    for done in range(0, count, 2 * BLOCK):
        multiply_tile(
            group, base + (slot + done) // BLOCK * stride, stride, size // 4, packed.ctypes.data,
            row_size, size, scores.ctypes.data + 4 * (at + done), 4 * scores.shape[1],
        )  # fmt: skip
    sums = cache.key_sums[layer, stream, head, slot : slot + count]
    scale = cache.key_scale[layer, stream, head, slot : slot + count]
    for g in range(group):
        _finish(scores[g, at : at + count], sums, scale, units[g])


@njit(nogil=True, cache=True, error_model="numpy")
def _finish(scores, sums, scale, unit):
    """From products with the keys to scores, in place."""
    for i in range(len(scores)):
        x = np.float32(np.int32(scores[i] - sums[i])) * (scale[i] * unit)
        x = min(max(x, -_SCORE_LIMIT), _SCORE_LIMIT)
        scores[i] = np.int32(x + _SCORE_ROUNDER)


@njit(nogil=True, cache=True, error_model="numpy")
def _round_query(head, packed, integers):
    """Pack a rotated query; return the value of its unit as a power of two."""
    size = len(head)
    unit = round_row(head, size, _QUERY_BITS, integers)
    if unit < INFINITE:
        pack(integers, size, OFFSET, packed)
    return unit


@njit(nogil=True, cache=True, error_model="numpy")
def attend(cache, layer, stream, head, position, queries, turns, scale, scratch, out):
    """Attention of the query heads of one KV head at one position.

    Args:
        position: int64; its own key is in the cache already.
        queries: [group, d] float32, not rotated.
        turns: [2, 2, pairs] float32: cosines and sines of the position, and of the
            position as the sinks see it.
        scale: float32, log2(e) / sqrt(d) * 4096.
        out: [group, d] float32, written.

    Returns:
        False if a query is not finite.
    """
    group = len(queries)
    sinks = cache.sinks
    first = first_kept(position, sinks, cache.window)
    units = np.zeros((2, group), dtype=np.float32)
    for view in range(2):
        if view == 1 and first == sinks:
            break
        for g in range(group):
            rotate(queries[g], turns[view, 0], turns[view, 1], scratch.row)
            unit = _round_query(scratch.row, scratch.query[view, g], scratch.integers)
            if unit >= INFINITE:
                return False
            units[view, g] = power_of_two(unit) * scale
    slid = 0 if first == sinks else 1
    # Up to three runs of slots: sinks, ring, ring after its end.
    begin = np.zeros(3, dtype=np.int64)
    count = np.zeros(3, dtype=np.int64)
    runs = 0
    n = 0
    if sinks > 0:
        count[0] = (sinks + BLOCK - 1) // BLOCK * BLOCK
        n = count[0]
        runs = 1
        _scores(cache, layer, stream, head, 0, n, 0, scratch.query[slid], units[slid], scratch)
        for g in range(group):
            for i in range(min(sinks, position + 1), n):
                scratch.scores[g, i] = _MASKED
    if position >= first:
        kept = position - first + 1
        blocks = (kept + BLOCK - 1) // BLOCK * BLOCK
        start = slot_of(first, sinks, cache.ring)
        end = slot_of(sinks, sinks, cache.ring) + cache.ring
        part = min(blocks, end - start)
        from_slot = start
        done = 0
        while done < blocks:
            begin[runs] = from_slot
            count[runs] = part
            _scores(
                cache, layer, stream, head, from_slot, part, n + done, scratch.query[0], units[0],
                scratch,
            )  # fmt: skip
            runs += 1
            done += part
            part = blocks - done
            from_slot = end - cache.ring
        for g in range(group):
            for i in range(n + kept, n + blocks):
                scratch.scores[g, i] = _MASKED
        n += blocks
    _mix(cache, layer, stream, head, begin, count, runs, n, scratch, out)
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def _weigh(scores, n, scales, weights):
    """Softmax weights times the values' scales, [n] float32, and the weights' sum.

    The weights are integers in 2**-30 of the largest.
    """
    top = _MASKED
    for i in range(n):
        top = max(top, scores[i])
    total = np.int64(0)
    for i in range(n):
        p = exp2_negative(np.int32(top - scores[i]))
        total += np.int64(p)
        weights[i] = np.float32(p) * scales[i]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def _mix(cache, layer, stream, head, begin, count, runs, n, scratch, out):
    """Sum the values, each by its weight."""
    group, size = out.shape
    scales = cache.value_scale[layer, stream, head]
    values = cache.values[layer, stream, head]
    stride = values.shape[1] * 64
    gathered = scratch.scales[:n]
    at = 0
    for r in range(runs):
        gathered[at : at + count[r]] = scales[begin[r] : begin[r] + count[r]]
        at += count[r]
    for g in range(group):
        weights = scratch.weights[g]
        total = _weigh(scratch.scores[g], n, gathered, weights)
        unit = exponent_of(largest_bits(weights.view(np.int32), n)) - 15
        factor = power_of_two(-unit)
        integers = scratch.integers
        for i in range(n):
            integers[i] = min(np.int32(weights[i] * factor + np.float32(0.5)), _WEIGHT_MAX)
        pack(integers, n, 0, scratch.packed[g])
        scratch.factors[g] = np.float64(power_of_two(unit)) / np.float64(total)
        scratch.totals[g, :] = 0
    row_size = scratch.packed.shape[1]
    at = 0
    for r in range(runs):
        done = 0
        while done < count[r]:
            part = min(_RUN, count[r] - done)
            slot = begin[r] + done
            for pair in range(values.shape[0] // 2):
                multiply_tile(
                    group,
                    values.ctypes.data + 2 * pair * stride + slot * 16,
                    stride,
                    part // 4,
                    scratch.packed.ctypes.data + (at + done) * _PACKED_STEP,
                    row_size,
                    n,
                    scratch.sums.ctypes.data,
                    128,
                )
                for g in range(group):
                    for c in range(32):
                        scratch.totals[g, 32 * pair + c] += np.int64(scratch.sums[g, c])
            done += part
        at += count[r]
    for g in range(group):
        for j in range(size):
            out[g, j] = np.float32(np.float64(scratch.totals[g, j]) * scratch.factors[g])
