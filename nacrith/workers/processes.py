"""A pool of processes on this machine, each with its share of the processor or a GPU."""

import ctypes
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any

from nacrith.progress import NO_PROGRESS, Progress
from nacrith.workers.over_executor import OverExecutor

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NACRITH_THREADS",
)
"""What limits the threads of the libraries in use, and of our own kernels."""


# A fork would copy the threads' locks in whatever state they are.
_SPAWN = multiprocessing.get_context("spawn")


def process_workers(
    n_workers: int,
    threads: int,
    progress: Progress = NO_PROGRESS,
    gpus: Sequence[str] = (),
) -> OverExecutor:
    """Workers that are processes.

    Args:
        n_workers: number of processes.
        threads: of each.
        gpus: the GPUs that the processes see, one each, by turns; none = as they are.
    """
    done = _SPAWN.Array(ctypes.c_int64, n_workers, lock=False)
    return OverExecutor(
        lambda: _Pool(n_workers, threads, tuple(gpus), done),
        n_workers,
        progress,
        lambda: sum(done[:]),
    )


class _Pool(ProcessPoolExecutor):
    """Processes that stop at once when they are no longer wanted, in the middle of a group."""

    def __init__(self, n_workers: int, threads: int, gpus: tuple[str, ...], done: Any) -> None:
        numbers = _SPAWN.SimpleQueue()
        for number in range(n_workers):
            numbers.put(number)
        self._pids = _SPAWN.Array(ctypes.c_int64, n_workers, lock=False)
        super().__init__(n_workers, _SPAWN, _start, (numbers, self._pids, threads, gpus, done))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for pid in self._pids[:]:
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        super().shutdown(wait, cancel_futures=cancel_futures)


def _start(numbers: Any, pids: Any, threads: int, gpus: tuple[str, ...], done: Any) -> None:
    """Run in a new process, before any library that reads these variables is loaded."""
    number = numbers.get()
    pids[number] = os.getpid()
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads)
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
    # The main process decides what an interruption means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _tell_progress(number, done)


def _tell_progress(number: int, done: Any) -> None:
    """Let this process add up the bytes that it has done in `done[number]`."""
    from nacrith.workers import jobs

    jobs.report = jobs.SumOfBytes(lambda total: done.__setitem__(number, total))


def _die_with_parent() -> None:
    """A killed parent must not leave processes that compute for nobody."""
    parent = multiprocessing.parent_process()
    if parent:
        wait([parent.sentinel])
        os._exit(1)
