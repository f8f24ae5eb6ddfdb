"""Tiles in LLVM IR: a few packed rows times two panels of int8 weights.

Weights lie in *panels* of 16 columns, [k / 4, 16, 4] int8: four consecutive k of a
column are neighbors, as the dot-product instructions want them. There are two ways to
multiply, with one result:

- AVX512-VNNI and AVX-VNNI multiply unsigned by signed bytes (vpdpbusd): a row is its low
  bytes, then its high bytes, as unsigned 16-bit numbers (an `OFFSET` makes them so).
- Everything else multiplies pairs of int16 (`pmaddwd` and its like).

How many rows a tile has is known when it is compiled, so that their sums stay in registers.
"""

from collections import namedtuple
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

COLUMNS = 16
"""Columns of a panel: int32 lanes of a register of 512 bits."""

QUAD = 4
"""Consecutive k of a column that are neighbors: bytes of an int32 lane."""

QUAD_BYTES = QUAD * COLUMNS
"""Bytes of a panel for four k."""

PANELS = 2
"""Panels of a tile."""

TILE_COLUMNS = PANELS * COLUMNS
"""Columns of a tile."""

ROW_BYTES = 4 * TILE_COLUMNS
"""Bytes of a row of a tile's int32 sums."""

MAX_ROWS = 6
"""Rows of the largest tile: 6 rows of 2 limbs and 2 panels take 24 of AVX-512's 32 registers."""

# The same for the 16 registers of 256 bits of AVX2 and AVX-VNNI: 3 rows of one panel.
_NARROW_ROWS = 3

_LIMB_BITS = 8
_PANEL_SUM_BYTES = 4 * COLUMNS
# Shifts from the number of a quad to bytes: of a panel, of a limb of a row, of an int16 row.
_QUAD_SHIFT, _LIMB_SHIFT, _WORDS_SHIFT = 6, 2, 3


def _vnni_lanes() -> int:
    """int32 lanes of the widest vpdpbusd that numba may use here; 0 = there is none."""
    if numba.config.CPU_NAME or numba.config.CPU_FEATURES is not None:
        return 0
    features = llvm.get_host_cpu_features()
    if features.get("avx512vnni"):
        return 16
    return 8 if features.get("avxvnni") else 0


VNNI_LANES = _vnni_lanes()
USES_BYTES = VNNI_LANES > 0
OFFSET = 1 << 15 if USES_BYTES else 0
"""What packing adds to signed values; the column sums of the weights take it off again."""

_I8, _I16, _I32, _I64 = (ir.IntType(n) for n in (8, 16, 32, 64))

# Whole names of LLVM's intrinsics depend on the type of pointers.
_TYPED_POINTERS = llvm.llvm_version_info[0] < 17

# Of llvm.prefetch: into the cache nearest to the processor.
_LOCALITY = 3

_Operands = namedtuple(
    "_Operands", "w stride quads x x_stride limb out out_stride ahead ahead_stride"
)
_Operands.__doc__ = """Arguments of a tile, all int64; addresses are integers.

w: address of the first panel. stride: bytes to the next panel. quads: k / 4.
x: address of the first row. x_stride: bytes to the next row. limb: bytes from the low to
the high limbs of a row. out: address of the sums. out_stride: bytes to the next row's sums.
ahead, ahead_stride: like w and stride, of what will be read later: its cache lines are fetched
meanwhile, as many as the two panels have.
"""


def _zero(vector: Any) -> Any:
    return ir.Constant(vector, [0] * vector.count)


def _load(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=1)


def _fetch(builder: Any, address: Any) -> None:
    """Tell the processor that the cache line at an address will be read."""
    pointer = _I8.as_pointer()
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(ir.VoidType(), [pointer, _I32, _I32, _I32]),
        "llvm.prefetch.p0i8" if _TYPED_POINTERS else "llvm.prefetch.p0",
    )
    builder.call(function, [builder.inttoptr(address, pointer), _I32(0), _I32(_LOCALITY), _I32(1)])


def _fetch_ahead(builder: Any, o: _Operands, offset: Any, panels: range) -> None:
    """Fetch what is at this offset of the next tile's panels."""
    at = builder.add(o.ahead, offset)
    for panel in panels:
        _fetch(builder, _at(builder, at, o.ahead_stride, panel))


def _store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=1)


def _broadcast(builder: Any, scalar: Any, count: int) -> Any:
    vector = ir.VectorType(scalar.type, count)
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, _I32(0))
    return builder.shuffle_vector(first, undefined, _zero(ir.VectorType(_I32, count)))


def _accumulator(builder: Any, vector: Any) -> Any:
    """A variable that is 0 here; LLVM keeps it in a register."""
    place = cgutils.alloca_once_value(builder, _zero(vector))
    builder.store(_zero(vector), place)
    return place


def _at(builder: Any, address: Any, stride: Any, index: int) -> Any:
    """address + stride * index."""
    return builder.add(address, builder.mul(stride, _I64(index)))


def _emit_bytes(builder: Any, rows: int, o: _Operands) -> None:
    """vpdpbusd: four products of bytes per int32 lane; two limbs per row."""
    wide = VNNI_LANES == COLUMNS
    panels = PANELS if wide else 1
    group = rows if wide else _NARROW_ROWS
    for panel in range(0, PANELS, panels):
        for first in range(0, rows, group):
            _emit_bytes_of(builder, range(first, min(rows, first + group)), panel, panels, o)


