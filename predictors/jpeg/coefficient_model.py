"""The coefficients of JPEG pictures: context mixing, block by block.

Of a block first how many of the 49 interior coefficients (of neither its first row nor its first
column) are not 0, then these in zigzag order; then the first row and the first column likewise, which
its neighbors' pixels let expect; then DC (the order of Lepton: Horn and others 2017).
"""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import inlined, njit
from predictors.binary import engine, least_squares
from predictors.binary.engine import Tables
from predictors.jpeg import boundary, decision, expectations
from predictors.jpeg.boundary import ABOVE, FIRST_FACTOR, LEFT, Border
from predictors.jpeg.decision import (
    COUNT,
    EXPECTED,
    EXPECTED_VALUES,
    KINDS,
    NEAR,
    OTHER,
    POSITION,
    SELECTORS,
    SHAPE,
    code_count,
    code_value,
    level,
)
from predictors.jpeg.layout import (
    ACROSS,
    DOWN,
    FIRST,
    HEIGHT,
    INTERIOR,
    QUANTIZED_BY,
    WIDTH,
    Coefficients,
    Components,
    count_blocks,
)
from predictors.mixing import weight_sets
from predictors.mixing.hashing import combine

_SLOT_BITS = 18
_RATES_1, _RATES_2 = (150, 2500, 200), (60, 800, 200)
_FIRST_WEIGHT = 5000
_SETS = 1 << 11
_EDGE_INPUTS, _DC_INPUTS, _SIZE_INPUTS = 12, 12, 14
_FORGET_EDGES, _FORGET_DC, _FORGET_SIZES = 0.998, 0.998, 0.998
_SOLVE_EVERY = 8

_MOST = 2047
"""No coefficient is larger."""

Ints = npt.NDArray[np.int64]

Past = namedtuple(
    "Past", "counts below right border errors residuals near expected edges dcs sizes solved"
)
Past.__doc__ = """What is kept of a picture's blocks.

counts: [blocks + 1, 3] uint8, coefficients that are not 0: interior, of the first row, of the first
column. below: [columns of blocks of all components, 2, 8] int64, the last rows of pixels of the
blocks above. right: [4, 2, 8] int64, of those on the left. border: of the present block.
errors: [2] int64. residuals: [blocks + 1] int16, of DC.
"""


