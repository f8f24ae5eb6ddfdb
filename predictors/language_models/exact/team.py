"""A team of threads that runs jobs in phases, spinning between the phases.

A step of the model has some 300 phases of a few microseconds each: waking threads
for each of them would take longer than the work. `take` hands out the items of a phase
one by one, and a phase has ended when all its items are done, whoever did them. So
a thread that was held up delays nobody for long, and one that comes later, because it
was busy with something else, runs through the phases that have ended and joins in.
"""

import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from coder.kernels import njit

# A thread that waits longer than this (some 10 microseconds) waits for one that another
# program keeps from running. It then sleeps: the system lets a thread that woke up
# go first, but not one that spins, and each phase would take a time slice.
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
def take(counters, phase):
    """The next item of a phase: 0, 1, ...; past its last item the phase has no more."""
    return _add(counters[phase].ctypes.data, 1)


@njit(nogil=True, cache=True, error_model="numpy")
def finish(counters, phase, done, count):
    """Report `done` items of a phase, and wait until all `count` are."""
    address = counters[phase].ctypes.data + 8
    if done > 0:
        _add(address, done)
    spins = 0
    while _read(address) < count:
        spins += 1
        if _can_sleep and spins > _SPINS:
            _sleep(np.uint32(_NAP))


def new_counters(phases: int) -> np.ndarray:
    """[phases, 8] int64, a cache line per phase: items taken, items done."""
    return np.zeros((phases, 8), dtype=np.int64)


class Job:
    """Work that a team has begun; `work(i)` may come at any time, and again."""

    def __init__(self, work: Callable[[int], object]) -> None:
        self.work = work
        self.helpers: list[Future[object]] = []


class Team:
    """T threads: one that gives jobs, and T - 1 helpers that work meanwhile.

    Jobs are done in the order of their start. To be called by one thread at a time.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self._jobs: deque[Job] = deque()

    def start(self, work: Callable[[int], object]) -> Job:
        """Let the helpers call work(1) .. work(T - 1); return at once."""
        job = Job(work)
        if self._pool:
            job.helpers = [self._pool.submit(work, i) for i in range(1, self.threads)]
        self._jobs.append(job)
        return job

    def finish(self, job: Job) -> None:
        """Call work(0) and wait for the helpers, for this job and those before it."""
        while job in self._jobs:
            # A job leaves the list when it is done, so an exception here leaves it there.
            first = self._jobs[0]
            first.work(0)
            for helper in first.helpers:
                helper.result()
            self._jobs.popleft()

    def close(self) -> None:
        """Let the helpers end what they are at, and forget the rest."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
