"""Tiles of rows of 16 bits, with int32 sums.

There are two ways to multiply, with one result:

- AVX512-VNNI and AVX-VNNI multiply unsigned by signed bytes (vpdpbusd): a row is its low
  bytes, then its high bytes, as unsigned 16-bit numbers (an `OFFSET` makes them so).
- Everything else multiplies pairs of int16 (`pmaddwd` and its like).

How many rows a tile has is known when it is compiled, so that their sums stay in registers.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils

from predictors.language_models.exact.panels import (
    COLUMNS,
    PANEL_SUM_BYTES,
    PANELS,
    QUAD_BYTES,
    QUAD_SHIFT,
    USES_BYTES,
    VNNI_LANES,
)
from predictors.language_models.exact.vectors import (
    Operands,
    accumulator,
    at_index,
    broadcast,
    dot_product,
    fetch_ahead,
    load,
    load_quad,
    load_weights,
    register_groups,
    store,
    tile_of,
)

MAX_ROWS = 6
"""Rows of the largest tile: 6 rows of 2 limbs and 2 panels take 24 of AVX-512's 32 registers."""

# The same for the 16 registers of 256 bits of AVX2 and AVX-VNNI: 3 rows of one panel.
_NARROW_ROWS = 3

_LIMB_BITS = 8
# Shifts from the number of a quad to bytes: of a limb of a row, of an int16 row.
_LIMB_SHIFT, _WORDS_SHIFT = 2, 3

_I8, _I16, _I32, _I64 = (ir.IntType(n) for n in (8, 16, 32, 64))


def _emit_bytes(builder: Any, rows: int, o: Operands) -> None:
    """vpdpbusd: four products of bytes per int32 lane; two limbs per row."""
    for group in register_groups(rows, _NARROW_ROWS):
        _emit_bytes_of(builder, *group, o)


def _emit_bytes_of(builder: Any, rows: range, panel: int, panels: int, o: Operands) -> None:
    """The rows and panels whose sums stay in registers together."""
    lanes = VNNI_LANES
    vectors = range(panels * COLUMNS // lanes)
    sums = ir.VectorType(_I32, lanes)
    dot, operand = dot_product(builder, lanes)
    acc = {
        (r, limb, v): accumulator(builder, sums) for r in rows for limb in (0, 1) for v in vectors
    }
    with cgutils.for_range(builder, o.quads, intp=_I64) as loop:
        offset = builder.shl(loop.index, _I64(QUAD_SHIFT))
        if rows.start == 0:
            fetch_ahead(builder, o, offset, range(panel, panel + panels))
        weights = load_weights(builder, o, offset, panel, panels, operand)
        here = builder.add(o.x, builder.shl(loop.index, _I64(_LIMB_SHIFT)))
        for r in rows:
            row = at_index(builder, here, o.x_stride, r)
            for limb in (0, 1):
                place = builder.add(row, o.limb) if limb else row
                quad = load_quad(builder, place, operand)
                for v in vectors:
                    slot = acc[r, limb, v]
                    value = builder.call(dot, [builder.load(slot), quad, weights[v]])
                    builder.store(value, slot)
    shift = ir.Constant(sums, [_LIMB_BITS] * lanes)
    for r in rows:
        out = at_index(builder, o.out, o.out_stride, r)
        for v in vectors:
            low, high = (builder.load(acc[r, limb, v]) for limb in (0, 1))
            total = builder.add(low, builder.shl(high, shift))
            offset = PANEL_SUM_BYTES * panel + 4 * lanes * v
            store(builder, total, builder.add(out, _I64(offset)))


def emit_words(builder: Any, rows: int, o: Operands) -> None:
    """Pairs of int16 products per int32 lane, two lanes per column."""
    for panel in range(PANELS):
        for first in range(0, rows, _NARROW_ROWS):
            _emit_words_of(builder, range(first, min(rows, first + _NARROW_ROWS)), panel, o)


def _emit_words_of(builder: Any, rows: range, panel: int, o: Operands) -> None:
    """The rows whose sums stay in registers together."""
    words = ir.VectorType(_I16, QUAD_BYTES)
    products = ir.VectorType(_I32, QUAD_BYTES)
    acc = {r: accumulator(builder, ir.VectorType(_I32, QUAD_BYTES // 2)) for r in rows}
    with cgutils.for_range(builder, o.quads, intp=_I64) as loop:
        offset = builder.shl(loop.index, _I64(QUAD_SHIFT))
        at = builder.add(o.w, offset)
        if rows.start == 0:
            fetch_ahead(builder, o, offset, range(panel, panel + 1))
        bytes_ = load(
            builder, at_index(builder, at, o.stride, panel), ir.VectorType(_I8, QUAD_BYTES)
        )
        weights = builder.sext(builder.sext(bytes_, words), products)
        here = builder.add(o.x, builder.shl(loop.index, _I64(_WORDS_SHIFT)))
        for r in rows:
            place = at_index(builder, here, o.x_stride, r)
            quad = broadcast(builder, load(builder, place, _I64), COLUMNS)
            quad = builder.sext(builder.bitcast(quad, words), products)
            # The compiler makes one pmaddwd of this.
            added = _pairwise(builder, builder.mul(weights, quad))
            builder.store(builder.add(builder.load(acc[r]), added), acc[r])
    for r in rows:
        total = _pairwise(builder, builder.load(acc[r]))
        out = at_index(builder, o.out, o.out_stride, r)
        store(builder, total, builder.add(out, _I64(PANEL_SUM_BYTES * panel)))


def _pairwise(builder: Any, vector: Any) -> Any:
    """The sums of a vector's neighbors, half as many."""
    count = vector.type.count
    indices = ir.VectorType(_I32, count // 2)
    even, odd = (ir.Constant(indices, list(range(i, count, 2))) for i in (0, 1))
    return builder.add(
        builder.shuffle_vector(vector, vector, even), builder.shuffle_vector(vector, vector, odd)
    )


_emit = _emit_bytes if USES_BYTES else emit_words
tile_1, tile_2, tile_3, tile_6 = (tile_of(_emit, rows) for rows in (1, 2, 3, MAX_ROWS))
"""Tiles of so many rows; what is left of others is done with two or three of them."""
