"""Pictures of one bit a pixel, such as faxes: context mixing in 28 neighborhoods of a pixel.

Neighborhoods of up to eight rows, small ones for noise and large ones for letters, as in JBIG2's
generic templates and beyond; columns, slopes of edges, lengths of runs, and what a halftone's
periods suggest. Weights are selected by neighbors.

Rates, first weights and neighborhoods were chosen for three pages of text and figures in five
fonts, drawn at the resolution of a fax, turned by up to 0.4 degrees, with noise.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import inlined, njit
from predictors.binary import engine
from predictors.binary.engine import Tables
from predictors.mixing.hashing import combine

KINDS = 28
_SELECTORS = 8
_ROWS = 8

MIN_WIDTH, MAX_WIDTH = 4, 1 << 13
"""Bytes of a row."""

# Places in `Tables.numbers`: bytes of a row; the pixels around, of this row and of those above, 40
# or more of each; place of the byte in its row; what selectors ask for.
_WIDTH = 0
_ROW = 1
_COLUMN = _ROW + _ROWS + 1
_SELECTED = _COLUMN + 1

_CENTER = 16
"""In a row above, the pixel above that of bit j is bit _CENTER + j."""

_ROW_MASK = (1 << 48) - 1
_LONG_RUN, _LEFT_RUN, _RIGHT_RUN, _RUN_BEFORE = 30, 16, 20, 24

_SLOT_BITS = 18
"""2**18 slots of 80 bytes: 20 MiB."""

# Of both layers of mixers, and of the log-odds: see `engine.new_tables`.
_RATES_1, _RATES_2 = (100, 2500, 200), (50, 500, 200)
_FIRST_WEIGHT = 3000


@inlined
def _window(rows: npt.NDArray[np.int64], j: int, shift: int, left: int, right: int) -> Any:
    """Pixels of row j above, from `left` before the one to be coded to `right` behind."""
    return (rows[_ROW + j] >> (_CENTER + shift - right)) & ((np.int64(1) << (left + right + 1)) - 1)


@njit(cache=True, counted=False)
def _begin_byte(t: Tables, data: npt.NDArray[np.uint8], i: int) -> None:
    """Gather the pixels around byte i."""
    n = t.numbers
    r = n[_WIDTH]
    for j in range(1, _ROWS + 1):
        at = i - j * r
        w = np.int64(0)
        for d in range(-2, 3):
            w = w << 8 | np.int64(data[at + d])
        n[_ROW + j] = w
    w = np.int64(0)
    for d in range(4, 0, -1):
        w = w << 8 | np.int64(data[i - d])
    n[_ROW] = w
    n[_COLUMN] = i % r


@inlined
def _run(bits: int, limit: int) -> Any:
    """How many of the lowest bits are equal, at most `limit`."""
    first = bits & 1
    count = np.int64(1)
    while count < limit and (bits >> count) & 1 == first:
        count += 1
    return count


@inlined
def _contexts(t: Tables, shift: int) -> None:
    """Place the slots of all contexts of a pixel."""
    n = t.numbers
    x = t.hashes
    c = n[_ROW]
    l4, l8 = c & 15, c & 255
    a1 = _window(n, 1, shift, 1, 1)
    a2 = _window(n, 1, shift, 2, 2)
    a3 = _window(n, 1, shift, 3, 3)
    a4 = _window(n, 1, shift, 4, 4)
    a6 = _window(n, 1, shift, 6, 6)
    b1 = _window(n, 2, shift, 1, 1)
    b2 = _window(n, 2, shift, 2, 2)
    b3 = _window(n, 2, shift, 3, 3)
    b5 = _window(n, 2, shift, 5, 5)
    d1 = _window(n, 3, shift, 1, 1)
    d2 = _window(n, 3, shift, 2, 2)
    d3 = _window(n, 3, shift, 3, 3)
    d4 = _window(n, 3, shift, 4, 4)
    e1 = _window(n, 4, shift, 1, 1)
    e3 = _window(n, 4, shift, 3, 3)
    f1 = _window(n, 5, shift, 1, 1)
    f2 = _window(n, 5, shift, 2, 2)
    g1 = _window(n, 6, shift, 1, 1)
    h1 = _window(n, 7, shift, 1, 1)
    i1 = _window(n, 8, shift, 1, 1)
    run = _run(c, _LONG_RUN)
    above = n[_ROW + 1]
    right = _run(_reverse(above, shift), _RIGHT_RUN)
    left = _run(above >> (_CENTER + shift), _LEFT_RUN)
    x[0] = (c & 7) | a2 << 3 | b1 << 8
    x[1] = l4 | a3 << 4 | b2 << 11
    x[2] = (c & 31) | a4 << 5 | b3 << 14 | d2 << 21
    x[3] = (c & 63) | a3 << 6 | b3 << 13 | d3 << 20 | e1 << 27
    x[4] = l8 | a6 << 8 | b5 << 21 | d4 << 32 | e3 << 41 | f2 << 48
    h = combine(
        (c & 1023) | _window(n, 1, shift, 7, 7) << 10 | _window(n, 2, shift, 6, 6) << 25,
        _window(n, 3, shift, 5, 5)
        | _window(n, 4, shift, 4, 4) << 11
        | _window(n, 5, shift, 3, 3) << 20
        | _window(n, 6, shift, 2, 2) << 27
        | h1 << 32
        | i1 << 35,
    )
    x[5] = h
    column = a1 | b1 << 3 | d1 << 6 | e1 << 9 | f1 << 12 | g1 << 15 | h1 << 18 | i1 << 21
    x[6] = column | (c & 3) << 24
    x[7] = (
        (a1 & 2)
        | (b1 & 2) << 1
        | (d1 & 2) << 2
        | (e1 & 2) << 3
        | (f1 & 2) << 4
        | (g1 & 2) << 5
        | (h1 & 2) << 6
        | (i1 & 2) << 7
        | l4 << 9
    )
    x[8] = c & 0xFFFF
    x[9] = (c & 0xFFFFFF) | a2 << 24
    x[10] = l4 | _window(n, 1, shift, 8, 8) << 4
    x[11] = (c & 7) | a2 << 3 | _window(n, 2, shift, 6, 6) << 8
    x[12] = (c & 0xFFF) | _window(n, 1, shift, 5, 5) << 12
    x[13] = run | (c & 1) << 6 | right << 8 | left << 14 | a1 << 20
    x[14] = (n[_COLUMN] << 3 | shift) | a1 << 16 | (c & 3) << 19
    x[15] = (c & 3) | _window(n, 1, shift, 3, 9) << 2
    x[16] = (
        (c & 3)
        | a1 << 2
        | _window(n, 4, shift, 2, 2) << 5
        | f2 << 10
        | _window(n, 6, shift, 2, 2) << 15
        | _window(n, 7, shift, 2, 2) << 20
    )
    x[17] = (c & 7) | _window(n, 1, shift, 2, 5) << 3 | _window(n, 2, shift, 2, 5) << 11 | d2 << 19
    x[18] = (
        (c & 7)
        | _window(n, 1, shift, 5, 1) << 3
        | _window(n, 2, shift, 5, 1) << 10
        | _window(n, 3, shift, 4, 1) << 17
    )
    x[19] = (c & 3) | a2 << 2 | b2 << 7 | d2 << 12 | _window(n, 4, shift, 2, 2) << 17 | f2 << 22
    x[20] = (c & 1) | a1 << 1 | b1 << 4
    x[21] = run | (c & 1) << 6 | _run(c >> run, _RUN_BEFORE) << 7 | a2 << 13
    x[22] = (
        (c & 0x888888)
        | (_window(n, 4, shift, 8, 8) & 0x11111) << 25
        | (_window(n, 8, shift, 8, 8) & 0x11111) << 43
    )
    x[23] = (c & 0x11) | (_window(n, 1, shift, 6, 6)) << 8 | (_window(n, 3, shift, 4, 4)) << 24
    x[24] = combine(
        (c & 0xFFFF) | _window(n, 1, shift, 12, 12) << 16,
        _window(n, 2, shift, 10, 10) | _window(n, 3, shift, 8, 8) << 21,
    )
    x[25] = (c & 31) | a4 << 5 | b3 << 14 | right << 24 | run << 30
    y = _edge(n, shift)
    x[26] = y | (c & 3) << 30
    x[27] = (
        (c & 63)
        | _window(n, 1, shift, 5, 5) << 6
        | _window(n, 2, shift, 5, 5) << 17
        | _window(n, 3, shift, 4, 4) << 28
        | _window(n, 4, shift, 3, 3) << 37
    )
    mask = len(t.states) - 1
    for k in range(KINDS):
        t.places[k] = (combine(x[k], k) >> 20) & mask
    n[_SELECTED] = (c & 3) | a2 << 2 | b1 << 7
    n[_SELECTED + 1] = (a1 & 3) | (b1 & 3) << 2 | (d1 & 3) << 4 | (e1 & 3) << 6 | (c & 3) << 8
    n[_SELECTED + 2] = min(run, 31) | (min(right, 15) << 5) | (c & 1) << 9
    n[_SELECTED + 3] = (d2 << 5 | b2) & 1023
    n[_SELECTED + 4] = _window(n, 1, shift, 1, 6) | (c & 3) << 8
    t.map_contexts[0] = x[1]
    t.map_contexts[1] = x[3]
    t.map_contexts[2] = x[6]


@inlined
def _reverse(above: int, shift: int) -> Any:
    """Pixels of the row above from the place on to the right, the nearest one lowest."""
    w = np.int64(0)
    for j in range(_RIGHT_RUN):
        at = _CENTER + shift - j
        if at >= 0:
            w |= ((above >> at) & 1) << j
    return w


@inlined
def _edge(n: npt.NDArray[np.int64], shift: int) -> Any:
    """How far the nearest edges of the rows above are, to either side."""
    h = np.int64(0)
    for j in range(1, 6):
        w = n[_ROW + j] >> (_CENTER + shift - 8)
        k = np.int64(0)
        first = (w >> 8) & 1
        while k < 8 and (w >> (8 - k)) & 1 == first:
            k += 1
        m = np.int64(0)
        while m < 8 and (w >> (8 + m)) & 1 == first:
            m += 1
        h = h << 8 | k << 4 | m if j <= 3 else h << 1 | first
    return h


@inlined
def _select(t: Tables, expected: int, known: int) -> None:
    """Write which weight sets of both layers are selected."""
    n = t.numbers
    s = t.layer_1.selected
    s[0] = n[_SELECTED]
    s[1] = n[_SELECTED + 1]
    s[2] = n[_SELECTED + 2]
    s[3] = n[_SELECTED + 3]
    s[4] = known
    s[5] = n[_SELECTED + 4]
    s[6] = min(t.match[engine.LENGTH], 32) * 3 + 1 + expected
    s[7] = 0
    s2 = t.layer_2.selected
    s2[0] = n[_SELECTED]
    s2[1] = n[_SELECTED + 2]
    s2[2] = known


@inlined
def _end_pixel(t: Tables, bit: int) -> None:
    t.numbers[_ROW] = (t.numbers[_ROW] << 1 | bit) & _ROW_MASK


def code_bilevel(
    coder: Coder,
    data: npt.NDArray[np.uint8],
    width: int,
    on_progress: Callable[[int], None] = lambda done: None,
    every: int = engine.BLOCK,
) -> None:
    """Code a picture of one bit a pixel, the leftmost in the highest bit of a byte.

    Args:
        coder, data, on_progress, every: see `code_bytes`.
        width: bytes of a row, `MIN_WIDTH` to `MAX_WIDTH`.
    """
    t = engine.new_tables(
        KINDS, _SLOT_BITS, _SELECTORS, 1, _RATES_1, _RATES_2, _FIRST_WEIGHT, runs=False
    )
    t.numbers[_WIDTH] = width
    engine.code_blocks(coder, data, _ROWS * width, t, _code_block, on_progress, every)


@njit(cache=True, counted=False)
def _code_block(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    data: npt.NDArray[np.uint8],
    begin: int,
    end: int,
) -> None:
    """Code the bytes data[begin:end]."""
    for i in range(begin, end):
        _begin_byte(t, data, i)
        byte = np.int64(data[i])
        partial = np.int64(1)
        for s in range(8):
            shift = np.int64(7 - s)
            _contexts(t, shift)
            known = engine.look_up(t, np.int64(0))
            expected = engine.match_inputs(t, data, partial)
            _select(t, expected, known)
            bit = engine.code(coder_state, buffer, t, (byte >> shift) & 1, np.int64(0))
            engine.learn_contexts(t, np.int64(0), bit)
            engine.learn_match(t, expected, bit)
            _end_pixel(t, bit)
            partial = partial << 1 | bit
        data[i] = np.uint8(partial & 255)
        engine.follow_match(t, data, i + 1)
