"""The 49 interior coefficients of a block, which are neither in its first row nor its first column.

First how many of them are not 0; then, in zigzag order, until there are so many.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from predictors.binary.engine import Tables
from predictors.jpeg import boundary
from predictors.jpeg.block_state import (
    ABOVE,
    ABOVE_2,
    AT,
    COLUMN_COUNT,
    CORNER,
    INTERIOR_COUNT,
    LEFT,
    LEFT_2,
    OTHER,
    RIGHT,
    ROW_COUNT,
    BlockState,
    Learned,
    learn,
    predict,
    size_of,
    sizes_beside,
)
from predictors.jpeg.boundary import FIRST_FACTOR
from predictors.jpeg.decision import (
    COUNT,
    EXPECTED,
    EXPECTED_VALUES,
    KINDS,
    NEAR,
    OTHERS,
    POSITION,
    SHAPE,
    code_count,
    code_value,
)
from predictors.jpeg.layout import INTERIOR, MOST, Coefficients
from predictors.jpeg.quantizing import few, fine_level, level, rounded, signed
from predictors.mixing.hashing import combine

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

N_INTERIOR = len(INTERIOR)


def _ranks() -> Any:
    """[64] int64, of each place its rank among the interior ones."""
    ranks = np.full(64, 64, dtype=np.int64)
    ranks[INTERIOR] = np.arange(N_INTERIOR)
    return ranks


_RANKS = _ranks()


@njit(cache=True, counted=False)
def code_interior(
    coder_state: Ints,
    buffer: Bytes,
    t: Tables,
    learned: Learned,
    s: BlockState,
    c: Coefficients,
    quantized: Ints,
) -> Any:
    """Code the interior coefficients of a block; return how many are not 0."""
    at = s.near[AT]
    count = np.int64(0)
    for place in INTERIOR:
        count += c[at, place] != 0
    _count_contexts(t, s, c)
    count = few(code_count(coder_state, buffer, t, learned.expected, count, 6), N_INTERIOR)
    s.counts[at, INTERIOR_COUNT] = count
    todo = count
    total = np.int64(0)
    before = np.int64(0)
    before_2 = np.int64(0)
    k = np.int64(0)
    while todo and k < N_INTERIOR:
        place = INTERIOR[k]
        p = place | s.color[0] << 6
        _contexts(t, learned, s, c, quantized, k, todo, count, total, before, before_2)
        value = code_value(coder_state, buffer, t, learned.expected, np.int64(c[at, place]))
        value = min(max(value, -MOST), MOST)
        c[at, place] = value
        learn(learned.sizes, p, abs(value))
        learn(learned.values, p, value)
        before_2 = before
        before = abs(value)
        if value:
            todo -= 1
            total += abs(value)
            boundary.add(s.border, place, value * quantized[place])
        k += 1
    while k < N_INTERIOR:
        c[at, INTERIOR[k]] = 0
        k += 1
    return count


@inlined
def _energy(c: Coefficients, block: int) -> Any:
    """Sizes of the lowest frequencies."""
    return (
        size_of(c, block, 1) + size_of(c, block, 8) + size_of(c, block, 9) + size_of(c, block, 2)
        + size_of(c, block, 16) + size_of(c, block, 10) + size_of(c, block, 17)
    )  # fmt: skip


@njit(cache=True, counted=False)
def _count_contexts(t: Tables, s: BlockState, c: Coefficients) -> None:
    """Write the contexts of how many are not 0."""
    h, n, near, color = t.hashes, t.numbers, s.near, s.color[0]
    na = np.int64(s.counts[near[ABOVE], INTERIOR_COUNT])
    nl = np.int64(s.counts[near[LEFT], INTERIOR_COUNT])
    nc = np.int64(s.counts[near[CORNER], INTERIOR_COUNT])
    nr = np.int64(s.counts[near[RIGHT], INTERIOR_COUNT])
    na2 = np.int64(s.counts[near[ABOVE_2], INTERIOR_COUNT])
    nl2 = np.int64(s.counts[near[LEFT_2], INTERIOR_COUNT])
    no = np.int64(s.counts[near[OTHER], INTERIOR_COUNT])
    other_row = np.int64(s.counts[near[OTHER], ROW_COUNT])
    other_column = np.int64(s.counts[near[OTHER], COLUMN_COUNT])
    rows = np.int64(s.counts[near[ABOVE], ROW_COUNT]) + np.int64(s.counts[near[LEFT], ROW_COUNT])
    columns = np.int64(s.counts[near[ABOVE], COLUMN_COUNT])
    columns += np.int64(s.counts[near[LEFT], COLUMN_COUNT])
    energy = _energy(c, near[ABOVE]) + _energy(c, near[LEFT])
    mean = (na + nl + 1) >> 1
    wide = (2 * (na + nl) + nc + nr + na2 + nl2 + 4) >> 3
    step = size_of(c, near[ABOVE], 0) + size_of(c, near[LEFT], 0)
    step = level(abs(np.int64(c[near[ABOVE], 0]) - np.int64(c[near[LEFT], 0]))) if step else 31
    for k in range(KINDS):
        h[k] = 0
    h[0] = mean
    h[1] = na | nl << 6
    h[2] = (na + nl + nc + nr + 2) >> 2
    h[3] = no | mean >> 1 << 6
    h[4] = na | nr << 6
    h[5] = nl | nl2 << 6
    h[6] = na | na2 << 6
    h[7] = na >> 1 | nl >> 1 << 5 | nc >> 1 << 10 | nr >> 1 << 15
    h[8] = nl
    h[9] = na
    h[10] = mean | rows << 6
    h[11] = mean | columns << 6
    h[12] = no | other_row << 6 | other_column << 10
    h[13] = no | mean >> 2 << 6
    h[14] = level(_energy(c, near[ABOVE])) | level(_energy(c, near[LEFT])) << 6
    h[15] = level(energy) | mean >> 1 << 6
    h[16] = level(_energy(c, near[OTHER])) | mean >> 1 << 6
    h[17] = wide
    h[18] = wide | no >> 2 << 6
    h[19] = wide >> 1 | level(energy) << 6
    h[20] = na >> 2 | nl >> 2 << 5 | no >> 2 << 10
    h[21] = step | mean << 6
    h[22] = rows | columns << 6 | wide >> 2 << 12
    h[23] = no
    h[24] = (4 * (na + nl) - nc + nr) >> 2
    h[25] = wide | few(abs(na - nl), 15) << 6
    h[26] = nc | nr << 6
    for k in range(KINDS):
        h[k] = combine(h[k], k * 2 + color)
    t.map_contexts[0] = combine(wide, color)
    t.map_contexts[1] = combine(no, color + 2)
    t.map_contexts[2] = combine(na | nl << 6, color + 4)
    n[POSITION] = color
    n[COUNT] = mean
    n[NEAR] = no
    n[EXPECTED] = na
    n[OTHERS] = nl
    n[SHAPE] = level(energy)


@inlined
def _known(c: Coefficients, at: int, place: int, y: int, x: int) -> Any:
    """The size of another interior coefficient of the block, if it is coded before this one."""
    if 1 <= y < 8 and 1 <= x < 8 and _RANKS[8 * y + x] < _RANKS[place]:
        return size_of(c, at, 8 * y + x)
    return np.int64(0)


@njit(cache=True, counted=False)
def _contexts(
    t: Tables,
    learned: Learned,
    s: BlockState,
    c: Coefficients,
    quantized: Ints,
    k: int,
    todo: int,
    count: int,
    total: int,
    before: int,
    before_2: int,
) -> None:
    """Write the contexts of the kth interior coefficient.

    Args:
        todo, count: how many are not 0 from it on, and of all.
        total, before, before_2: sizes of all that are coded, of the last one, and the one before.
    """
    h, n, near, border = t.hashes, t.numbers, s.near, s.border
    place = INTERIOR[k]
    y, x = place >> 3, place & 7
    color = s.color[0]
    p = place | color << 6
    at, above, left, other = near[AT], near[ABOVE], near[LEFT], near[OTHER]
    pa, pl = np.int64(c[above, place]), np.int64(c[left, place])
    pc, pr = np.int64(c[near[CORNER], place]), np.int64(c[near[RIGHT], place])
    pa2, pl2 = np.int64(c[near[ABOVE_2], place]), np.int64(c[near[LEFT_2], place])
    po = np.int64(c[other, place])
    sa, sl, sc, sr, so = abs(pa), abs(pl), abs(pc), abs(pr), abs(po)
    beside_a, beside_l = sizes_beside(c, above, place), sizes_beside(c, left, place)
    beside_o = sizes_beside(c, other, place)
    average = level((13 * (sa + sl) + 6 * sc) >> 3)
    wide = 2 * (sa + sl) + sc + sr + abs(pa2) + abs(pl2)
    up, back = _known(c, at, place, y - 1, x), _known(c, at, place, y, x - 1)
    inner = (
        2 * (up + back)
        + _known(c, at, place, y - 1, x - 1)
        + _known(c, at, place, y - 2, x)
        + _known(c, at, place, y, x - 2)
        + _known(c, at, place, y - 1, x + 1)
        + _known(c, at, place, y + 1, x - 1)
    )
    unit = quantized[place] * FIRST_FACTOR
    ea = rounded(8 * boundary.expected(border, boundary.ABOVE, x), unit)
    el = rounded(8 * boundary.expected(border, boundary.LEFT, y), unit)
    rest = N_INTERIOR - k

    inputs = learned.sizes.sums.inputs
    inputs[0], inputs[1], inputs[2], inputs[3] = sa, sl, sc, sr
    inputs[4], inputs[5], inputs[6], inputs[7] = abs(pa2), abs(pl2), beside_a, beside_l
    inputs[8], inputs[9], inputs[10], inputs[11] = inner, total, so, beside_o
    inputs[12] = np.float64(todo) / np.float64(rest)
    inputs[13] = 1.0
    size = max(predict(learned.sizes, p), np.int64(0))
    inputs = learned.values.sums.inputs
    scale = 1.0 / np.float64(unit)
    boundary.write_inputs(border, boundary.ABOVE, x, scale, inputs, 0)
    boundary.write_inputs(border, boundary.LEFT, y, scale, inputs, 4)
    inputs[8], inputs[9], inputs[10], inputs[11], inputs[12] = pa, pl, pc, pr, po
    value = predict(learned.values, p)

    ls = fine_level(size)
    li = level(inner)
    h[0] = average | few(todo, 15) << 6
    h[1] = few(sa, 7) | few(sl, 7) << 3
    h[2] = signed(pa, 3) | signed(pl, 3) << 3 | signed(pc, 1) << 6
    h[3] = li | average << 6
    h[4] = ls
    h[5] = few(before, 7) | few(before_2, 7) << 3 | few(todo, 7) << 6
    h[6] = level(total) | few(count, 31) << 6
    h[7] = level(beside_a) | level(beside_l) << 6
    h[8] = level(beside_a + beside_l + 2 * (sa + sl) + inner) | few(todo, 15) << 6
    h[9] = level(wide) | li << 6
    h[10] = few(sc, 7) | few(sr, 7) << 3 | average << 6
    h[11] = signed(po, 7) | level(so + beside_o) << 4
    h[12] = signed(ea >> 2, 10) | signed(el >> 2, 10) << 5
    h[13] = signed(value, 40)
    h[14] = signed(value >> 1, 15) | few(ls, 31) << 5
    h[15] = (
        signed(c[at, place - 1] if x > 1 else 0, 2)
        | signed(c[at, place - 8] if y > 1 else 0, 2) << 3
        | signed(c[at, place - 9] if x > 1 and y > 1 else 0, 2) << 6
        | few(todo, 7) << 9
    )
    h[16] = level(2 * so + beside_o) | average << 6
    h[17] = np.int64(s.counts[above, INTERIOR_COUNT]) | few(todo, 31) << 6
    h[18] = np.int64(s.counts[left, INTERIOR_COUNT]) | few(todo, 31) << 6
    h[19] = level(beside_a + beside_l) | li << 6 | few(todo, 7) << 12
    h[20] = signed(pa2, 2) | signed(pl2, 2) << 3 | few(sa + sl, 7) << 6
    h[21] = level(wide + beside_a + beside_l + 2 * inner) | level(total) << 6
    h[22] = todo * 32 // rest | average << 6
    h[23] = ls | few(sa, 3) << 6 | few(sl, 3) << 8
    h[24] = ls | li << 6
    h[25] = ls | few(before, 3) << 6 | few(todo, 7) << 8
    for j in range(KINDS):
        h[j] = combine(h[j] << 7 | p, 64 + j)
    # Of all places.
    h[26] = combine(ls << 6 | few(todo, 31), 128 + color)
    h[27] = combine(todo * 64 // rest | level(wide + inner) << 7, 130 + color)
    t.map_contexts[0] = combine(ls | color << 6, 132)
    t.map_contexts[1] = combine(p | few(todo, 15) << 7, 133)
    t.map_contexts[2] = combine(li | level(wide) << 6 | color << 12, 134)
    n[POSITION] = place
    n[COUNT] = todo
    n[NEAR] = few(ls, 31) | color << 5
    n[EXPECTED] = signed(ea >> 2, 3) | signed(el >> 2, 3) << 3
    n[OTHERS] = few(li, 31) | color << 5
    n[SHAPE] = todo * 60 // rest

    e = learned.expected
    for j in range(EXPECTED_VALUES):
        e.is_signed[j] = j < 3
        e.values[j] = size
    e.values[0] = ea + el
    e.values[1] = value
    e.values[2] = value
    e.contexts[0] = p
    e.contexts[1] = p
    e.contexts[2] = 128 + few(ls, 31)
    e.contexts[3] = 256 + p
    e.contexts[4] = 384 + (average | color << 5)
    e.contexts[5] = 448 + (few(todo, 31) | color << 5)
    e.contexts[6] = 512 + (li | color << 5)
