"""Attention of grouped queries (GQA; Ainslie et al. 2023) over the cache of `cache.py`.

For the sinks the query is rotated as if the dropped positions had never been, so that it
stays within the trained distance of them (attention sinks, Xiao et al. 2023). A query so
has two *views*: 0, rotated to its own position, and 1, as the sinks see it.
"""

from collections import namedtuple

import numpy as np

from predictors.language_models.exact.cache import BLOCK, first_kept, slot_of
from predictors.language_models.exact.exp2 import FRACTION_BITS, exp2_negative
from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.panels import (
    OFFSET,
    PANELS,
    QUAD,
    QUAD_BYTES,
    ROW_BYTES,
    TILE_COLUMNS,
    USES_BYTES,
)
from predictors.language_models.exact.product import multiply_tile, pack
from predictors.language_models.exact.rope import rotate
from predictors.language_models.exact.rounding import (
    INFINITE,
    exponent_of,
    largest_bits,
    power_of_two,
    round_row,
)
from predictors.language_models.exact.tiles import MAX_ROWS

SCORES_PER_NAT = 5909.278887481194
"""4096 log2 e: scores are in units of 2**-12 bit (`FRACTION_BITS`)."""

_QUERY_BITS = 15
_WEIGHT_BITS = 15
_WEIGHT_MAX = np.int32((1 << _WEIGHT_BITS) - 1)

# Products of weights and values are summed in int32 over so many positions:
# 512 * 127 * (2**15 - 1) < 2**31.
_SUMMED_POSITIONS = 512

# Bytes from one packed weight to the next, in the row of low bytes or of int16.
_PACKED_STEP = 1 if USES_BYTES else 2

# Of what is not seen, in 2**-12 bit: below every score, and no difference leaves int32.
_MASKED = np.int32(-(1 << 30))

# Scores are limited to ± 2**21 of their units, 512 bits. The second constant makes them
# positive and the conversion, which drops the fraction, round to nearest.
_SCORE_LIMIT = np.float32(1 << (FRACTION_BITS + 9))
_SCORE_ROUNDER = np.float32((1 << (FRACTION_BITS + 10)) + 0.5)

_INT32_BYTES = 4

# Runs of slots that a position can see: sinks, ring, ring after its end.
_MAX_RUNS = 3

Scratch = namedtuple(
    "Scratch",
    "query units sums integers scores scales weights packed factors totals row begin count",
)
Scratch.__doc__ = """Working memory of one thread, for n positions and a group of query heads.

query: [2, group, 2 d] uint8, packed, by view. units: [2, group] float32, what an integer of
the query is worth, in 2**-12 bit. sums: [≥ group, 32] int32, of a tile.
integers: [max(d, n)] int32, rounded queries and weights. scores: [group, n] int32, in
2**-12 bit. scales: [n] float32, of the values. weights: [group, n] float32.
packed: [group, 2 n] uint8, weights. factors: [group] float64, what an integer of the
output is worth. totals: [group, d'] int64, the output. row: [d] float32, a rotated query.
begin, count: [3] int64, of the runs of slots that are seen.
"""


