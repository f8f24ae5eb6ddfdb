"""Integer products: int8 weights times 16-bit rows, with int32 sums.

The one kernel of the backend, made of the tiles of `tiles.py`. Sums are modulo 2**32; the
callers see to it that the true sum fits int32, so whatever happens on the way cancels.
"""

import numpy as np

from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.tiles import USES_BYTES, tile_1, tile_2, tile_3, tile_6

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
        limb: from the low bytes of a row to its high bytes.
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
