"""The phases of a step: independent items that threads take one by one, and a barrier.

A step of the model has some 300 phases of a few microseconds each: waking threads for
each of them would take longer than the work, so threads spin between the phases. Whoever
is free takes the next item, and a phase has ended when all its items are done, whoever
did them. So a thread that was held up delays nobody for long, and one that comes later,
because it was busy with something else, runs through the phases that have ended and joins
in.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from predictors.language_models.exact.kernel import kernel

# A thread that waits longer than this (some 10 microseconds) waits for one that another
# program keeps from running. It then sleeps: the system lets a thread that woke up go
# first, but not one that spins. Measured with one stream beside two busy processes: 1.7
# tokens a second without sleep, 59 with it, because each phase took a time slice.
_MAX_SPINS = 10_000
_SLEEP_MICROSECONDS = 20

_CAN_SLEEP = sys.platform != "win32"
_usleep = types.ExternalFunction("usleep", types.int32(types.uint32))

_CACHE_LINE_WORDS = 8
"""int64 in a cache line of 64 bytes: counters of two phases must not share one."""

_DONE_BYTES = 8
"""From the number of items taken to the number of items done."""


@intrinsic
def _add(typing_context: Any, address: Any, value: Any) -> Any:
    """Atomically add to the int64 at an address; return what was there before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", pointer, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def _read(typing_context: Any, address: Any) -> Any:
    """Atomically read the int64 at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load_atomic(pointer, "seq_cst", 8)

    return types.int64(types.int64), generate


@kernel
def address_of(counters, phase):
    """The address of a phase's counters, int64, for `items`."""
    return counters[phase].ctypes.data


# Not kept: numba does not find a generator again in what another process has compiled.
@kernel(cache=False)
def items(address, count):
    """The items of a phase that this thread gets; ends when all are done, by whomever.

    Args:
        address: of `address_of`.
        count: of the phase's items.

    Yields:
        Numbers below `count`; those of all threads together are each number once.
    """
    done = 0
    while True:
        item = _add(address, 1)
        if item >= count:
            break
        done += 1
        yield item
    _end(address, done, count)


@kernel(cache=False)
def items_ahead(address, count):
    """Like `items`, each with the one that this thread gets next, or itself if it is the last.

    Yields:
        (item, next one).
    """
    done = 0
    item = _add(address, 1)
    while item < count:
        following = _add(address, 1)
        done += 1
        yield item, following if following < count else item
        item = following
    _end(address, done, count)


@kernel
def _end(address, done, count):
    """This thread has done so many items of a phase, and gets no more: wait for the others."""
    if done > 0:
        _add(address + _DONE_BYTES, done)
    _wait(address + _DONE_BYTES, count)


@kernel
def _wait(address, count):
    """Wait until the int64 at an address is at least `count`."""
    spins = 0
    while _read(address) < count:
        spins += 1
        if _CAN_SLEEP and spins > _MAX_SPINS:
            _usleep(np.uint32(_SLEEP_MICROSECONDS))


def new_counters(phases: int) -> npt.NDArray[np.int64]:
    """[phases, 8] int64 zeros, a cache line per phase: items taken, items done."""
    return np.zeros((phases, _CACHE_LINE_WORDS), dtype=np.int64)
