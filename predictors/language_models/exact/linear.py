"""Linear layers: rows are normalized, packed, and multiplied with a matrix."""

from collections import namedtuple

import numpy as np

from predictors.language_models.exact.byte_tiles import MAX_BYTE_ROWS
from predictors.language_models.exact.exp2 import sigmoid
from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.outliers import pack_outliers, unit_of
from predictors.language_models.exact.panels import (
    COLUMNS,
    OFFSET,
    PANELS,
    QUAD,
    QUAD_BYTES,
    ROW_BYTES,
    TILE_COLUMNS,
)
from predictors.language_models.exact.phases import first_own, own_items_ahead
from predictors.language_models.exact.product import multiply_byte_tile, multiply_tile, pack
from predictors.language_models.exact.rounding import INFINITE, power_of_two, round_row
from predictors.language_models.exact.tiles import MAX_ROWS

Linear = namedtuple("Linear", "panels scale offset bits")
Linear.__doc__ = """Matrices of L layers that read the same input of k elements, joined by columns.

panels: [L, P, k / 4, 16, 4] int8, P even. scale: [L, 16 P] float32. offset: [L, 16 P]
int32, to be taken off the sums of rows of 16 bits. bits: [L] int64, of the activations.
"""

NORM_BITS = 20
"""Of the integers whose squares are summed: the sum fits int64 up to a width of 2**22."""

_FETCHED_BYTES = 1 << 18
"""Of the next matrix, by each thread, while it waits; half of it is as good, twice as much not
better (measured with 1 MiB of second cache)."""

# What becomes of a product: it is written, added to what is there, or gated.
WRITE, ADD, SWIGLU = range(3)


@kernel
def normalize(row, gain, epsilon, integers, out):
    """Root mean square normalization (RMSNorm; Zhang & Sennrich 2019).

    Args:
        row, gain: [E] float32. epsilon: float64.
        integers: [≥ E] int32, working memory. out: [E] float32, written.

    Returns:
        False if a value of the row is not finite.
    """
    n = len(row)
    unit = round_row(row, n, NORM_BITS, integers)
    if unit >= INFINITE:
        return False
    total = np.int64(0)
    for i in range(n):
        total += np.int64(integers[i]) * np.int64(integers[i])
    scale = np.float64(power_of_two(unit))
    mean = np.float64(total) * scale * scale / np.float64(n)
    factor = np.float32(1.0 / np.sqrt(mean + epsilon))
    for i in range(n):
        out[i] = row[i] * factor * gain[i]
    return True


@kernel
def pack_row(row, bits, by_bytes, integers, packed):
    """Round and pack a row.

    Args:
        row: [k] float32. bits: int64, of `Linear`.
        by_bytes: int64, 1 = as a row of bytes with outliers.
        integers: [≥ k] int32, working memory. packed: [≥ `packed_bytes`] uint8, written.

    Returns:
        float32, what an integer of the packed row is worth; 0 if it is not finite.
    """
    n = len(row)
    if by_bytes:
        unit = unit_of(row, bits, integers)
        if unit >= INFINITE:
            return np.float32(0)
        pack_outliers(row, unit, integers, packed)
        return power_of_two(unit)
    unit = round_row(row, n, bits, integers)
    if unit >= INFINITE:
        return np.float32(0)
    pack(integers, n, OFFSET, packed)
    return power_of_two(unit)


@kernel
def look_ahead(linear, layer, thread, threads, ahead):
    """Write what a thread is to fetch while it waits: what it reads first of a matrix.

    Args:
        linear: `Linear`. layer: int64.
        ahead: [≥ 2] int64, written, see `phases.items`.
    """
    panels = linear.panels[layer]
    size = panels.shape[1] * QUAD_BYTES
    tiles = len(panels) // PANELS
    first = first_own(tiles, thread, threads)
    own = PANELS * (first_own(tiles, thread + 1, threads) - first) * size
    ahead[0] = panels.ctypes.data + PANELS * first * size
    ahead[1] = ahead[0] + min(own, _FETCHED_BYTES)


@kernel
def multiply(
    phase, thread, threads, rows, linear, layer, by_bytes, packed, units, sums, epilogue, out, ahead
):
    """This thread's share of a product of all rows with a matrix: some tiles' columns.

    Args:
        phase: of `address_of`. thread, threads: this one's number, and how many there are.
        rows: how many, M.
        linear: `Linear`. layer: int64.
        by_bytes, packed: [≥ M, ≥ 2 k] uint8 and units: [≥ M] float32, of `pack_row`.
        sums: [8, 32] int32, working memory.
        epilogue: `WRITE`, `ADD` or `SWIGLU`.
        out: [≥ M, n] float32, written; n may be less than there are columns.
        ahead: of `look_ahead`, for the product after this one.
    """
    panels, scale, offset = linear.panels[layer], linear.scale[layer], linear.offset[layer]
    base = panels.ctypes.data
    quads = panels.shape[1]
    stride = quads * QUAD_BYTES
    row_size = packed.shape[1]
    most = MAX_BYTE_ROWS if by_bytes else MAX_ROWS
    tiles = len(panels) // PANELS
    for tile, next_tile in own_items_ahead(phase, tiles, thread, threads, ahead):
        here = base + PANELS * tile * stride
        following = base + PANELS * next_tile * stride
        if next_tile == tiles:
            following = ahead[0]
            ahead[0] += PANELS * stride
        for first in range(0, rows, most):
            n = min(most, rows - first)
            at = packed.ctypes.data + first * row_size
            if by_bytes:
                multiply_byte_tile(
                    n, here, stride, quads, at, row_size, QUAD * quads,
                    sums.ctypes.data, ROW_BYTES, following, stride,
                )  # fmt: skip
            else:
                multiply_tile(
                    n, here, stride, quads, at, row_size, QUAD * quads,
                    sums.ctypes.data, ROW_BYTES, following, stride,
                )  # fmt: skip
            # It need not be fetched twice.
            following = here
            for i in range(n):
                _finish(
                    sums[i], scale, offset, tile * TILE_COLUMNS, units[first + i], epilogue,
                    out[first + i],
                )  # fmt: skip


@kernel
def _finish(sums, scale, offset, column, unit, epilogue, out):
    """From a tile's sums of one row, [32] int32, to float32, and on into `out`.

    With `SWIGLU` (Shazeer 2020) the tile's first panel holds gates, and the second what
    they gate.
    """
    s = scale[column : column + TILE_COLUMNS]
    o = offset[column : column + TILE_COLUMNS]
    if epilogue == SWIGLU:
        to = out[column // 2 : column // 2 + COLUMNS]
        # A number of columns that the compiler knows takes it half the time.
        if len(to) == COLUMNS:
            _gate(sums, s, o, unit, COLUMNS, to)
        else:
            _gate(sums, s, o, unit, len(to), to)
        return
    to = out[column : column + TILE_COLUMNS]
    n = len(to)
    if epilogue == ADD:
        for c in range(n):
            to[c] = to[c] + np.float32(np.int32(sums[c] - o[c])) * (s[c] * unit)
    else:
        for c in range(n):
            to[c] = np.float32(np.int32(sums[c] - o[c])) * (s[c] * unit)


@kernel(inline="always")
def _gate(sums, scale, offset, unit, n, out):
    """`n` of a tile's columns, gated."""
    for c in range(n):
        d = COLUMNS + c
        gate = np.float32(np.int32(sums[c] - offset[c])) * (scale[c] * unit)
        up = np.float32(np.int32(sums[d] - offset[d])) * (scale[d] * unit)
        out[c] = gate * sigmoid(gate) * up
