"""The first row and the first column of a block, each of seven coefficients.

First how many of them are not 0; then, from the lowest frequency on, until there are so many. All
interior coefficients are known, so that each has an expected value by either border (`boundary`).
"""

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.binary.engine import Tables
from predictors.jpeg import boundary
from predictors.jpeg.block_state import (
    ABOVE,
    ABOVE_2,
    AT,
    CORNER,
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
from predictors.jpeg.layout import MOST, Coefficients
from predictors.jpeg.quantizing import few, level, rounded, signed
from predictors.mixing.hashing import combine

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@njit(cache=True, counted=False)
def code_edge(
    coder_state: Ints,
    buffer: Bytes,
    t: Tables,
    learned: Learned,
    s: BlockState,
    c: Coefficients,
    quantized: Ints,
    interior: int,
    side: int,
) -> None:
    """Code the first row (side `boundary.ABOVE`) or column (`boundary.LEFT`) of a block.

    Args:
        interior: how many interior coefficients are not 0.
    """
    at = s.near[AT]
    step = np.int64(1) if side == boundary.ABOVE else np.int64(8)
    count = np.int64(0)
    for j in range(1, 8):
        count += c[at, step * j] != 0
    _count_contexts(t, s, c, quantized, interior, side)
    count = code_count(coder_state, buffer, t, learned.expected, count, 3)
    s.counts[at, ROW_COUNT + side] = count
    todo = count
    before = np.int64(0)
    total = np.int64(0)
    s.errors[side] = 0
    for j in range(1, 8):
        place = step * j
        expected = rounded(8 * boundary.expected(s.border, side, j), FIRST_FACTOR)
        value = np.int64(0)
        if todo:
            _contexts(t, learned, s, c, quantized, interior, side, np.int64(j), todo, total, before)
            value = code_value(coder_state, buffer, t, learned.expected, np.int64(c[at, place]))
            value = min(max(value, -MOST), MOST)
            p = j | side << 3 | s.color[0] << 4
            learn(learned.edges, p, value)
            learn(learned.edges_few, p, value)
            before = abs(value)
            total += before
            todo -= value != 0
            boundary.add(s.border, place, value * quantized[place])
        c[at, place] = value
        s.errors[side] += abs(8 * value * quantized[place] - expected)


@njit(cache=True, counted=False)
def _count_contexts(
    t: Tables, s: BlockState, c: Coefficients, quantized: Ints, interior: int, side: int
) -> None:
    """Write the contexts of how many are not 0."""
    h, n, near, color = t.hashes, t.numbers, s.near, s.color[0]
    at = near[AT]
    step = np.int64(1) if side == boundary.ABOVE else np.int64(8)
    which = ROW_COUNT + side
    na, nl = np.int64(s.counts[near[ABOVE], which]), np.int64(s.counts[near[LEFT], which])
    no = np.int64(s.counts[near[OTHER], which])
    # The row, if this is the column.
    done = np.int64(s.counts[at, ROW_COUNT]) if side == boundary.LEFT else np.int64(0)
    likely = np.int64(0)
    sum_of_expected = np.int64(0)
    inner = np.int64(0)
    for j in range(1, 8):
        unit = quantized[step * j] * FIRST_FACTOR
        expected = abs(rounded(2 * boundary.expected(s.border, side, j), unit))
        likely |= np.int64(expected >= 1) << (j - 1)
        sum_of_expected += few(expected, 15)
        inner |= np.int64(c[at, step * j + 9 - step] != 0) << (j - 1)
    for j in range(KINDS):
        h[j] = 0
    h[0] = interior | na << 6 | nl << 9
    h[1] = interior
    h[2] = likely
    h[3] = sum_of_expected
    h[4] = inner
    h[5] = likely | interior >> 2 << 7
    h[6] = sum_of_expected | interior << 8
    h[7] = no | interior << 3
    h[8] = na | nl << 3 | no << 6 | done << 9
    h[9] = done | interior << 3
    h[10] = na | nl << 3 | interior >> 2 << 6
    h[11] = inner | na << 7
    h[12] = inner | nl << 7
    h[13] = sum_of_expected | na << 8 | nl << 11
    h[14] = done | sum_of_expected << 3
    h[15] = no | sum_of_expected << 3
    h[16] = likely | inner << 7
    h[17] = likely | na << 7
    h[18] = likely | nl << 7 | done << 10
    h[19] = likely | no << 7
    for j in range(KINDS):
        h[j] = combine(h[j] << 2 | side << 1 | color, 256 + j)
    t.map_contexts[0] = combine(interior, 300 + side * 2 + color)
    t.map_contexts[1] = combine(likely, 304 + side * 2 + color)
    t.map_contexts[2] = combine(na | nl << 3, 308 + side * 2 + color)
    n[POSITION] = 2 + side * 2 + color
    n[COUNT] = interior
    n[NEAR] = na | nl << 3
    n[EXPECTED] = few(sum_of_expected, 63)
    n[OTHERS] = no | done << 3
    n[SHAPE] = color


@njit(cache=True, counted=False)
def _contexts(
    t: Tables,
    learned: Learned,
    s: BlockState,
    c: Coefficients,
    quantized: Ints,
    interior: int,
    side: int,
    j: int,
    todo: int,
    total: int,
    before: int,
) -> None:
    """Write the contexts of the jth coefficient.

    Args:
        todo: how many are not 0 from it on.
        total, before: sizes of all that are coded, and of the last one.
    """
    h, n, near, border, color = t.hashes, t.numbers, s.near, s.border, s.color[0]
    step = np.int64(1) if side == boundary.ABOVE else np.int64(8)
    across = 9 - step
    place = step * j
    at = near[AT]
    unit = quantized[place] * FIRST_FACTOR
    sloped = boundary.expected(border, side, j)
    flat = boundary.expected_flat(border, side, j)
    e8, f8 = rounded(8 * sloped, unit), rounded(8 * flat, unit)
    e2 = rounded(2 * sloped, unit)
    m8 = (e8 + f8) >> 1
    pa, pl = np.int64(c[near[ABOVE], place]), np.int64(c[near[LEFT], place])
    pc, pr = np.int64(c[near[CORNER], place]), np.int64(c[near[RIGHT], place])
    po = np.int64(c[near[OTHER], place])
    average = level((13 * (abs(pa) + abs(pl)) + 6 * abs(pc)) >> 3)
    wide = 2 * (abs(pa) + abs(pl)) + abs(pc) + abs(pr)
    wide = level(wide + size_of(c, near[ABOVE_2], place) + size_of(c, near[LEFT_2], place))
    i1, i2 = np.int64(c[at, place + across]), np.int64(c[at, place + 2 * across])
    i3 = np.int64(c[at, place + across - step]) if j > 1 else np.int64(0)
    i4 = np.int64(c[at, place + across + step]) if j < 7 else np.int64(0)
    last = np.int64(c[at, place - step]) if j > 1 else np.int64(0)
    inner = level(2 * abs(i1) + abs(i2) + abs(i3) + abs(i4))
    p = j | side << 3 | color << 4

    beside = near[ABOVE] if side == boundary.ABOVE else near[LEFT]
    inputs = learned.edges.sums.inputs
    for k in range(8):
        inputs[k] = c[beside, place + k * across]
    for k in range(1, 8):
        inputs[7 + k] = c[at, place + k * across]
    inputs[15] = pl if side == boundary.ABOVE else pa
    inputs[16], inputs[17], inputs[18], inputs[19] = pc, pr, last, po
    best = predict(learned.edges, p)
    inputs = learned.edges_few.sums.inputs
    scale = 1.0 / np.float64(unit)
    boundary.write_inputs(border, side, j, scale, inputs, 0)
    inputs[4], inputs[5], inputs[6], inputs[7] = pa, pl, pc, pr
    inputs[8], inputs[9], inputs[10], inputs[11] = i1, i2, last, po
    second = predict(learned.edges_few, p)

    b2 = rounded(best, 4)
    error = few(level(s.errors[side] // quantized[place]), 31)
    h[0] = signed(e8, 60)
    h[1] = signed(f8, 60)
    h[2] = signed(m8, 120) | few(todo, 7) << 8
    h[3] = signed(best >> 1, 60) | average << 7
    h[4] = signed(e2, 30) | average << 6
    h[5] = signed(b2, 30) | few(todo, 7) << 6 | few(interior, 15) << 9
    h[6] = signed(rounded(b2, 2), 31) | signed(pa, 3) << 6 | signed(pl, 3) << 9
    h[7] = signed(pa, 7) | signed(pl, 7) << 4
    h[8] = average | few(todo, 7) << 6
    h[9] = signed(m8 >> 1, 60) | error << 7
    h[10] = signed(b2, 30) | signed(i1, 3) << 6 | signed(i2, 2) << 9
    h[11] = inner | average << 6
    h[12] = few(before, 7) | few(todo, 7) << 3 | average << 6
    h[13] = signed(po, 15) | signed(b2, 7) << 5
    h[14] = level(abs(po)) | average << 6
    h[15] = signed(b2, 30) | few(before, 7) << 6
    h[16] = level(total) | few(todo, 7) << 6 | few(interior, 15) << 9
    h[17] = wide | inner << 6
    h[18] = signed(m8, 120) | signed(pa, 1) << 8 | signed(pl, 1) << 10
    h[19] = signed(i1, 3) | signed(i2, 2) << 3 | signed(i3, 2) << 6 | signed(i4, 2) << 9
    h[20] = signed(b2, 30) | wide << 6
    h[21] = signed(e8 - f8, 20) | signed(e2, 20) << 6
    h[22] = signed(b2, 30) | few(interior, 31) << 6
    h[23] = signed(best, 120)
    h[24] = signed(second, 120)
    h[25] = signed(rounded(best, 2), 60) | error << 7
    h[26] = signed(b2, 20) | signed(rounded(second, 4), 20) << 6 | signed(e2, 4) << 12
    h[27] = level(abs(best)) | level(total) << 6 | few(todo, 7) << 12
    for k in range(KINDS):
        h[k] = combine(h[k] << 5 | p, 320 + k)
    t.map_contexts[0] = combine(signed(best, 60), 400 + p)
    t.map_contexts[1] = combine(signed(e2, 20) | average << 6, 432 + p)
    t.map_contexts[2] = combine(few(todo, 7) | wide << 3, 464 + p)
    n[POSITION] = p
    n[COUNT] = todo | j << 3
    n[NEAR] = few(average, 31) | color << 5
    n[EXPECTED] = signed(b2, 31)
    n[OTHERS] = few(inner, 31) | color << 5
    n[SHAPE] = error | side << 5

    e = learned.expected
    for k in range(EXPECTED_VALUES):
        e.is_signed[k] = 1
        e.values[k] = best
    e.values[0] = e8
    e.values[1] = f8
    e.values[2] = second
    e.contexts[0] = 1024 + error
    e.contexts[1] = 1056 + p
    e.contexts[2] = 1088 + p
    e.contexts[3] = 1120 + p
    e.contexts[4] = 1152 + (error | color << 5)
    e.contexts[5] = 1216 + (average | color << 5)
    e.contexts[6] = 1280 + (few(todo, 7) | color << 3)
