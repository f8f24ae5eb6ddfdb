"""Attention of one row and KV head a program: docs/numerics.md, section 6.

Keys and values are read as bytes, once each; scores wait in memory that no other program reads.
"""

from predictors.language_models.exact_torch.fused.rounding import (
    exponent_of,
    magnitude_bits,
    power_of_two,
)
from predictors.language_models.exact_torch.fused.triton_module import tl, triton


@triton.jit
def combine(products, TILE: tl.constexpr, GP: tl.constexpr, N: tl.constexpr):
    """From [TILE, N] int32 sums of limbs to (high, low), [GP, N] each; other rows are 0."""
    parts = tl.sum(tl.reshape(products, (TILE // (2 * GP), 2, GP, N)), axis=0)
    return tl.split(tl.permute(parts, (1, 2, 0)))


@triton.jit
def exp2_negative(distance):
    """See `exact.exp2`."""
    f = distance & 4095
    p = -13985 + ((1808 * f) >> 12)
    p = 62792 + ((p * f) >> 12)
    p = -181686 + ((p * f) >> 12)
    p = 262144 + ((p * f) >> 12)
    return (p << 12) >> tl.minimum(distance >> 12, 31)


@triton.jit
def attend(
    queries, query_units, keys, key_scale, values, value_scale, unseen, scores, out,
    streams, kv_heads, heads, slots, slots_of_stream, size, used, sink_slots,
    TILE: tl.constexpr, GP: tl.constexpr, D: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    """Attention over the first slots.

    Args:
        queries, query_units, keys, values and scales: see `split_heads`.
        unseen: [n, used] uint8. scores: [M, G, GP, used] int32, working memory.
        out: [M, heads d] float32, written.
        slots: of the cache, used: those that are looked at.
        D: d or more. N: slots of a block.
    """
    row = tl.program_id(0)
    kv_head = tl.program_id(1)
    group = heads // kv_heads
    tile = row.to(tl.int64) * kv_heads + kv_head
    in_tile = tl.arange(0, TILE)
    g = tl.arange(0, GP)
    d = tl.arange(0, D)
    i = tl.arange(0, N)
    is_element = d < size
    of_stream = (row % streams).to(tl.int64) * slots_of_stream + kv_head * slots
    hidden = unseen + (row // streams) * used
    mine = scores + tile * GP * used
    place = queries + tile * 2 * TILE * size + in_tile[:, None] * size + d[None, :]
    here = tl.load(place, mask=is_element[None, :], other=0)
    there = tl.load(place + TILE * size, mask=is_element[None, :], other=0)
    unit_here = tl.load(query_units + tile * 2 * GP + g)
    unit_there = tl.load(query_units + (tile * 2 + 1) * GP + g)

    top = tl.full((GP,), -(1 << 30), tl.int32)
    for begin in range(0, used, N):
        slot = begin + i
        is_used = slot < used
        at = of_stream + slot
        block = tl.load(
            keys + at[:, None] * size + d[None, :],
            mask=is_used[:, None] & is_element[None, :], other=0,
        )  # fmt: skip
        across = tl.trans(block)
        sigma = tl.load(key_scale + at, mask=is_used, other=0.0)
        high, low = combine(tl.dot(here, across, out_dtype=tl.int32), TILE, GP, N)
        worth = sigma[None, :] * unit_here[:, None]
        if begin < sink_slots:
            products = tl.dot(there, across, out_dtype=tl.int32)
            high_there, low_there = combine(products, TILE, GP, N)
            is_sink = slot[None, :] < sink_slots
            high = tl.where(is_sink, high_there, high)
            low = tl.where(is_sink, low_there, low)
            worth = tl.where(is_sink, sigma[None, :] * unit_there[:, None], worth)
        # The low limbs have 128 less than they should.
        added = tl.sum(block.to(tl.int32), axis=1) * 128
        x = ((high << 8) + low + added[None, :]).to(tl.float32) * worth
        x = tl.minimum(tl.maximum(x, -2097152.0), 2097152.0)
        z = (x + 4194304.5).to(tl.int32)
        is_hidden = tl.load(hidden + slot, mask=is_used, other=1) != 0
        z = tl.where(is_hidden[None, :], -(1 << 30), z)
        tl.store(mine + g[:, None] * used + slot[None, :], z, mask=is_used[None, :])
        top = tl.maximum(top, tl.max(z, axis=1))

    # What other threads of this program have written is read from here on.
    tl.debug_barrier()
    total = tl.zeros((GP,), tl.int64)
    heaviest = tl.zeros((GP,), tl.int32)
    for begin in range(0, used, N):
        slot = begin + i
        is_used = slot < used
        z = tl.load(
            mine + g[:, None] * used + slot[None, :], mask=is_used[None, :], other=-(1 << 30)
        )
        p = exp2_negative(top[:, None] - z)
        total += tl.sum(p.to(tl.int64), axis=1)
        tau = tl.load(value_scale + of_stream + slot, mask=is_used, other=0.0)
        w = p.to(tl.float32) * tau[None, :]
        heaviest = tl.maximum(heaviest, tl.max(magnitude_bits(w), axis=1))

    unit = exponent_of(heaviest) - 15
    factor = power_of_two(-unit)
    sums = tl.zeros((TILE, D), tl.int32)
    added = tl.zeros((D,), tl.int32)
    first = (tl.arange(0, TILE // (2 * GP)) == 0)[:, None, None, None]
    for begin in range(0, used, N):
        slot = begin + i
        is_used = slot < used
        at = of_stream + slot
        z = tl.load(
            mine + g[:, None] * used + slot[None, :], mask=is_used[None, :], other=-(1 << 30)
        )
        tau = tl.load(value_scale + at, mask=is_used, other=0.0)
        w = exp2_negative(top[:, None] - z).to(tl.float32) * tau[None, :]
        omega = tl.minimum((w * factor[:, None] + 0.5).to(tl.int32), 32767)
        both = tl.permute(tl.join(omega >> 8, (omega & 255) - 128), (2, 0, 1))
        rows = tl.broadcast_to(both[None, :, :, :], (TILE // (2 * GP), 2, GP, N))
        limbs = tl.reshape(tl.where(first, rows, 0), (TILE, N)).to(tl.int8)
        block = tl.load(
            values + at[:, None] * size + d[None, :],
            mask=is_used[:, None] & is_element[None, :], other=0,
        )  # fmt: skip
        sums = tl.dot(limbs, block, acc=sums, out_dtype=tl.int32)
        added += tl.sum(block.to(tl.int32), axis=0)
    high, low = combine(sums, TILE, GP, D)
    b = high.to(tl.int64) * 256 + low.to(tl.int64) + added.to(tl.int64)[None, :] * 128
    worth = power_of_two(unit).to(tl.float64) / total.to(tl.float64)
    y = (b.to(tl.float64) * worth[:, None]).to(tl.float32)
    to = out + row.to(tl.int64) * heads * size + (kv_head * group + g[:, None]) * size + d[None, :]
    tl.store(to, y, mask=(g[:, None] < group) & is_element[None, :])