class JpegModel:
    """Codes pictures; each learns from those before."""

    def __init__(self) -> None:
        t = engine.new_tables(
            KINDS,
            _SLOT_BITS,
            1,
            1,
            _RATES_1,
            _RATES_2,
            _FIRST_WEIGHT,
            False,
            [_FIRST_WEIGHT, 0] * EXPECTED_VALUES,
        )
        first = t.layer_1.weights[0, 0]
        average = np.full(SELECTORS, weight_sets.WEIGHT_ONE // SELECTORS)
        self._tables = t._replace(
            layer_1=weight_sets.new_layer(SELECTORS, _SETS, first, *_RATES_1),
            layer_2=weight_sets.new_layer(engine.SELECTORS_2, _SETS, average, *_RATES_2),
        )
        self._expected = expectations.new_expectations(EXPECTED_VALUES)
        self._edges = least_squares.new_sums(32, _EDGE_INPUTS, _FORGET_EDGES)
        self._dcs = least_squares.new_sums(2, _DC_INPUTS, _FORGET_DC)
        self._sizes = least_squares.new_sums(128, _SIZE_INPUTS, _FORGET_SIZES)
        self._solved = np.zeros((3, 128), dtype=np.int64)

    def code(
        self,
        coder: Coder,
        coefficients: Coefficients,
        components: Components,
        quantization: Ints,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Code a picture.

        Args:
            coefficients: read when encoding, written when decoding.
            components: see `layout`.
            quantization: [4, 64] int64, in rows of a block.
            on_progress: called with how many blocks are done.
        """
        blocks = count_blocks(components)
        past = Past(
            counts=np.zeros((blocks + 1, 3), dtype=np.uint8),
            below=np.zeros((int(components[:, WIDTH].sum()), 2, 8), dtype=np.int64),
            right=np.zeros((2, 8), dtype=np.int64),
            border=boundary.new_border(),
            errors=np.zeros(2, dtype=np.int64),
            residuals=np.zeros(blocks + 1, dtype=np.int16),
            near=np.zeros(8, dtype=np.int64),
            expected=self._expected,
            edges=self._edges,
            dcs=self._dcs,
            sizes=self._sizes,
            solved=self._solved,
        )
        units = np.minimum(np.maximum(quantization, 1), 1 << 12)
        rows = int(components[0, HEIGHT] // components[0, DOWN])
        done = 0
        for mcu_row in range(rows):
            column = 0
            for i in range(len(components)):
                down, width = int(components[i, DOWN]), int(components[i, WIDTH])
                for row in range(mcu_row * down, (mcu_row + 1) * down):
                    state, buffer = coder.kernel_state(width * decision.BLOCK_DECISIONS)
                    _code_row(
                        state, buffer, self._tables, past, coefficients, components,
                        units, i, row, column,
                    )  # fmt: skip
                    done += width
                    on_progress(done)
                column += width


@inlined
def predict_signed(s: least_squares.Sums, channel: int, unit: float) -> Any:
    """What is expected after the inputs, in 1 / unit, rounded; int64."""
    total = np.float64(0.0)
    for j in range(len(s.inputs)):
        total += s.weights[channel, j] * s.inputs[j]
    total = total * unit + 0.5
    total = min(max(total, -16384.0), 16384.0)
    return np.int64(np.floor(total))


@njit(cache=True, counted=False)
def _code_row(
    coder_state: Ints, buffer: npt.NDArray[np.uint8], t: Tables, past: Past,
    coefficients: Coefficients, components: Components, units: Ints, i: int, row: int, column: int,
) -> None:  # fmt: skip
    """Code a row of blocks of component i; its first one has that column in `past.below`."""
    width = components[i, WIDTH]
    none = np.int64(len(coefficients) - 1)
    first = components[i, FIRST] + row * width
    quantized = units[components[i, QUANTIZED_BY]]
    near = past.near
    for x in range(width):
        at = first + x
        near[0] = at
        near[1] = at - width if row else none
        near[2] = at - 1 if x else none
        near[3] = at - width - 1 if row and x else none
        near[4] = at - width + 1 if row and x + 1 < width else none
        near[5] = at - 2 * width if row > 1 else none
        near[6] = at - 2 if x > 1 else none
        near[7] = _other(components, i, row, x) if i else none
        _code_block(
            coder_state, buffer, t, past, coefficients, quantized, near, np.int64(min(i, 1)), column + x,
            row > 0, x > 0,
        )  # fmt: skip


@inlined
def _other(c: Components, i: int, row: int, x: int) -> Any:
    """The block of the component before at the same place."""
    y = np.int64(row) * c[i - 1, DOWN] // c[i, DOWN]
    x = np.int64(x) * c[i - 1, ACROSS] // c[i, ACROSS]
    return c[i - 1, FIRST] + y * c[i - 1, WIDTH] + x


@inlined
def _signed(x: int, most: int) -> Any:
    """From 0 to 2 * most."""
    return min(max(np.int64(x), -np.int64(most)), np.int64(most)) + most


@inlined
def _few(x: int, most: int) -> Any:
    return min(np.int64(x), np.int64(most))


@inlined
def _round(a: int, b: int) -> Any:
    """a / b rounded, b > 0."""
    return (2 * a + b) // (2 * b)


@njit(cache=True, counted=False)
def _code_block(
    coder_state: Ints, buffer: npt.NDArray[np.uint8], t: Tables, past: Past,
    coefficients: Coefficients, quantized: Ints, near: Ints, color: int, column: int,
    has_above: bool, has_left: bool,
) -> None:  # fmt: skip
    """Code a block. near: numbers of blocks: this, above, left, above left, above right, two above,
    two to the left, that of another component."""
    at = near[0]
    border = past.border
    for k in range(8):
        for j in range(2):
            border.first[j, k] = 0
            border.second[j, k] = 0
        border.last[ABOVE, k] = past.below[column, 0, k] if has_above else 0
        border.before_last[ABOVE, k] = past.below[column, 1, k] if has_above else 0
        border.last[LEFT, k] = past.right[0, k] if has_left else 0
        border.before_last[LEFT, k] = past.right[1, k] if has_left else 0
    n = _code_interior(coder_state, buffer, t, past, coefficients, quantized, near, color)
    past.errors[ABOVE] = 0
    past.errors[LEFT] = 0
    _code_edge(coder_state, buffer, t, past, coefficients, quantized, near, color, n, ABOVE)
    _code_edge(coder_state, buffer, t, past, coefficients, quantized, near, color, n, LEFT)
    _code_dc(
        coder_state, buffer, t, past, coefficients, quantized, near, color, n, has_above, has_left
    )
    boundary.last_rows(coefficients[at], quantized, past.below[column], past.right)


@njit(cache=True, counted=False)
def _code_interior(
    coder_state: Ints, buffer: npt.NDArray[np.uint8], t: Tables, past: Past,
    c: Coefficients, quantized: Ints, near: Ints, color: int,
) -> Any:  # fmt: skip
    """Code the interior coefficients of a block; return how many are not 0."""
    at, above, left, corner, right, above2, left2, other = (
        near[0], near[1], near[2], near[3], near[4], near[5], near[6], near[7],
    )  # fmt: skip
    h, n = t.hashes, t.numbers
    block = c[at]
    count = np.int64(0)
    for place in INTERIOR:
        count += block[place] != 0
    na, nl = np.int64(past.counts[above, 0]), np.int64(past.counts[left, 0])
    nc, nr = np.int64(past.counts[corner, 0]), np.int64(past.counts[right, 0])
    no = np.int64(past.counts[other, 0])
    mean = (na + nl + 1) >> 1
    for k in range(KINDS):
        h[k] = 0
    h[0] = mean
    h[1] = na | nl << 6
    h[2] = (na + nl + nc + nr + 2) >> 2
    h[3] = no | mean >> 1 << 6
    h[4] = na | nr << 6
    h[5] = nl | np.int64(past.counts[left2, 0]) << 6
    h[6] = na | np.int64(past.counts[above2, 0]) << 6
    h[7] = (na >> 1) | (nl >> 1) << 5 | (nc >> 1) << 10 | (nr >> 1) << 15
    h[8] = nl
    h[9] = na
    h[10] = mean | np.int64(past.counts[above, 1] + past.counts[left, 1]) << 6
    h[11] = mean | np.int64(past.counts[above, 2] + past.counts[left, 2]) << 6
    h[12] = no | np.int64(past.counts[other, 1]) << 6 | np.int64(past.counts[other, 2]) << 10
    h[13] = no | (mean >> 2) << 6
    h[14] = level(_energy(c[above])) | level(_energy(c[left])) << 6
    h[15] = level(_energy(c[above]) + _energy(c[left])) | (mean >> 1) << 6
    h[16] = level(_energy(c[other])) | (mean >> 1) << 6
    for k in range(KINDS):
        h[k] = combine(h[k], k * 2 + color)
    t.map_contexts[0] = combine(mean, color)
    t.map_contexts[1] = combine(no, color + 2)
    t.map_contexts[2] = combine(na | nl << 6, color + 4)
    n[POSITION] = color
    n[COUNT] = mean
    n[NEAR] = no
    n[EXPECTED] = na
    n[OTHER] = nl
    n[SHAPE] = level(_energy(c[above]) + _energy(c[left]))
    count = _few(code_count(coder_state, buffer, t, past.expected, count, 6), 49)
    past.counts[at, 0] = count
    todo = count
    total = np.int64(0)
    before = np.int64(0)
    before2 = np.int64(0)
    k = np.int64(0)
    while todo and k < 49:
        place = INTERIOR[k]
        y, x_ = place >> 3, place & 7
        pa, pl = np.int64(c[above, place]), np.int64(c[left, place])
        pc, pr = np.int64(c[corner, place]), np.int64(c[right, place])
        po = np.int64(c[other, place])
        a, l, cc, r = abs(pa), abs(pl), abs(pc), abs(pr)
        average = (13 * (a + l) + 6 * cc) >> 3
        wide = (
            2 * (a + l) + cc + r + abs(np.int64(c[above2, place])) + abs(np.int64(c[left2, place]))
        )
        around_a = _around(c[above], place)
        around_l = _around(c[left], place)
        inner = (
            2 * (_interior(block, place, y - 1, x_) + _interior(block, place, y, x_ - 1))
            + _interior(block, place, y - 1, x_ - 1)
            + _interior(block, place, y - 2, x_)
            + _interior(block, place, y, x_ - 2)
            + _interior(block, place, y - 1, x_ + 1)
            + _interior(block, place, y + 1, x_ - 1)
        )
        unit = quantized[place] * FIRST_FACTOR
        ea = _round(2 * boundary.expected(past.border, ABOVE, x_), unit)
        el = _round(2 * boundary.expected(past.border, LEFT, y), unit)
        rest = 49 - k
        p = place | color << 6
        la, li = level(average), level(inner)
        h[0] = la | _few(todo, 15) << 6
        h[1] = _few(a, 7) | _few(l, 7) << 3
        h[2] = _signed(pa, 3) | _signed(pl, 3) << 3 | _signed(pc, 1) << 6
        h[3] = li | la << 6
        h[4] = todo
        h[5] = _few(before, 7) | _few(before2, 7) << 3 | _few(todo, 7) << 6
        h[6] = level(total) | _few(count, 31) << 6
        h[7] = level(around_a) | level(around_l) << 6
        h[8] = level(around_a + around_l + 2 * (a + l) + inner) | _few(todo, 15) << 6
        h[9] = level(wide) | li << 6
        h[10] = _few(cc, 7) | _few(r, 7) << 3 | la << 6
        h[11] = _signed(po, 7) | level(abs(po) + _around(c[other], place)) << 4
        h[12] = _signed(ea, 10) | _signed(el, 10) << 5
        h[13] = _signed(ea, 20)
        h[14] = _signed(el, 20)
        h[15] = (
            _signed(c[at, place - 1] if x_ > 1 else 0, 2)
            | _signed(c[at, place - 8] if y > 1 else 0, 2) << 3
            | _signed(c[at, place - 9] if x_ > 1 and y > 1 else 0, 2) << 6
            | _few(todo, 7) << 9
        )
        h[16] = level(abs(po) * 2 + _around(c[other], place)) | la << 6
        h[17] = na | _few(todo, 31) << 6
        h[18] = nl | _few(todo, 31) << 6
        h[19] = level(around_a + around_l) | li << 6 | _few(todo, 7) << 12
        h[20] = (
            _signed(c[above2, place], 2) | _signed(c[left2, place], 2) << 3 | _few(a + l, 7) << 6
        )
        h[21] = level(wide + around_a + around_l + 2 * inner) | level(total) << 6
        h[22] = (todo * 32 // rest) | la << 6
        h[23] = 0
        for j in range(KINDS):
            h[j] = combine(h[j] << 7 | p, 64 + j)
        h[23] = combine((todo * 64 // rest) | level(wide + inner) << 7, 64 + 23 + color)
        t.map_contexts[0] = combine(p, 100)
        t.map_contexts[1] = combine(la | _few(todo, 15) << 6 | color << 12, 101)
        t.map_contexts[2] = combine(li | level(wide) << 6 | color << 12, 102)
        n[POSITION] = place
        n[COUNT] = todo
        n[NEAR] = _few(la, 31) | color << 5
        n[EXPECTED] = _signed(ea, 3) | _signed(el, 3) << 3
        n[OTHER] = _few(li, 31) | color << 5
        n[SHAPE] = todo * 60 // rest
        x = past.sizes.inputs
        x[0] = a
        x[1] = l
        x[2] = cc
        x[3] = r
        x[4] = abs(np.int64(c[above2, place]))
        x[5] = abs(np.int64(c[left2, place]))
        x[6] = around_a
        x[7] = around_l
        x[8] = inner
        x[9] = total
        x[10] = abs(po)
        x[11] = _around(c[other], place)
        x[12] = todo / rest
        x[13] = 1.0
        size = least_squares.predict(past.sizes, p, 8.0, 8 * _MOST)
        ls = expectations.fine_level(size)
        h[23] = combine(ls << 5 | _few(todo, 31), 64 + 23 + 128 * color)
        h[4] = combine(ls << 7 | p, 64 + 4)
        t.map_contexts[0] = combine(ls | color << 6, 100)
        n[NEAR] = min(ls, np.int64(31)) | color << 5
        ex = past.expected
        ex.values[0] = _round(8 * boundary.expected(past.border, ABOVE, x_), unit)
        ex.values[1] = _round(8 * boundary.expected(past.border, LEFT, y), unit)
        ex.values[2] = ex.values[0] + ex.values[1]
        ex.contexts[0] = place
        ex.contexts[1] = place
        ex.contexts[2] = place
        for j in range(3, 7):
            ex.values[j] = size
        for j in range(7):
            ex.is_signed[j] = j < 3
        ex.contexts[3] = 64 + place
        ex.contexts[4] = 128 + la
        ex.contexts[5] = 256 + _few(todo, 31)
        ex.contexts[6] = 512 + li
        value = code_value(coder_state, buffer, t, past.expected, np.int64(block[place]))
        value = min(max(value, -_MOST), _MOST)
        block[place] = value
        least_squares.learn(past.sizes, p, np.float64(abs(value)))
        past.solved[0, p] += 1
        if past.solved[0, p] % _SOLVE_EVERY == 0:
            least_squares.solve(past.sizes, p)
        before2 = before
        before = abs(value)
        if value:
            todo -= 1
            total += abs(value)
            boundary.add(past.border, place, value * quantized[place])
        k += 1
    while k < 49:
        block[INTERIOR[k]] = 0
        k += 1
    return count


@inlined
def _energy(block: Any) -> Any:
    """Sum of the sizes of some coefficients."""
    return (
        abs(np.int64(block[1])) + abs(np.int64(block[8])) + abs(np.int64(block[9]))
        + abs(np.int64(block[2])) + abs(np.int64(block[16])) + abs(np.int64(block[10]))
        + abs(np.int64(block[17]))
    )  # fmt: skip


@inlined
def _interior(block: Any, place: int, y: int, x: int) -> Any:
    """The size of an interior coefficient of the present block, as far as it is coded."""
    if 1 <= y < 8 and 1 <= x < 8:
        return abs(np.int64(block[8 * y + x])) if _RANK[8 * y + x] < _RANK[place] else np.int64(0)
    return np.int64(0)


@inlined
def _around(block: Any, place: int) -> Any:
    """Sizes of the coefficients beside one, of a whole block."""
    y, x = place >> 3, place & 7
    total = abs(np.int64(block[place - 8])) + abs(np.int64(block[place - 1]))
    if y < 7:
        total += abs(np.int64(block[place + 8]))
    if x < 7:
        total += abs(np.int64(block[place + 1]))
    return total


def _rank() -> Any:
    ranks = np.full(64, 64, dtype=np.int64)
    for i, place in enumerate(INTERIOR):
        ranks[place] = i
    return ranks


_RANK = _rank()


@njit(cache=True, counted=False)
def _code_edge(
    coder_state: Ints, buffer: npt.NDArray[np.uint8], t: Tables, past: Past,
    c: Coefficients, quantized: Ints, near: Ints, color: int, interior: int, side: int,
) -> None:  # fmt: skip
    """Code the first row (side ABOVE) or the first column (LEFT) of a block."""
    at, above, left, corner, right, other = near[0], near[1], near[2], near[3], near[4], near[7]
    h, n = t.hashes, t.numbers
    step = np.int64(1) if side == ABOVE else np.int64(8)
    across = 9 - step
    block = c[at]
    count = np.int64(0)
    for j in range(1, 8):
        count += block[step * j] != 0
    which = 1 + side
    na, nl = np.int64(past.counts[above, which]), np.int64(past.counts[left, which])
    no = np.int64(past.counts[other, which])
    # The other edge, if it is coded.
    done = np.int64(past.counts[at, 1]) if side == LEFT else np.int64(0)
    mask = np.int64(0)
    sure = np.int64(0)
    inner = np.int64(0)
    for j in range(1, 8):
        unit = quantized[step * j] * FIRST_FACTOR
        e = abs(_round(2 * boundary.expected(past.border, side, j), unit))
        mask |= np.int64(e >= 1) << (j - 1)
        sure += _few(e, 15)
        inner |= np.int64(block[step * j + across] != 0) << (j - 1)
    for j in range(KINDS):
        h[j] = 0
    h[0] = interior | na << 6 | nl << 9
    h[1] = interior
    h[2] = mask
    h[3] = sure
    h[4] = inner
    h[5] = mask | interior >> 2 << 7
    h[6] = sure | interior << 8
    h[7] = no | interior << 3
    h[8] = na | nl << 3 | no << 6 | done << 9
    h[9] = done | interior << 3
    h[10] = na | nl << 3 | interior >> 2 << 6
    h[11] = inner | na << 7
    h[12] = inner | nl << 7
    h[13] = sure | na << 8 | nl << 11
    h[14] = done | sure << 3
    h[15] = no | sure << 3
    for j in range(KINDS):
        h[j] = combine(h[j] << 2 | side << 1 | color, 128 + j)
    t.map_contexts[0] = combine(interior, 200 + side * 2 + color)
    t.map_contexts[1] = combine(mask, 204 + side * 2 + color)
    t.map_contexts[2] = combine(na | nl << 3, 208 + side * 2 + color)
    n[POSITION] = 2 + side * 2 + color
    n[COUNT] = interior
    n[NEAR] = na | nl << 3
    n[EXPECTED] = _few(sure, 63)
    n[OTHER] = no | done << 3
    n[SHAPE] = color
    count = code_count(coder_state, buffer, t, past.expected, count, 3)
    past.counts[at, which] = count
    todo = count
    before = np.int64(0)
    total = np.int64(0)
    j = np.int64(1)
    while todo and j < 8:
        place = step * j
        unit = quantized[place] * FIRST_FACTOR
        sloped = boundary.expected(past.border, side, j)
        flat = boundary.expected_flat(past.border, side, j)
        e8 = _round(8 * sloped, unit)
        f8 = _round(8 * flat, unit)
        e2 = _round(2 * sloped, unit)
        f2 = _round(2 * flat, unit)
        e1 = _round(sloped, unit)
        m8 = (e8 + f8) >> 1
        pa, pl, pc = np.int64(c[above, place]), np.int64(c[left, place]), np.int64(c[corner, place])
        po = np.int64(c[other, place])
        average = (13 * (abs(pa) + abs(pl)) + 6 * abs(pc)) >> 3
        wide = 2 * (abs(pa) + abs(pl)) + abs(pc) + abs(np.int64(c[right, place]))
        wide += abs(np.int64(c[near[5], place])) + abs(np.int64(c[near[6], place]))
        i1, i2 = np.int64(block[place + across]), np.int64(block[place + 2 * across])
        i3 = np.int64(block[place + across - step]) if j > 1 else np.int64(0)
        i4 = np.int64(block[place + across + step]) if j < 7 else np.int64(0)
        inner = 2 * abs(i1) + abs(i2) + abs(i3) + abs(i4)
        error = past.errors[side]
        p = j | side << 3 | color << 4
        la = level(average)
        h[0] = _signed(e8, 60)
        h[1] = _signed(f8, 60)
        h[2] = _signed(m8, 120) | _few(todo, 7) << 8
        h[3] = _signed(e2, 20) | _signed(f2, 20) << 6
        h[4] = _signed(e2, 30) | la << 6
        h[5] = _signed(e2, 30) | _few(todo, 7) << 6 | _few(interior, 15) << 9
        h[6] = _signed(e1, 31) | _signed(pa, 3) << 6 | _signed(pl, 3) << 9
        h[7] = _signed(pa, 7) | _signed(pl, 7) << 4
        h[8] = la | _few(todo, 7) << 6
        h[9] = _signed(m8 >> 1, 60) | level(error) << 7
        h[10] = _signed(e2, 30) | _signed(i1, 3) << 6 | _signed(i2, 2) << 9
        h[11] = level(inner) | la << 6
        h[12] = _few(before, 7) | _few(todo, 7) << 3 | la << 6
        h[13] = _signed(po, 15) | _signed(e2, 7) << 5
        h[14] = level(abs(po)) | la << 6
        h[15] = _signed(e2, 30) | _few(before, 7) << 6
        h[16] = level(total) | _few(todo, 7) << 6 | _few(interior, 15) << 9
        h[17] = level(wide) | level(inner) << 6
        h[18] = _signed(m8, 120) | _signed(pa, 1) << 8 | _signed(pl, 1) << 10
        h[19] = _signed(i1, 3) | _signed(i2, 2) << 3 | _signed(i3, 2) << 6 | _signed(i4, 2) << 9
        h[20] = _signed(e2, 30) | level(wide) << 6
        h[21] = _signed(e8 - f8, 20) | _signed(e2, 20) << 6
        h[22] = _signed(e2, 30) | _few(interior, 31) << 6
        h[23] = _few(todo, 7) | _few(interior, 31) << 3
        for k in range(KINDS):
            h[k] = combine(h[k] << 5 | p, 256 + k)
        t.map_contexts[0] = combine(_signed(m8, 60), 300 + p)
        t.map_contexts[1] = combine(_signed(e2, 20) | la << 6, 400 + p)
        t.map_contexts[2] = combine(_few(todo, 7) | level(wide) << 3, 500 + p)
        n[POSITION] = p
        n[COUNT] = todo | j << 3
        n[NEAR] = _few(la, 31) | color << 5
        n[EXPECTED] = _signed(e2, 31)
        n[OTHER] = _few(level(inner), 31) | color << 5
        n[SHAPE] = _few(level(error), 31) | side << 5
        x = past.edges.inputs
        scale = 1.0 / np.float64(unit)
        x[0] = past.border.last[side, j] * scale
        x[1] = past.border.before_last[side, j] * scale
        x[2] = past.border.first[side, j] * scale
        x[3] = past.border.second[side, j] * scale
        x[4] = pa
        x[5] = pl
        x[6] = pc
        x[7] = c[right, place]
        x[8] = i1
        x[9] = i2
        x[10] = block[place - step] if j > 1 else 0
        x[11] = po
        best = predict_signed(past.edges, p, 8.0)
        ex = past.expected
        for q in range(7):
            ex.is_signed[q] = 1
            ex.values[q] = best
        ex.values[0] = e8
        ex.values[1] = f8
        ex.values[2] = m8
        le = min(level(error // quantized[place]), np.int64(31))
        ex.contexts[0] = 1024 + le
        ex.contexts[1] = 2048 + p
        ex.contexts[2] = 4096 + la
        ex.contexts[3] = 8192 + p
        ex.contexts[4] = 16384 + le
        ex.contexts[5] = 32768 + la
        ex.contexts[6] = 65536 + _few(todo, 7)
        h[23] = combine(_signed(best, 120) << 5 | p, 256 + 23)
        h[22] = combine(_signed(_round(best, 4), 30) << 11 | _few(interior, 31) << 6 | p, 256 + 22)
        h[3] = combine(_signed(best >> 1, 60) << 11 | la << 5 | p, 256 + 3)
        t.map_contexts[0] = combine(_signed(best, 60), 300 + p)
        n[EXPECTED] = _signed(_round(best, 4), 31)
        value = code_value(coder_state, buffer, t, past.expected, np.int64(block[place]))
        value = min(max(value, -_MOST), _MOST)
        block[place] = value
        least_squares.learn(past.edges, p, np.float64(value))
        past.solved[1, p] += 1
        if past.solved[1, p] % _SOLVE_EVERY == 0:
            least_squares.solve(past.edges, p)
        before = abs(value)
        total += before
        todo -= value != 0
        boundary.add(past.border, place, value * quantized[place])
        past.errors[side] += abs(value * 8 - e8) * quantized[place]
        j += 1
    while j < 8:
        place = step * j
        block[place] = 0
        past.errors[side] += abs(_round(8 * boundary.expected(past.border, side, j), FIRST_FACTOR))
        j += 1


@njit(cache=True, counted=False)
def _code_dc(
    coder_state: Ints, buffer: npt.NDArray[np.uint8], t: Tables, past: Past,
    c: Coefficients, quantized: Ints, near: Ints, color: int, interior: int,
    has_above: bool, has_left: bool,
) -> None:  # fmt: skip
    """Code the DC coefficient of a block."""
    at, above, left, corner, right, other = near[0], near[1], near[2], near[3], near[4], near[7]
    h, n = t.hashes, t.numbers
    unit = quantized[0] * FIRST_FACTOR
    # In 1/8.
    ea = _round(8 * boundary.expected(past.border, ABOVE, 0), unit)
    el = _round(8 * boundary.expected(past.border, LEFT, 0), unit)
    fa = _round(8 * boundary.expected_flat(past.border, ABOVE, 0), unit)
    fl = _round(8 * boundary.expected_flat(past.border, LEFT, 0), unit)
    wa, wl = past.errors[ABOVE] + 8, past.errors[LEFT] + 8
    if has_above and has_left:
        best = _round(ea * wl + el * wa, wa + wl)
    elif has_above:
        best = ea
        el, fl = ea, fa
    elif has_left:
        best = el
        ea, fa = el, fl
    else:
        best = ea = el = fa = fl = np.int64(0)
    best = min(max(best, -np.int64(8 * _MOST)), np.int64(8 * _MOST))
    base = (best + 4) >> 3
    qa, ql = level(wa // (8 * quantized[0])), level(wl // (8 * quantized[0]))
    q2 = level((wa + wl) // (4 * quantized[0]))
    fine = best - 8 * base
    da, dl = (ea - best) >> 1, (el - best) >> 1
    ra, rl = np.int64(past.residuals[above]), np.int64(past.residuals[left])
    ro = np.int64(past.residuals[other])
    pa = np.int64(c[above, 0]) - base if has_above else np.int64(0)
    pl = np.int64(c[left, 0]) - base if has_left else np.int64(0)
    plane = pa + pl - (np.int64(c[corner, 0]) - base) if has_above and has_left else pa + pl
    both = abs(fa - best) + abs(fl - best) + abs(ea - best) + abs(el - best)
    h[0] = qa | ql << 6
    h[1] = q2 | (fine + 4) << 6
    h[2] = _signed(da, 30) | q2 << 6
    h[3] = _signed(dl, 30) | q2 << 6
    h[4] = _signed(ra, 7) | _signed(rl, 7) << 4 | level(interior) << 8
    h[5] = _signed(ra, 20) | q2 << 6
    h[6] = _signed(rl, 20) | q2 << 6
    h[7] = _signed(pa, 20) | _signed(pl, 20) << 6
    h[8] = _signed(plane, 40) | q2 << 7
    h[9] = level(both) | q2 << 6
    h[10] = _signed(ro, 20) | q2 << 6
    h[11] = _signed(da, 15) | _signed(dl, 15) << 5 | (fine + 4) << 10
    h[12] = _signed((fa - best) >> 1, 15) | _signed((fl - best) >> 1, 15) << 5
    h[13] = level(interior) | q2 << 6
    h[14] = level(both) | level(abs(ra) + abs(rl)) << 6
    h[15] = (
        level(
            abs(ra)
            + abs(rl)
            + abs(np.int64(past.residuals[corner]))
            + abs(np.int64(past.residuals[right]))
        )
        | q2 << 6
    )
    h[16] = interior | np.int64(past.counts[at, 1]) << 6 | np.int64(past.counts[at, 2]) << 9
    h[17] = q2 | level(both) << 6 | (fine + 4) << 12
    h[18] = _signed((fa - ea) >> 1, 15) | _signed((fl - el) >> 1, 15) << 5
    h[19] = _signed((ea - el) >> 2, 31) | level(abs(ra) + abs(rl)) << 6
    h[20] = level(abs(ro)) | level(both) << 6
    h[21] = _signed(pa, 31)
    h[22] = _signed(pl, 31)
    h[23] = 0
    for k in range(KINDS):
        h[k] = combine(h[k] << 1 | color, 600 + k)
    t.map_contexts[0] = combine(q2 | (fine + 4) << 6, 700 + color)
    t.map_contexts[1] = combine(_signed(da, 20) | _signed(dl, 20) << 6, 702 + color)
    t.map_contexts[2] = combine(level(both), 704 + color)
    n[POSITION] = 36 + color
    n[COUNT] = _few(q2, 31) | color << 5
    n[NEAR] = _few(level(both), 31) | color << 5
    n[EXPECTED] = fine + 4
    n[OTHER] = _few(level(abs(ra) + abs(rl)), 63)
    n[SHAPE] = _signed((ea - el) >> 2, 31)
    x = past.dcs.inputs
    scale = 1.0 / np.float64(unit)
    b = past.border
    x[0] = b.last[ABOVE, 0] * scale - base
    x[1] = b.before_last[ABOVE, 0] * scale - base
    x[2] = b.first[ABOVE, 0] * scale
    x[3] = b.second[ABOVE, 0] * scale
    x[4] = b.last[LEFT, 0] * scale - base
    x[5] = b.before_last[LEFT, 0] * scale - base
    x[6] = b.first[LEFT, 0] * scale
    x[7] = b.second[LEFT, 0] * scale
    x[8] = (best - 8 * base) / 8.0
    x[9] = ra
    x[10] = rl
    x[11] = ro
    guess = predict_signed(past.dcs, color, 8.0)
    ex = past.expected
    for q in range(7):
        ex.is_signed[q] = 1
        ex.values[q] = guess
        ex.contexts[q] = (131072 << 1) + (q << 8) + color
    ex.values[0] = ea - 8 * base
    ex.values[1] = el - 8 * base
    ex.values[2] = fine
    ex.contexts[2] += q2 << 1
    ex.contexts[3] += q2 << 1
    ex.contexts[4] += level(both) << 1
    ex.contexts[5] += level(abs(ra) + abs(rl)) << 1
    h[23] = combine(_signed(guess, 100) << 1 | color, 600 + 23)
    h[16] = combine(_signed(guess >> 1, 30) << 7 | q2 << 1 | color, 600 + 16)
    n[EXPECTED] = _signed(guess >> 1, 31)
    value = base + code_value(coder_state, buffer, t, past.expected, np.int64(c[at, 0]) - base)
    value = min(max(value, -_MOST), _MOST)
    c[at, 0] = value
    past.residuals[at] = value - base
    least_squares.learn(past.dcs, color, np.float64(value - base))
    past.solved[2, color] += 1
    if past.solved[2, color] % _SOLVE_EVERY == 0:
        least_squares.solve(past.dcs, color)
