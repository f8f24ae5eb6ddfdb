"""Tiles in LLVM IR of rows of signed bytes, with a few wide quads: see `outliers.py`.

Half the instructions of `tiles.py`: a row is one byte per k instead of two. vpdpbusd multiplies
unsigned by signed bytes, and here the rows have the sign: 128 is added to the weights as they
are read, and what that adds to a row's sums is taken off where they begin.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils

from predictors.language_models.exact.panels import (
    COLUMNS,
    PANEL_SUM_BYTES,
    PANELS,
    QUAD,
    QUAD_SHIFT,
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
    store,
    tile_of,
)

MAX_BYTE_ROWS = 8
"""Rows of the largest tile: with 2 panels 16 of AVX-512's 32 registers; all of 8 streams."""

WIDE_SHIFT = 7
"""What the second byte of a wide value counts, in powers of two of the first."""

# The same for the 16 registers of 256 bits of AVX-VNNI: 4 rows of one panel.
_AVX_ROWS = 4

_BYTES_SHIFT = 2
_SIGN = -128

_INT32_BYTES = 4
TAIL_HEAD = 2 * _INT32_BYTES
"""Bytes in front of the wide quads in a row's tail: what is taken off the sums, their number."""

WIDE_QUAD = 2 * _INT32_BYTES
"""Bytes of a wide quad in the tail: where it is in a panel, and its second bytes."""

_I8, _I32, _I64 = (ir.IntType(n) for n in (8, 32, 64))


def _emit(builder: Any, rows: int, o: Operands) -> None:
    wide_registers = VNNI_LANES == COLUMNS
    panels = PANELS if wide_registers else 1
    group = rows if wide_registers else _AVX_ROWS
    for panel in range(0, PANELS, panels):
        for first in range(0, rows, group):
            _emit_part(builder, range(first, min(rows, first + group)), panel, panels, o)


def _emit_part(builder: Any, rows: range, panel: int, panels: int, o: Operands) -> None:
    """The rows and panels whose sums stay in registers together."""
    lanes = VNNI_LANES
    parts = COLUMNS // lanes
    vectors = range(panels * parts)
    sums = ir.VectorType(_I32, lanes)
    dot, operand = dot_product(builder, lanes)

    def unsigned_weights(offset: Any) -> list[Any]:
        kind = ir.VectorType(_I8, QUAD * lanes)
        signs = ir.Constant(kind, [_SIGN] * kind.count)
        at = builder.add(o.w, offset)
        found = []
        for v in vectors:
            place = at_index(builder, at, o.stride, panel + v // parts)
            place = builder.add(place, _I64(v % parts * QUAD * lanes))
            found.append(builder.bitcast(builder.xor(load(builder, place, kind), signs), operand))
        return found

    def add_products(slots: list[Any], address: Any, weights: list[Any]) -> None:
        quad = broadcast(builder, load(builder, address, _I32), lanes)
        if operand != sums:
            quad = builder.bitcast(quad, operand)
        for slot, w in zip(slots, weights, strict=True):
            builder.store(builder.call(dot, [builder.load(slot), w, quad]), slot)

    acc = {r: [accumulator(builder, sums) for _ in vectors] for r in rows}
    with cgutils.for_range(builder, o.quads, intp=_I64) as loop:
        offset = builder.shl(loop.index, _I64(QUAD_SHIFT))
        if rows.start == 0:
            fetch_ahead(builder, o, offset, range(panel, panel + panels))
        weights = unsigned_weights(offset)
        here = builder.add(o.x, builder.shl(loop.index, _I64(_BYTES_SHIFT)))
        for r in rows:
            add_products(acc[r], at_index(builder, here, o.x_stride, r), weights)
    shift = ir.Constant(sums, [WIDE_SHIFT] * lanes)
    for r in rows:
        # After all others: by now the weights are in the first cache.
        tail = builder.add(at_index(builder, o.x, o.x_stride, r), o.limb)
        excess = broadcast(builder, load(builder, tail, _I32), lanes)
        count = load(builder, builder.add(tail, _I64(_INT32_BYTES)), _I32)
        first = builder.add(tail, _I64(TAIL_HEAD))
        second = [accumulator(builder, sums) for _ in vectors]
        with cgutils.for_range(builder, builder.sext(count, _I64), intp=_I64) as loop:
            wide = builder.add(first, builder.mul(loop.index, _I64(WIDE_QUAD)))
            offset = builder.sext(load(builder, wide, _I32), _I64)
            values = builder.add(wide, _I64(_INT32_BYTES))
            add_products(second, values, unsigned_weights(offset))
        out = at_index(builder, o.out, o.out_stride, r)
        for v in vectors:
            total = builder.add(
                builder.sub(builder.load(acc[r][v]), excess),
                builder.shl(builder.load(second[v]), shift),
            )
            place = PANEL_SUM_BYTES * panel + 4 * lanes * v
            store(builder, total, builder.add(out, _I64(place)))


tile_1, tile_2, tile_3, tile_4, tile_8 = (
    tile_of(_emit, rows) for rows in (1, 2, 3, 4, MAX_BYTE_ROWS)
)
"""Tiles of so many rows."""
