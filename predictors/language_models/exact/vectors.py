"""Pieces of LLVM IR that tiles are made of: a few packed rows times two panels of weights."""

from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from coder.prefetch import SECOND_CACHE, emit_prefetch, prefetch_into
from predictors.language_models.exact.panels import COLUMNS, PANELS, QUAD, VNNI_LANES

_I8, _I32, _I64 = (ir.IntType(n) for n in (8, 32, 64))

# What is read next is fetched into the second cache: the first has no room for a tile beside the
# one that is read (measured: 8 rows of bytes take 11 ms instead of 16, attention of 64 streams a
# third less).
fetch = prefetch_into(SECOND_CACHE)
"""Tell the processor that the cache line at an int64 address will be read."""

Operands = namedtuple(
    "Operands", "w stride quads x x_stride limb out out_stride ahead ahead_stride"
)
Operands.__doc__ = """Arguments of a tile, all int64; addresses are integers.

w: address of the first panel. stride: bytes to the next panel. quads: k / 4.
x: address of the first row. x_stride: bytes to the next row. limb: bytes from a row's first
bytes to its high limbs, or to its tail. out: address of the sums. out_stride: bytes to the next
row's sums.
ahead, ahead_stride: like w and stride, of what will be read later: its cache lines are fetched
meanwhile, as many as the two panels have.
"""


def _zero(vector: Any) -> Any:
    return ir.Constant(vector, [0] * vector.count)


def load(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=1)


def fetch_ahead(builder: Any, o: Operands, offset: Any, panels: range) -> None:
    """Fetch what is at this offset of the next tile's panels."""
    at = builder.add(o.ahead, offset)
    for panel in panels:
        emit_prefetch(builder, at_index(builder, at, o.ahead_stride, panel), SECOND_CACHE)


def store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=1)


def broadcast(builder: Any, scalar: Any, count: int) -> Any:
    vector = ir.VectorType(scalar.type, count)
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, _I32(0))
    return builder.shuffle_vector(first, undefined, _zero(ir.VectorType(_I32, count)))


def accumulator(builder: Any, vector: Any) -> Any:
    """A variable that is 0 here; LLVM keeps it in a register."""
    place = cgutils.alloca_once_value(builder, _zero(vector))
    builder.store(_zero(vector), place)
    return place


def at_index(builder: Any, address: Any, stride: Any, index: int) -> Any:
    """address + stride * index."""
    return builder.add(address, builder.mul(stride, _I64(index)))


def register_groups(rows: int, most: int) -> Iterator[tuple[range, int, int]]:
    """What of a tile is done together with vpdpbusd, since its sums fit the registers.

    Args:
        most: rows of one panel for which there are registers of 256 bits; those of 512 bits
            are enough for all rows of a tile.

    Yields:
        Rows, the first of their panels, and how many panels.
    """
    wide = VNNI_LANES == COLUMNS
    panels = PANELS if wide else 1
    group = rows if wide else most
    for panel in range(0, PANELS, panels):
        for first in range(0, rows, group):
            yield range(first, min(rows, first + group)), panel, panels


def load_weights(
    builder: Any, o: Operands, offset: Any, panel: int, panels: int, kind: Any
) -> list[Any]:
    """The weights of a quad in vectors of so many panels, in registers of vpdpbusd.

    Args:
        offset: of the quad in a panel, in bytes. kind: of vector.
    """
    at = builder.add(o.w, offset)
    parts = COLUMNS // VNNI_LANES
    found = []
    for v in range(panels * parts):
        place = at_index(builder, at, o.stride, panel + v // parts)
        place = builder.add(place, _I64(v % parts * QUAD * VNNI_LANES))
        found.append(load(builder, place, kind))
    return found


def load_quad(builder: Any, address: Any, operand: Any) -> Any:
    """Four bytes of a row, the same for each column; `operand`: see `dot_product`."""
    quad = broadcast(builder, load(builder, address, _I32), VNNI_LANES)
    return quad if quad.type == operand else builder.bitcast(quad, operand)


def dot_product(builder: Any, lanes: int) -> tuple[Any, Any]:
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


def tile_of(emit: Callable[[Any, int, Operands], None], rows: int) -> Any:
    """An intrinsic: `rows` packed rows times two panels; arguments as in `Operands`."""

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
        signature = types.void(*[types.int64] * len(Operands._fields))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            emit(builder, rows, Operands(*arguments))
            return context.get_dummy_value()

        return signature, generate

    return tile
