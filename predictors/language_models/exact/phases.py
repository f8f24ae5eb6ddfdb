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
from predictors.language_models.exact.vectors import fetch

# A thread that waits longer than this (some 10 microseconds) waits for one that another
# program keeps from running. It then sleeps: the system lets a thread that woke up go
# first, but not one that spins. Measured with one stream beside two busy processes: 1.7
# tokens a second without sleep, 59 with it, because each phase took a time slice.
_MAX_SPINS = 10_000
_SLEEP_MICROSECONDS = 20

_CAN_SLEEP = sys.platform != "win32"
_usleep = types.ExternalFunction("usleep", types.int32(types.uint32))

_WORD = 8
_LINE = 64
"""Bytes of a counter, and of a cache line: counters of two phases must not share one."""

_DONE = _WORD
_TAKEN_OF_THREADS = 2 * _WORD
"""From the number of items taken to those done, and to those taken of each thread's own."""


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
def items(address, count, ahead):
    """The items of a phase that this thread gets; ends when all are done, by whomever.

    Args:
        address: of `address_of`.
        count: of the phase's items.
        ahead: [≥ 2] int64, this thread's: addresses of what it is to fetch while it waits, from
            the first one, which is moved on, up to the second.

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
    _end(address, done, count, ahead)


@kernel(cache=False)
def items_ahead(address, count, ahead):
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
    _end(address, done, count, ahead)


@kernel
def first_own(count, thread, threads):
    """The first of a thread's own items: they are shared out evenly, in their order."""
    return count * thread // threads


@kernel(cache=False)
def own_items_ahead(address, count, thread, threads, ahead):
    """Like `items_ahead`, a thread's own items first and then what the others have left.

    Yields:
        (item, next one); the next one of the last is `count`.
    """
    done = 0
    item = _take(address, count, thread, threads)
    while item < count:
        following = _take(address, count, thread, threads)
        done += 1
        yield item, following
        item = following
    _end(address, done, count, ahead)


@kernel
def _take(address, count, thread, threads):
    """The next item of `own_items_ahead`; `count` if none is left."""
    for i in range(threads):
        owner = (thread + i) % threads
        item = first_own(count, owner, threads)
        item += _add(address + _TAKEN_OF_THREADS + _WORD * owner, 1)
        if item < first_own(count, owner + 1, threads):
            return item
    return count


@kernel
def _end(address, done, count, ahead):
    """This thread has done so many items of a phase, and gets no more: wait for the others."""
    if done > 0:
        _add(address + _DONE, done)
    _wait(address + _DONE, count, ahead)


@kernel
def _wait(address, count, ahead):
    """Wait until the int64 at an address is at least `count`; meanwhile fetch what is ahead."""
    spins = 0
    while _read(address) < count:
        if ahead[0] < ahead[1]:
            fetch(ahead[0])
            ahead[0] += _LINE
            continue
        spins += 1
        if _CAN_SLEEP and spins > _MAX_SPINS:
            _usleep(np.uint32(_SLEEP_MICROSECONDS))


def new_counters(phases: int, threads: int) -> npt.NDArray[np.int64]:
    """[phases, a multiple of 8] int64 zeros: items taken, done, and taken of each thread's own."""
    lines = -(-(_TAKEN_OF_THREADS + _WORD * threads) // _LINE)
    return np.zeros((phases, lines * _LINE // _WORD), dtype=np.int64)
