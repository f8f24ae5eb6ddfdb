"""A team of threads that runs one kernel in phases, with spinning barriers between.

A step of the model has some 300 phases of a few microseconds each: waking threads
for each of them would take longer than the work. The counters lie in one array;
`take` hands out the items of a phase one by one, so that a thread that was held up
delays nobody for long.
"""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

# A thread that waits longer than this (some 10 microseconds) waits for one that another
# program keeps from running. It then sleeps: the system lets a thread that woke up
# go first, but not one that spins, and each barrier would take a time slice.
_SPINS = 10_000
_NAP = 20

_can_sleep = sys.platform != "win32"
_sleep = types.ExternalFunction("usleep", types.int32(types.uint32))


@intrinsic
def _add(typing_context, address, value):
    """Atomically add to the int64 at an address; return what was there before."""

    def generate(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", pointer, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def _read(typing_context, address):
    """Atomically read the int64 at an address."""

    def generate(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load_atomic(pointer, "seq_cst", 8)

    return types.int64(types.int64), generate


@njit(nogil=True, cache=True, error_model="numpy")
def take(counters, phase, count):
    """The next item of a phase: 0 .. count - 1, then numbers ≥ count."""
    return _add(counters.ctypes.data + 8 * (8 + phase), 1)


@njit(nogil=True, cache=True, error_model="numpy")
def wait(counters, threads, phase):
    """Wait until all threads have come to the end of this phase."""
    if threads == 1:
        return
    address = counters.ctypes.data
    _add(address, 1)
    target = threads * (phase + 1)
    spins = 0
    while _read(address) < target:
        spins += 1
        if _can_sleep and spins > _SPINS:
            _sleep(np.uint32(_NAP))


def new_counters(phases: int) -> np.ndarray:
    """[8 + phases] int64: the barrier, alone in its cache line, and a counter per phase."""
    return np.zeros(8 + phases, dtype=np.int64)


class Team:
    """T threads that run the same function, the calling one among them."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self._lock = threading.Lock()

    def run(self, work: Callable[[int], object]) -> None:
        """Call work(0) .. work(T - 1) at the same time; return when all have."""
        with self._lock:
            helpers = []
            if self._pool:
                helpers = [self._pool.submit(work, i) for i in range(1, self.threads)]
            work(0)
            for helper in helpers:
                helper.result()

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown()