def _emit_bytes_of(builder: Any, rows: range, panel: int, panels: int, o: _Operands) -> None:
    """The rows and panels whose sums stay in registers together."""
    lanes = VNNI_LANES
    parts = COLUMNS // lanes
    vectors = range(panels * parts)
    sums = ir.VectorType(_I32, lanes)
    dot, operand = _dot_product(builder, lanes)
    acc = {
        (r, limb, v): _accumulator(builder, sums) for r in rows for limb in (0, 1) for v in vectors
    }
    with cgutils.for_range(builder, o.quads, intp=_I64) as loop:
        offset = builder.shl(loop.index, _I64(_QUAD_SHIFT))
        at = builder.add(o.w, offset)
        if rows.start == 0:
            _fetch_ahead(builder, o, offset, range(panel, panel + panels))
        weights = []
        for v in vectors:
            place = _at(builder, at, o.stride, panel + v // parts)
            place = builder.add(place, _I64(v % parts * QUAD * lanes))
            weights.append(_load(builder, place, operand))
        here = builder.add(o.x, builder.shl(loop.index, _I64(_LIMB_SHIFT)))
        for r in rows:
            row = _at(builder, here, o.x_stride, r)
            for limb in (0, 1):
                place = builder.add(row, o.limb) if limb else row
                quad = _broadcast(builder, _load(builder, place, _I32), lanes)
                if operand != sums:
                    quad = builder.bitcast(quad, operand)
                for v in vectors:
                    slot = acc[r, limb, v]
                    value = builder.call(dot, [builder.load(slot), quad, weights[v]])
                    builder.store(value, slot)
    shift = ir.Constant(sums, [_LIMB_BITS] * lanes)
    for r in rows:
        out = _at(builder, o.out, o.out_stride, r)
        for v in vectors:
            low, high = (builder.load(acc[r, limb, v]) for limb in (0, 1))
            total = builder.add(low, builder.shl(high, shift))
            offset = _PANEL_SUM_BYTES * panel + 4 * lanes * v
            _store(builder, total, builder.add(out, _I64(offset)))


def _dot_product(builder: Any, lanes: int) -> tuple[Any, Any]:
    """LLVM's intrinsic for vpdpbusd, and the type of the factors."""
    sums = ir.VectorType(_I32, lanes)
    # LLVM 22 gave the intrinsic's operands their true type.
    operand = ir.VectorType(_I8, QUAD * lanes) if llvm.llvm_version_info[0] >= 22 else sums
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(sums, [sums, operand, operand]),
        f"llvm.x86.avx512.vpdpbusd.{32 * lanes}",
    )
    return function, operand


def _emit_words(builder: Any, rows: int, o: _Operands) -> None:
    """Pairs of int16 products per int32 lane, two lanes per column."""
    for panel in range(PANELS):
        for first in range(0, rows, _NARROW_ROWS):
            _emit_words_of(builder, range(first, min(rows, first + _NARROW_ROWS)), panel, o)


def _emit_words_of(builder: Any, rows: range, panel: int, o: _Operands) -> None:
    """The rows whose sums stay in registers together."""
    words = ir.VectorType(_I16, QUAD_BYTES)
    products = ir.VectorType(_I32, QUAD_BYTES)
    acc = {r: _accumulator(builder, ir.VectorType(_I32, QUAD_BYTES // 2)) for r in rows}
    with cgutils.for_range(builder, o.quads, intp=_I64) as loop:
        offset = builder.shl(loop.index, _I64(_QUAD_SHIFT))
        at = builder.add(o.w, offset)
        if rows.start == 0:
            _fetch_ahead(builder, o, offset, range(panel, panel + 1))
        bytes_ = _load(builder, _at(builder, at, o.stride, panel), ir.VectorType(_I8, QUAD_BYTES))
        weights = builder.sext(builder.sext(bytes_, words), products)
        here = builder.add(o.x, builder.shl(loop.index, _I64(_WORDS_SHIFT)))
        for r in rows:
            place = _at(builder, here, o.x_stride, r)
            quad = _broadcast(builder, _load(builder, place, _I64), COLUMNS)
            quad = builder.sext(builder.bitcast(quad, words), products)
            # The compiler makes one pmaddwd of this.
            added = _pairwise(builder, builder.mul(weights, quad))
            builder.store(builder.add(builder.load(acc[r]), added), acc[r])
    for r in rows:
        total = _pairwise(builder, builder.load(acc[r]))
        out = _at(builder, o.out, o.out_stride, r)
        _store(builder, total, builder.add(out, _I64(_PANEL_SUM_BYTES * panel)))


def _pairwise(builder: Any, vector: Any) -> Any:
    """The sums of a vector's neighbors, half as many."""
    count = vector.type.count
    indices = ir.VectorType(_I32, count // 2)
    even, odd = (ir.Constant(indices, list(range(i, count, 2))) for i in (0, 1))
    return builder.add(
        builder.shuffle_vector(vector, vector, even), builder.shuffle_vector(vector, vector, odd)
    )


def _tile(rows: int) -> Any:
    """An intrinsic: `rows` packed rows times two panels; arguments as in `_Operands`."""

    @intrinsic
    def tile(
        typing_context: Any,
        w: Any,
        stride: Any,
        quads: Any,
        x: Any,
        x_stride: Any,
        limb: Any,
        out: Any,
        out_stride: Any,
        ahead: Any,
        ahead_stride: Any,
    ) -> Any:
        signature = types.void(*[types.int64] * len(_Operands._fields))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            emit = _emit_bytes if USES_BYTES else _emit_words
            emit(builder, rows, _Operands(*arguments))
            return context.get_dummy_value()

        return signature, generate

    return tile


tile_1, tile_2, tile_3, tile_6 = (_tile(rows) for rows in (1, 2, 3, MAX_ROWS))
"""Tiles of so many rows; what is left of others is done with two or three of them."""
