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
    QUAD,
    QUAD_SHIFT,
    USES_BYTES,
    VNNI_LANES,
)
from predictors.language_models.exact.tiles import emit_words
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


def _emit_bytes(builder: Any, rows: int, o: Operands) -> None:
    for group in register_groups(rows, _AVX_ROWS):
        _emit_bytes_of(builder, *group, o)


def _emit_bytes_of(builder: Any, rows: range, panel: int, panels: int, o: Operands) -> None:
    """The rows and panels whose sums stay in registers together."""
    lanes = VNNI_LANES
    vectors = range(panels * COLUMNS // lanes)
    sums = ir.VectorType(_I32, lanes)
    dot, operand = dot_product(builder, lanes)
    kind = ir.VectorType(_I8, QUAD * lanes)
    signs = ir.Constant(kind, [_SIGN] * kind.count)

    def unsigned_weights(offset: Any) -> list[Any]:
        signed = load_weights(builder, o, offset, panel, panels, kind)
        return [builder.bitcast(builder.xor(w, signs), operand) for w in signed]

    def add_products(slots: list[Any], address: Any, weights: list[Any]) -> None:
        quad = load_quad(builder, address, operand)
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


# Without such instructions rows are int16, like those of `tiles.py`.
_emit = _emit_bytes if USES_BYTES else emit_words
byte_tile_1, byte_tile_2, byte_tile_3, byte_tile_4, byte_tile_8 = (
    tile_of(_emit, rows) for rows in (1, 2, 3, 4, MAX_BYTE_ROWS)
)
"""Tiles of so many rows."""
