"""Pictures of one, three or four bytes a pixel: context mixing of what neighbors let expect.

A context is what a formula of linear prediction makes of the neighbors (W, N, NW, NE, WW, NN and
the color before in the same pixel), as in the image models of the PAQ series (Mahoney and
Ratushnyak 2007 and later), or bytes of neighbors themselves. The best single predictor is one of
least squares (Meyer and Tischer 2001, "Glicbawls"), for each color: solved anew every few pixels
from sums that forget, in float64 operations of a given order. So is a second of fewer neighbors.

Formulas and rates were chosen for crops of photographs and drawings (docs/benchmarks.md).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import inlined, njit
from predictors.binary import engine, least_squares, slots
from predictors.binary.engine import Tables
from predictors.mixing.hashing import bucket, combine

Bytes = npt.NDArray[np.uint8]

KINDS = 46
_SELECTORS = 9

MIN_STRIDE, MAX_STRIDE = 8, 1 << 18
"""Bytes of a row."""

PIXELS = (1, 3, 4)
"""Bytes of a pixel."""

# Places in `Tables.numbers`: bytes of a row and of a pixel; what selectors ask for.
_STRIDE, _PIXEL = range(2)
_SELECTED = 2

# Of both layers of mixers, and of the log-odds: see `engine.new_tables`.
_RATES_1, _RATES_2 = (150, 1500, 200), (300, 1500, 200)
_FIRST_WEIGHT = 2500

_NEIGHBORS = 18
"""Of the larger predictor of least squares; the colors before of the same pixel are two more."""

_FEW = 6
"""Neighbors of the smaller one; three bytes of the color before are more."""

_ROOM = _NEIGHBORS + 2
_SOLVE_EVERY = 8
"""Pixels between two solutions."""

_FORGET, _FORGET_FEW = 0.998, 0.97
"""What each pixel leaves of the sums of both."""


@inlined
def _clip(x: int) -> Any:
    return min(max(x, np.int64(0)), np.int64(255))


@inlined
def _b(data: Bytes, i: int) -> Any:
    return np.int64(data[i])


@inlined
def _size_class(x: int) -> Any:
    """0 of 0, else the number of bits, at most 7."""
    k = np.int64(0)
    while x > 0 and k < 7:
        x >>= 1
        k += 1
    return k


@inlined
def _gather(t: Tables, s: least_squares.Sums, few: least_squares.Sums, data: Bytes, i: int) -> None:
    """Write the neighbors of byte i, as both predictors of least squares take them."""
    n = t.numbers
    w, p = n[_STRIDE], n[_PIXEL]
    x = s.inputs
    x[0] = data[i - p]
    x[1] = data[i - w]
    x[2] = data[i - w - p]
    x[3] = data[i - w + p]
    x[4] = data[i - 2 * p]
    x[5] = data[i - 2 * w]
    for j in range(_FEW):
        few.inputs[j] = x[j]
    x[6] = data[i - 2 * w - p]
    x[7] = data[i - 2 * w + p]
    x[8] = data[i - w - 2 * p]
    x[9] = data[i - w + 2 * p]
    x[10] = data[i - 3 * p]
    x[11] = data[i - 3 * w]
    # Of the color before in the same pixel, and of the one before that: it and its neighbors.
    for j in range(12, _ROOM):
        x[j] = 0.0
    for j in range(_FEW, _FEW + 3):
        few.inputs[j] = 0.0
    if p > 1:
        x[12] = data[i - 1]
        x[13] = data[i - p - 1]
        x[14] = data[i - w - 1]
        x[15] = data[i - 2]
        x[16] = data[i - p - 2]
        x[17] = data[i - w - 2]
        few.inputs[_FEW] = data[i - 1]
        few.inputs[_FEW + 1] = data[i - p - 1]
        few.inputs[_FEW + 2] = data[i - w - 1]


@njit(cache=True, counted=False)
def _hash_contexts(t: Tables, best: int, fine: int, second: int, data: Bytes, i: int) -> None:
    """Write the contexts of byte i, and what selectors ask for.

    Args:
        best, second: what both predictors of least squares expect, rounded.
        fine: the first, in 1/4.
    """
    n = t.numbers
    h = t.hashes
    r, p = n[_STRIDE], n[_PIXEL]
    color = i % p
    w, n1 = _b(data, i - p), _b(data, i - r)
    nw, ne = _b(data, i - r - p), _b(data, i - r + p)
    ww, nn = _b(data, i - 2 * p), _b(data, i - 2 * r)
    www, nnn = _b(data, i - 3 * p), _b(data, i - 3 * r)
    nne, nnw = _b(data, i - 2 * r + p), _b(data, i - 2 * r - p)
    nww, nee = _b(data, i - r - 2 * p), _b(data, i - r + 2 * p)
    # The color before of this pixel and of its neighbors.
    c, cw, cn = _b(data, i - 1), _b(data, i - p - 1), _b(data, i - r - 1)
    cnw, cne = _b(data, i - r - p - 1), _b(data, i - r + p - 1)
    d, dw, dn = _b(data, i - 2), _b(data, i - p - 2), _b(data, i - r - 2)
    if p == 1:
        c, cw, cn, cnw, cne, d, dw, dn = w, ww, nw, nww, n1, ww, www, nww
    gradient = w + n1 - nw
    k = 0
    h[k] = _clip(gradient)
    h[k + 1] = _clip(gradient) | _clip(c + w - cw) << 8
    h[k + 2] = _clip(w + c - cw)
    h[k + 3] = _clip(n1 + c - cn)
    h[k + 4] = _clip((w + n1 + 2 * c - cw - cn + 1) >> 1)
    h[k + 5] = _clip(w + ne - n1)
    h[k + 6] = _clip(n1 + ne - nne)
    h[k + 7] = _clip(n1 + nw - nnw)
    h[k + 8] = _clip(2 * w - ww)
    h[k + 9] = _clip(2 * n1 - nn)
    h[k + 10] = _clip(3 * (w - ww) + www)
    h[k + 11] = _clip(3 * (n1 - nn) + nnn)
    h[k + 12] = (w + ne + 1) >> 1 | _size_class(abs(w - ne)) << 8
    h[k + 13] = (w + n1 + 1) >> 1 | _size_class(abs(w - n1)) << 8
    h[k + 14] = _clip((3 * (w + n1) - 2 * nw) >> 2) | _size_class(abs(c - ((cw + cn) >> 1))) << 8
    h[k + 15] = (w + n1 + nw + ne + 2) >> 2 | _size_class(abs(w - nw) + abs(n1 - nw)) << 8
    k = 16
    h[k] = best
    h[k + 1] = fine
    h[k + 2] = best | _size_class(abs(w - n1) + abs(n1 - ne)) << 8
    h[k + 3] = best | c << 8
    h[k + 4] = best | second << 8
    h[k + 5] = second
    h[k + 6] = best | w << 8
    h[k + 7] = best | n1 << 8
    h[k + 8] = fine | _size_class(n[_SELECTED + 3]) << 16
    h[k + 9] = _clip(best + ((c - ((cw + cn) >> 1)) >> 2))
    h[k + 10] = best | _clip(gradient) << 8
    h[k + 11] = best | _clip(w + c - cw) >> 2 << 8 | _clip(n1 + c - cn) >> 2 << 16
    k = 28
    h[k] = w | n1 << 8
    h[k + 1] = w | n1 << 8 | c << 16
    h[k + 2] = w | nw << 8 | n1 << 16 | ne << 24
    h[k + 3] = c | d << 8
    h[k + 4] = w | c << 8
    h[k + 5] = n1 | c << 8
    h[k + 6] = w | ww << 8
    h[k + 7] = n1 | nn << 8
    h[k + 8] = combine(w | n1 << 8 | c << 16 | d << 24, nw | ne << 8)
    h[k + 9] = combine(w | ww << 8 | www << 16, c | d << 8)
    h[k + 10] = 0
    h[k + 11] = _clip(gradient) | _clip(2 * n1 - nn) << 8
    h[k + 12] = combine(w | n1 << 8 | c << 16 | cw << 24, cn)
    h[k + 13] = (w >> 2) | (n1 >> 2) << 6 | (c >> 2) << 12 | (nw >> 2) << 18 | (ne >> 2) << 24
    h[k + 14] = _clip(d + w - dw) | _clip(d + n1 - dn) << 8
    h[k + 15] = _clip((w + ne + 1) // 2 + c - (cw + cne + 1) // 2)
    h[k + 16] = _clip(w + n1 - nw + c - cw - cn + cnw)
    h[k + 17] = _clip((nee + w) >> 1) | _clip((nww + ne) >> 1) << 8
    for j in range(KINDS):
        h[j] = combine(h[j], j * 4 + color)
    n[_SELECTED] = color
    n[_SELECTED + 1] = best
    n[_SELECTED + 2] = _size_class(abs(w - nw)) | _size_class(abs(n1 - nw)) << 3
    n[_SELECTED + 4] = _clip(gradient)
    n[_SELECTED + 5] = _size_class(abs(best - second)) << 3 | _size_class(abs(c - ((cw + cn) >> 1)))
    n[_SELECTED + 6] = fine & 3
    t.map_contexts[0] = combine(best, color)
    t.map_contexts[1] = combine(w | n1 << 8, color + 4)
    t.map_contexts[2] = combine(fine, color + 8 + 4 * _size_class(n[_SELECTED + 3]))


@inlined
def _select(t: Tables, partial: int, shift: int, expected: int, known: int) -> None:
    """Write which weight sets of both layers are selected."""
    n = t.numbers
    s = t.layer_1.selected
    color = n[_SELECTED]
    best = n[_SELECTED + 1]
    near = (1 << (7 - shift)) | best >> (shift + 1) | ((best >> shift) & 1) << 8
    place = n[_SELECTED + 4]
    s[0] = partial | color << 8
    s[1] = near
    s[2] = n[_SELECTED + 2] * 8 + shift
    s[3] = (1 << (7 - shift)) | place >> (shift + 1) | ((place >> shift) & 1) << 8
    s[4] = n[_SELECTED + 5] * 8 + shift
    s[5] = min(known, 63) * 8 + shift
    s[6] = bucket(best, partial, engine.SETS)
    s[7] = min(t.match[engine.LENGTH], 15) * 3 + 1 + expected
    s[8] = (min(n[_SELECTED + 3], 15) * 4 + color) * 8 + shift
    s2 = t.layer_2.selected
    s2[0] = s[0]
    s2[1] = near
    s2[2] = s[8]


def code_pixels(
    coder: Coder,
    data: Bytes,
    stride: int,
    pixel: int,
    on_progress: Callable[[int], None] = lambda done: None,
    every: int = engine.BLOCK,
) -> None:
    """Code a picture of whole bytes a color.

    Args:
        coder, data, on_progress, every: see `code_bytes`.
        stride: bytes of a row, `MIN_STRIDE` to `MAX_STRIDE`.
        pixel: bytes of a pixel, one of `PIXELS`.
    """
    bits = slots.slot_bits(len(data), KINDS)
    t = engine.new_tables(KINDS, bits, _SELECTORS, 1, _RATES_1, _RATES_2, _FIRST_WEIGHT, runs=False)
    t.numbers[_STRIDE], t.numbers[_PIXEL] = stride, pixel
    sums = least_squares.new_sums(pixel, _ROOM, _FORGET)
    few = least_squares.new_sums(pixel, _FEW + 3, _FORGET_FEW)

    def code_block(*arguments: Any) -> None:
        _code_block(*arguments, sums, few)

    engine.code_blocks(coder, data, 3 * stride + 4 * pixel, t, code_block, on_progress, every)


@njit(cache=True, counted=False)
def _code_block(
    coder_state: npt.NDArray[np.int64],
    buffer: Bytes,
    t: Tables,
    data: Bytes,
    begin: int,
    end: int,
    sums: least_squares.Sums,
    few: least_squares.Sums,
) -> None:
    """Code the bytes data[begin:end]."""
    n = t.numbers
    for i in range(begin, end):
        color = i % n[_PIXEL]
        _gather(t, sums, few, data, i)
        fine = least_squares.predict(sums, color, 4.0, 1023)
        best = min((fine + 2) >> 2, 255)
        second = least_squares.predict(few, color, 1.0, 255)
        _hash_contexts(t, best, fine, second, data, i)
        data[i] = _code_byte(coder_state, buffer, t, data, i)
        byte = np.int64(data[i])
        # How far the predictor was from the truth lately.
        n[_SELECTED + 3] = (3 * n[_SELECTED + 3] + abs(byte - best) + 2) >> 2
        least_squares.learn(sums, color, np.float64(byte))
        least_squares.learn(few, color, np.float64(byte))
        if i % (_SOLVE_EVERY * n[_PIXEL]) < n[_PIXEL]:
            least_squares.solve(sums, color)
            least_squares.solve(few, color)
        engine.follow_match(t, data, i + 1)


@njit(cache=True, forceinline=True, counted=False)
def _code_byte(
    coder_state: npt.NDArray[np.int64], buffer: Bytes, t: Tables, data: Bytes, i: int
) -> Any:
    """Code the byte at place i; return it, uint8."""
    byte = np.int64(data[i])
    partial = np.int64(1)
    nibble = np.int64(1)
    for s in range(8):
        shift = np.int64(7 - s)
        if shift == 7:
            engine.find_first(t)
        elif shift == 3:
            nibble = np.int64(1)
            engine.find_second(t, partial)
        known = engine.look_up(t, nibble)
        expected = engine.match_inputs(t, data, partial)
        _select(t, partial, shift, expected, known)
        bit = engine.code(coder_state, buffer, t, (byte >> shift) & 1, partial)
        engine.learn_contexts(t, nibble, bit)
        engine.learn_match(t, expected, bit)
        partial = partial << 1 | bit
        nibble = nibble << 1 | bit
    return np.uint8(partial & 255)