def new_scratch(group: int, size: int, window: int) -> Scratch:
    """Working memory for `group` query heads per KV head, of `size` elements each."""
    # Both the sinks and the ring have a part of a block too much, and so has a tile.
    n = window + 4 * BLOCK
    columns = -(-size // TILE_COLUMNS) * TILE_COLUMNS
    return Scratch(
        query=np.zeros((2, group, 2 * size), dtype=np.uint8),
        units=np.zeros((2, group), dtype=np.float32),
        sums=np.zeros((max(group, MAX_ROWS), TILE_COLUMNS), dtype=np.int32),
        integers=np.zeros(max(size, n), dtype=np.int32),
        scores=np.zeros((group, n), dtype=np.int32),
        scales=np.zeros(n, dtype=np.float32),
        weights=np.zeros((group, n), dtype=np.float32),
        packed=np.zeros((group, 2 * n), dtype=np.uint8),
        factors=np.zeros(group, dtype=np.float64),
        totals=np.zeros((group, columns), dtype=np.int64),
        row=np.zeros(size, dtype=np.float32),
        begin=np.zeros(_MAX_RUNS, dtype=np.int64),
        count=np.zeros(_MAX_RUNS, dtype=np.int64),
    )


@kernel
def attend(
    cache, layer, stream, head, position, queries, cos_sin, scale, scratch, out, next_stream,
    next_head,
):  # fmt: skip
    """Attention of the query heads of one KV head at one position.

    Args:
        cache: `Cache`. layer, stream, head (the KV head): int64.
        position: int64; its own key is in the cache already.
        queries: [group, d] float32, not rotated.
        cos_sin: [2, 2, pairs] float32: for each view cosines and sines of the position.
        scale: float32, `SCORES_PER_NAT` / sqrt(d).
        scratch: `Scratch`.
        out: [group, d] float32, written.
        next_stream, next_head: whose keys and values are read next, and fetched meanwhile.

    Returns:
        False if a query is not finite.
    """
    first = first_kept(position, cache.sinks, cache.window)
    # As long as nothing was dropped, the sinks see the query where it is.
    sink_view = 1 if first > cache.sinks else 0
    for view in range(sink_view + 1):
        if not _round_queries(queries, cos_sin[view], view, scale, scratch):
            return False
    runs = _find_runs(cache, position, first, scratch)
    values = cache.values[layer, stream, head]
    keys_ahead = (
        cache.keys[layer, next_stream, next_head].ctypes.data
        - cache.keys[layer, stream, head].ctypes.data
    )
    values_ahead = cache.values[layer, next_stream, next_head].ctypes.data - values.ctypes.data
    n = 0
    for r in range(runs):
        begin, count = scratch.begin[r], scratch.count[r]
        # Only the sinks' run begins at slot 0, if there are sinks.
        view = sink_view if begin < cache.sinks else 0
        _score(
            cache, layer, stream, head, begin, count, n, scratch.query[view], scratch.units[view],
            scratch, keys_ahead,
        )  # fmt: skip
        n += count
    sink_slots = slot_of(cache.sinks, cache.sinks, cache.ring)
    _mask(scratch.scores, min(cache.sinks, position + 1), sink_slots)
    _mask(scratch.scores, sink_slots + max(0, position - first + 1), n)
    _round_weights(cache.value_scale[layer, stream, head], runs, n, scratch)
    _sum_values(values, runs, n, scratch, values_ahead)
    group, size = out.shape
    for g in range(group):
        for j in range(size):
            out[g, j] = np.float32(np.float64(scratch.totals[g, j]) * scratch.factors[g])
    return True


# The parts of `attend` are inlined: a call would hand over all arrays in `scratch` and `cache`.
@kernel(inline="always")
def _round_queries(queries, cos_sin, view, scale, scratch):
    """Rotate, round and pack the queries for one view; False if one is not finite."""
    size = queries.shape[1]
    for g in range(len(queries)):
        rotate(queries[g], cos_sin[0], cos_sin[1], scratch.row)
        unit = round_row(scratch.row, size, _QUERY_BITS, scratch.integers)
        if unit >= INFINITE:
            return False
        pack(scratch.integers, size, OFFSET, scratch.query[view, g])
        scratch.units[view, g] = power_of_two(unit) * scale
    return True


@kernel(inline="always")
def _find_runs(cache, position, first, scratch):
    """Write which slots a position sees, in runs of whole blocks; return how many runs.

    Args:
        first: of `first_kept`.
    """
    runs = 0
    sink_slots = slot_of(cache.sinks, cache.sinks, cache.ring)
    if sink_slots > 0:
        scratch.begin[0] = 0
        scratch.count[0] = sink_slots
        runs = 1
    if position >= first:
        slots = (position - first + BLOCK) // BLOCK * BLOCK
        begin = slot_of(first, cache.sinks, cache.ring)
        before_end = min(slots, sink_slots + cache.ring - begin)
        scratch.begin[runs] = begin
        scratch.count[runs] = before_end
        runs += 1
        if before_end < slots:
            scratch.begin[runs] = sink_slots
            scratch.count[runs] = slots - before_end
            runs += 1
    return runs


@kernel(inline="always")
def _score(cache, layer, stream, head, slot, count, at, packed, units, scratch, ahead):
    """Scores of `count` slots from `slot`, written from column `at` on.

    Args:
        packed: [group, 2 d] uint8. units: [group] float32; of the view.
        ahead: bytes to the keys of the next item, fetched meanwhile.
    """
    group, row_size = packed.shape
    size = row_size // 2
    stride = size * BLOCK
    base = cache.keys[layer, stream, head].ctypes.data
    scores = scratch.scores
    # The last tile may write a block too much, which is written again or never read.
    for done in range(0, count, PANELS * BLOCK):
        keys = base + (slot + done) // BLOCK * stride
        to = scores.ctypes.data + _INT32_BYTES * (at + done)
        multiply_tile(
            group, keys, stride, size // QUAD, packed.ctypes.data, row_size, size,
            to, _INT32_BYTES * scores.shape[1], keys + ahead, stride,
        )  # fmt: skip
    sums = cache.key_sums[layer, stream, head, slot : slot + count]
    scale = cache.key_scale[layer, stream, head, slot : slot + count]
    for g in range(group):
        _finish_scores(scores[g, at : at + count], sums, scale, units[g])


@kernel
def _finish_scores(scores, sums, scale, unit):
    """From products with the keys to scores, [n] int32, in place.

    Args:
        sums: [n] int32, what packing has added. scale: [n] float32, of the keys.
        unit: float32, of the query.
    """
    for i in range(len(scores)):
        x = np.float32(np.int32(scores[i] - sums[i])) * (scale[i] * unit)
        x = min(max(x, -_SCORE_LIMIT), _SCORE_LIMIT)
        scores[i] = np.int32(x + _SCORE_ROUNDER)


@kernel(inline="always")
def _mask(scores, begin, end):
    """What is not seen gets no weight: columns begin .. end - 1 of all rows."""
    for g in range(len(scores)):
        for i in range(begin, end):
            scores[g, i] = _MASKED


@kernel
def _softmax(scores, n, scales, weights):
    """Softmax weights times the values' scales, [n] float32, and the weights' sum.

    The weights are integers in 2**-30 of the largest; their sum is int64.
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


@kernel(inline="always")
def _round_weights(scales, runs, n, scratch):
    """From scores to packed integers of the weights, and what the output's integers are worth.

    Args:
        scales: [C] float32, of the values by slot.
        n: slots of all runs.
    """
    at = 0
    for r in range(runs):
        begin, count = scratch.begin[r], scratch.count[r]
        # Indices of slices are not negative, which the compiler need not ask then.
        source, target = scales[begin : begin + count], scratch.scales[at : at + count]
        for i in range(count):
            target[i] = source[i]
        at += count
    for g in range(len(scratch.weights)):
        weights = scratch.weights[g]
        total = _softmax(scratch.scores[g], n, scratch.scales, weights)
        unit = exponent_of(largest_bits(weights.view(np.int32), n)) - _WEIGHT_BITS
        factor = power_of_two(-unit)
        integers = scratch.integers
        for i in range(n):
            integers[i] = min(np.int32(weights[i] * factor + np.float32(0.5)), _WEIGHT_MAX)
        pack(integers, n, 0, scratch.packed[g])
        scratch.factors[g] = np.float64(power_of_two(unit)) / np.float64(total)


@kernel(inline="always")
def _sum_values(values, runs, n, scratch, ahead):
    """Sum the values of all runs, each times its weight, into `totals`.

    Args:
        values: [d' / 16, C / 4, 16, 4] int8.
        n: slots of all runs.
        ahead: bytes to the values of the next item, fetched meanwhile.
    """
    group, row_size = scratch.packed.shape
    for g in range(group):
        for c in range(scratch.totals.shape[1]):
            scratch.totals[g, c] = 0
    stride = values.shape[1] * QUAD_BYTES
    at = 0
    for r in range(runs):
        begin, count = scratch.begin[r], scratch.count[r]
        for done in range(0, count, _SUMMED_POSITIONS):
            part = min(_SUMMED_POSITIONS, count - done)
            weights = scratch.packed.ctypes.data + (at + done) * _PACKED_STEP
            # QUAD_BYTES of a panel are QUAD slots.
            panel = values.ctypes.data + (begin + done) // QUAD * QUAD_BYTES
            for column in range(0, scratch.totals.shape[1], TILE_COLUMNS):
                multiply_tile(
                    group, panel, stride, part // QUAD, weights, row_size, n,
                    scratch.sums.ctypes.data, ROW_BYTES, panel + ahead, stride,
                )  # fmt: skip
                panel += PANELS * stride
                for g in range(group):
                    for c in range(TILE_COLUMNS):
                        scratch.totals[g, column + c] += np.int64(scratch.sums[g, c])
        at += count
