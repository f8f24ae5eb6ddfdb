"""Integer products: int8 weights times 16-bit rows, with int32 sums.

The one kernel of the backend, in LLVM IR. Sums are modulo 2**32; the callers see
to it that the true sum fits int32, so whatever happens on the way cancels.

Weights lie in *panels* of 16 columns, [k / 4, 16, 4] int8: four consecutive k of
a column are neighbors, as the dot-product instructions want them. The rows to
multiply are packed by `pack` in the form that the machine's instructions want:

- AVX512-VNNI and AVX-VNNI multiply unsigned by signed bytes: a row is its low bytes,
  then its high bytes, as unsigned 16-bit numbers (an `OFFSET` makes them so).
- Everything else multiplies pairs of int16 (`pmaddwd` and its like).
"""

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from coder.kernels import njit

COLUMNS = 16
"""Columns of a panel."""

TILE_COLUMNS = 2 * COLUMNS
"""A tile takes two panels at once."""

MAX_ROWS = 6
"""Rows of the largest tile."""


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
# Rows whose sums stay in the 16 registers of AVX2; the 32 of AVX-512 hold six.
_GROUP = 3


def _zero(vector: ir.VectorType) -> ir.Constant:
    return ir.Constant(vector, [0] * vector.count)


def _load(builder, address, kind, align=1):
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=align)


def _store(builder, value, address):
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=1)


def _broadcast(builder, scalar, count):
    vector = ir.VectorType(scalar.type, count)
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, scalar, _I32(0))
    return builder.shuffle_vector(first, undefined, _zero(ir.VectorType(_I32, count)))


