"""Integer products: int8 weights times packed rows, with int32 sums.

The one kernel of the backend, for rows of 16 bits (`tiles.py`) and for rows of bytes
(`byte_tiles.py`). Sums are modulo 2**32; the callers see to it that the true sum fits int32, so
whatever happens on the way cancels.
"""

import numpy as np

from predictors.language_models.exact.byte_tiles import (
    MAX_BYTE_ROWS,
    byte_tile_1,
    byte_tile_2,
    byte_tile_3,
    byte_tile_4,
    byte_tile_8,
)
from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.panels import USES_BYTES
from predictors.language_models.exact.tiles import MAX_ROWS, tile_1, tile_2, tile_3, tile_6

_LIMB_BITS = 8
_LIMB_MASK = (1 << _LIMB_BITS) - 1


@kernel
def multiply_tile(rows, w, stride, quads, x, x_stride, limb, out, out_stride, ahead, ahead_stride):
    """Sums of packed rows times two panels, for any number of rows.

    Args, all int64; addresses are integers, strides are bytes:
        rows: how many.
        w: address of the first panel, [quads, 16, 4] int8. stride: to the second panel.
        quads: k / 4.
        x: address of the first row, [2 k] uint8 of `pack`. x_stride: to the next row.
        limb: from the low bytes of a row to its high bytes, in bytes.
        out: address of the sums, [rows, ≥ 32] int32, written. out_stride: to the next row's.
        ahead, ahead_stride: like w and stride, of what will be read later and is fetched meanwhile.
    """
    done = 0
    while done < rows:
        left = rows - done
        at = x + done * x_stride
        to = out + done * out_stride
        if left >= 6:
            tile_6(w, stride, quads, at, x_stride, limb, to, out_stride, ahead, ahead_stride)
            done += 6
        elif left >= 3:
            tile_3(w, stride, quads, at, x_stride, limb, to, out_stride, ahead, ahead_stride)
            done += 3
        elif left == 2:
            tile_2(w, stride, quads, at, x_stride, limb, to, out_stride, ahead, ahead_stride)
            done += 2
        else:
            tile_1(w, stride, quads, at, x_stride, limb, to, out_stride, ahead, ahead_stride)
            done += 1


@kernel
def multiply_byte_tile(
    rows, w, stride, quads, x, x_stride, tail, out, out_stride, ahead, ahead_stride
):
    """`multiply_tile` for rows of `pack_outliers`; tail: from a row to its tail."""
    done = 0
    while done < rows:
        left = rows - done
        at = x + done * x_stride
        to = out + done * out_stride
        if left >= 8:
            byte_tile_8(w, stride, quads, at, x_stride, tail, to, out_stride, ahead, ahead_stride)
            done += 8
        elif left >= 4:
            byte_tile_4(w, stride, quads, at, x_stride, tail, to, out_stride, ahead, ahead_stride)
            done += 4
        elif left == 3:
            byte_tile_3(w, stride, quads, at, x_stride, tail, to, out_stride, ahead, ahead_stride)
            done += 3
        elif left == 2:
            byte_tile_2(w, stride, quads, at, x_stride, tail, to, out_stride, ahead, ahead_stride)
            done += 2
        else:
            byte_tile_1(w, stride, quads, at, x_stride, tail, to, out_stride, ahead, ahead_stride)
            done += 1


MOST_ROWS = max(MAX_ROWS, MAX_BYTE_ROWS)
"""Rows whose sums a caller has room for."""


@kernel
def pack(values, n, offset, packed):
    """Pack a row for `multiply_tile`.

    Args:
        values: [≥ n] int32 within int16, not below -`offset` where bytes are used.
        n: how many; a multiple of 4.
        offset: `OFFSET`, or 0 if no value is negative.
        packed: [≥ 2 n] uint8, written: n low bytes and n high bytes, or n int16.
    """
    if USES_BYTES:
        low = packed[:n]
        high = packed[n : 2 * n]
        for i in range(n):
            low[i] = np.uint8((values[i] + offset) & _LIMB_MASK)
        for i in range(n):
            high[i] = np.uint8((values[i] + offset) >> _LIMB_BITS)
    else:
        words = packed.view(np.int16)
        for i in range(n):
            words[i] = np.int16(values[i])
