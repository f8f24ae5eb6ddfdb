"""A kernel of one program a row and head: rotation and rounding of queries, keys and values."""

from predictors.language_models.exact_torch.fused.rounding import (
    exponent_of,
    load_product,
    magnitude_bits,
    power_of_two,
    round_even,
    rounded,
)
from predictors.language_models.exact_torch.fused.triton_module import tl, triton


@triton.jit
def rotate(a, b, cos_sin, pairs, j):
    """Rotate pairs (a, b) of a head; section 5. cos_sin: [2, pairs] float32."""
    turns = j < pairs
    c = tl.load(cos_sin + j, mask=turns, other=1.0)
    s = tl.load(cos_sin + pairs + j, mask=turns, other=0.0)
    return tl.where(turns, a * c - b * s, a), tl.where(turns, a * s + b * c, b)


@triton.jit
def store_query(a, b, queries, units, worst, score_scale, size, j, mask, GP: tl.constexpr):
    """Round a rotated query; the rows of its limbs are GP apart."""
    top = tl.maximum(tl.max(magnitude_bits(a), axis=0), tl.max(magnitude_bits(b), axis=0))
    tl.atomic_max(worst, top)
    unit = exponent_of(top) - 15
    for odd in tl.static_range(2):
        q = rounded(b if odd else a, unit, 15)
        place = queries + 2 * j + odd
        tl.store(place, (q >> 8).to(tl.int8), mask=mask)
        tl.store(place + GP * size, ((q & 255) - 128).to(tl.int8), mask=mask)
    tl.store(units, power_of_two(unit) * tl.load(score_scale))


@triton.jit
def store_key(a, b, integers, scale, worst, j, mask):
    """Round a rotated key, or a value, to bytes."""
    top = tl.maximum(tl.max(magnitude_bits(a), axis=0), tl.max(magnitude_bits(b), axis=0))
    tl.atomic_max(worst, top)
    largest = top.to(tl.float32, bitcast=True)
    least = power_of_two(tl.full((), -100, tl.int32))
    bound = tl.full((), 127.0, tl.float32)
    inverse = tl.div_rn(bound, tl.maximum(largest, least))
    for odd in tl.static_range(2):
        q = round_even((b if odd else a) * inverse)
        q = tl.minimum(tl.maximum(q, -127.0), 127.0)
        tl.store(integers + 2 * j + odd, q.to(tl.int8), mask=mask)
    tl.store(scale, tl.div_rn(largest, bound))


@triton.jit
def split_heads(
    sums, offset, scale, units_in, cos_sin, slots_at, score_scale,
    queries, query_units, keys, key_scale, values, value_scale, worst,
    rows, n, streams, heads, kv_heads, slots, slots_of_stream, size, pairs,
    TILE: tl.constexpr, GP: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Put the queries of a row where `attend` reads them, keys and values into the cache.

    Args:
        sums, offset, scale, units_in: of the product, see `load_product`.
        cos_sin: [n, 2, 2, pairs] float32. slots_at: [n] int64. score_scale: [1] float32.
        queries: [M, G, 2, TILE, d] int8: by view, GP rows of high limbs, GP of low ones, zeros.
        query_units: [M, G, 2, GP] float32.
        keys, values: [S, G, slots, d] int8 and their scales, [S, G, slots] float32, of a layer.
        slots_of_stream: from a stream to the next one, G * slots.
        BLOCK: half of d, or more.
    """
    row = tl.program_id(0)
    head = tl.program_id(1)
    j = tl.arange(0, BLOCK)
    mask = 2 * j < size
    unit = tl.load(units_in + row)
    at = head * size + 2 * j
    a = load_product(sums, offset, scale, unit, row, rows, n, at, mask)
    b = load_product(sums, offset, scale, unit, row, rows, n, at + 1, mask)
    position = row // streams
    rotations = cos_sin + position * 4 * pairs
    if head < heads:
        group = heads // kv_heads
        tile = (row.to(tl.int64) * kv_heads + head // group) * 2
        for view in tl.static_range(2):
            c, d = rotate(a, b, rotations + view * 2 * pairs, pairs, j)
            store_query(
                c, d, queries + ((tile + view) * TILE + head % group) * size,
                query_units + (tile + view) * GP + head % group, worst, score_scale, size, j,
                mask, GP,
            )  # fmt: skip
    else:
        slot = tl.load(slots_at + position)
        stream = (row % streams).to(tl.int64) * slots_of_stream
        if head < heads + kv_heads:
            to = stream + (head - heads) * slots + slot
            c, d = rotate(a, b, rotations, pairs, j)
            store_key(c, d, keys + to * size, key_scale + to, worst, j, mask)
        else:
            to = stream + (head - heads - kv_heads) * slots + slot
            store_key(a, b, values + to * size, value_scale + to, worst, j, mask)
