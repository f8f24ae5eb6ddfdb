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

NEAREST_CACHE, SECOND_CACHE = 3, 2
"""Where to, as LLVM counts them."""

_READ, _DATA = 0, 1


def emit_prefetch(builder: Any, address: Any, cache: int) -> None:
    """LLVM IR that fetches the cache line at an address, int64, into a cache."""
    pointer = ir.IntType(8).as_pointer()
    number = ir.IntType(32)
    # Whole names of LLVM's intrinsics depend on the type of pointers.
    name = "llvm.prefetch.p0" if llvm.llvm_version_info[0] >= 17 else "llvm.prefetch.p0i8"
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(ir.VoidType(), [pointer, number, number, number]), name
    )
    hints = [number(n) for n in (_READ, cache, _DATA)]
    builder.call(function, [builder.inttoptr(address, pointer), *hints])


def prefetch_into(cache: int) -> Any:
    """An intrinsic that fetches the cache line at an address, int64, into a cache."""

    @intrinsic
    def fetch(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            emit_prefetch(builder, arguments[0], cache)
            return context.get_dummy_value()

        return types.void(types.int64), generate

    return fetch


_prefetch = prefetch_into(NEAREST_CACHE)


@inlined
def prefetch(array: Any, place: int) -> None:
    """Fetch the cache line of array[place], of a contiguous array of any number of dimensions.

    Args:
        place: counted in elements of the whole array.
    """
    _prefetch(array.ctypes.data + place * array.itemsize)