def _emit_bytes(builder, rows, w, stride, k4, x, x_stride, limb, out, out_stride):
    """vpdpbusd: four products of bytes per int32 lane; two limbs per row."""
    lanes = VNNI_LANES
    parts = COLUMNS // lanes
    panels = 2 if lanes == 16 else 1
    sums = ir.VectorType(_I32, lanes)
    bytes_ = ir.VectorType(_I8, 4 * lanes)
    # LLVM 22 gave the intrinsic's operands their true type.
    operand = bytes_ if llvm.llvm_version_info[0] >= 22 else sums
    dot = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(sums, [sums, operand, operand]),
        f"llvm.x86.avx512.vpdpbusd.{32 * lanes}",
    )
    group = rows if lanes == 16 else _GROUP
    for first_panel in range(0, 2, panels):
        for first in range(0, rows, group):
            last = min(rows, first + group)
            keys = [
                (r, limb_, c)
                for r in range(first, last)
                for limb_ in (0, 1)
                for c in range(panels * parts)
            ]
            acc = {key: cgutils.alloca_once_value(builder, _zero(sums)) for key in keys}
            for key in keys:
                builder.store(_zero(sums), acc[key])
            with cgutils.for_range(builder, k4, intp=_I64) as loop:
                at = builder.add(w, builder.shl(loop.index, _I64(6)))
                weights = [
                    _load(
                        builder,
                        builder.add(
                            builder.add(at, builder.mul(stride, _I64(first_panel + c // parts))),
                            _I64(c % parts * 4 * lanes),
                        ),
                        operand,
                    )
                    for c in range(panels * parts)
                ]
                here = builder.add(x, builder.shl(loop.index, _I64(2)))
                for r in range(first, last):
                    row = builder.add(here, builder.mul(x_stride, _I64(r)))
                    for limb_ in (0, 1):
                        place = builder.add(row, limb) if limb_ else row
                        four = _broadcast(builder, _load(builder, place, _I32), lanes)
                        if operand is bytes_:
                            four = builder.bitcast(four, bytes_)
                        for c in range(panels * parts):
                            slot = acc[r, limb_, c]
                            value = builder.call(dot, [builder.load(slot), four, weights[c]])
                            builder.store(value, slot)
            eight = ir.Constant(sums, [8] * lanes)
            for r in range(first, last):
                for c in range(panels * parts):
                    low, high = (builder.load(acc[r, limb_, c]) for limb_ in (0, 1))
                    total = builder.add(low, builder.shl(high, eight))
                    place = builder.add(out, builder.mul(out_stride, _I64(r)))
                    offset = 64 * first_panel + 4 * lanes * c
                    _store(builder, total, builder.add(place, _I64(offset)))


def _emit_words(builder, rows, w, stride, k4, x, x_stride, limb, out, out_stride):
    """Pairs of int16 products per int32 lane, two lanes per column."""
    bytes_ = ir.VectorType(_I8, 64)
    words = ir.VectorType(_I16, 64)
    wide = ir.VectorType(_I32, 64)
    pairs = ir.VectorType(_I32, 32)
    even, odd = (ir.Constant(pairs, list(range(i, 64, 2))) for i in (0, 1))
    columns = ir.VectorType(_I32, 16)
    even_pairs, odd_pairs = (ir.Constant(columns, list(range(i, 32, 2))) for i in (0, 1))
    for panel in (0, 1):
        for first in range(0, rows, _GROUP):
            last = min(rows, first + _GROUP)
            acc = {r: cgutils.alloca_once_value(builder, _zero(pairs)) for r in range(first, last)}
            for slot in acc.values():
                builder.store(_zero(pairs), slot)
            with cgutils.for_range(builder, k4, intp=_I64) as loop:
                at = builder.add(w, builder.shl(loop.index, _I64(6)))
                at = builder.add(at, builder.mul(stride, _I64(panel)))
                weights = builder.sext(builder.sext(_load(builder, at, bytes_), words), wide)
                here = builder.add(x, builder.shl(loop.index, _I64(3)))
                for r in range(first, last):
                    place = builder.add(here, builder.mul(x_stride, _I64(r)))
                    four = _broadcast(builder, _load(builder, place, _I64), 16)
                    four = builder.sext(builder.bitcast(four, words), wide)
                    # The compiler makes one pmaddwd of this.
                    product = builder.mul(weights, four)
                    added = builder.add(
                        builder.shuffle_vector(product, product, even),
                        builder.shuffle_vector(product, product, odd),
                    )
                    builder.store(builder.add(builder.load(acc[r]), added), acc[r])
            for r in range(first, last):
                value = builder.load(acc[r])
                total = builder.add(
                    builder.shuffle_vector(value, value, even_pairs),
                    builder.shuffle_vector(value, value, odd_pairs),
                )
                place = builder.add(out, builder.mul(out_stride, _I64(r)))
                _store(builder, total, builder.add(place, _I64(64 * panel)))


def _tile(rows):
    """An intrinsic: `rows` packed rows times two panels.

    Arguments, all int64: address of the first panel, bytes to the next panel,
    k / 4, address of the first row, bytes to the next row, bytes from the low to
    the high limbs of a row, address of the sums, bytes to the next row's sums.
    """

    @intrinsic
    def tile(typing_context, w, stride, k4, x, x_stride, limb, out, out_stride):
        signature = types.void(*[types.int64] * 8)

        def generate(context, builder, signature, arguments):
            emit = _emit_bytes if USES_BYTES else _emit_words
            emit(builder, rows, *arguments)
            return context.get_dummy_value()

        return signature, generate

    return tile


_tile_1, _tile_2, _tile_3, _tile_6 = (_tile(rows) for rows in (1, 2, 3, 6))


@njit(nogil=True, cache=True, error_model="numpy")
def multiply_tile(rows, w, stride, k4, x, x_stride, limb, out, out_stride):
    """Sums of `rows` packed rows times two panels, for 1 to `MAX_ROWS` rows.

    Args: see `_tile`; addresses are integers.
    """
    done = 0
    while done < rows:
        left = rows - done
        at = x + done * x_stride
        to = out + done * out_stride
        if left >= 6:
            _tile_6(w, stride, k4, at, x_stride, limb, to, out_stride)
            done += 6
        elif left >= 3:
            _tile_3(w, stride, k4, at, x_stride, limb, to, out_stride)
            done += 3
        elif left == 2:
            _tile_2(w, stride, k4, at, x_stride, limb, to, out_stride)
            done += 2
        else:
            _tile_1(w, stride, k4, at, x_stride, limb, to, out_stride)
            done += 1


@njit(nogil=True, cache=True, error_model="numpy")
def pack(values, n, offset, packed):
    """Pack a row for `multiply_tile`.

    Args:
        values: [≥ n] int32 within int16, not below -`offset` where bytes are used.
        n: how many; a multiple of 4.
        offset: `OFFSET`, or 0 if no value is negative.
        packed: [2 n] uint8, written.
    """
    if USES_BYTES:
        low = packed[:n]
        high = packed[n : 2 * n]
        for i in range(n):
            low[i] = np.uint8((values[i] + offset) & 255)
        for i in range(n):
            high[i] = np.uint8((values[i] + offset) >> 8)
    else:
        words = packed.view(np.int16)
        for i in range(n):
            words[i] = np.int16(values[i])
