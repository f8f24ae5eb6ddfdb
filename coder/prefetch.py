"""Tells the processor what will be read: a hint, which changes no result.

A table of some megabytes is in no cache near the processor, and what is read there takes
longer than all that is computed with it. What is asked for beforehand is there in time.
"""

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from coder.kernels import inlined

_READ, _NEAREST_CACHE, _DATA = 0, 3, 1


@intrinsic
def _prefetch(typing_context: Any, address: Any) -> Any:
    """Of the cache line at an address, int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        name = "llvm.prefetch.p0" if llvm.llvm_version_info[0] >= 17 else "llvm.prefetch.p0i8"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer, number, number, number]), name
        )
        hints = [number(n) for n in (_READ, _NEAREST_CACHE, _DATA)]
        builder.call(function, [builder.inttoptr(arguments[0], pointer), *hints])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@inlined
def prefetch(array: Any, place: int) -> None:
    """Fetch the cache line of array[place], of a contiguous array of any number of dimensions.

    Args:
        place: counted in elements of the whole array.
    """
    _prefetch(array.ctypes.data + place * array.itemsize)
