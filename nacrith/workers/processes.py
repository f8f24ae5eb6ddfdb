"""A pool of processes on this machine, each with its share of the processor.

Calls and results go through pipes, so that nothing is needed which a system can be short
of: no shared memory, no semaphores, no process that tracks them. A process is started
when a call comes and none is idle.
"""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from typing import Any

from coder.messages import say_once
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers.messages import receive, send
from nacrith.workers.over_executor import OverExecutor

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NACRITH_THREADS",
)
"""What limits the threads of the libraries in use, and of our own kernels."""

# The same modules as here, whatever lies in the working folder.
_CODE = "import sys; sys.path = sys.argv[1:]; from nacrith.workers.child import main; main()"

_END_SECONDS = 1.0
"""A process that no longer answers has so long to end by itself."""

_JOIN_SECONDS = 5.0
"""So long, at most, is waited for processes that were killed."""


def process_workers(
    n_workers: int,
    threads: int,
    progress: Progress = NO_PROGRESS,
) -> OverExecutor:
    """Workers that are processes.

    Args:
        n_workers: number of processes.
        threads: of each.
    """
    environments = [dict.fromkeys(THREAD_VARIABLES, str(threads)) for _ in range(n_workers)]
    pool = ProcessPool(environments)
    return OverExecutor(lambda: pool, n_workers, progress, pool.done)


class ProcessPool(Executor):
    """Processes that stop at once when they are no longer wanted, in the middle of a call.

    A call whose process dies fails; the next one starts another.
    """

    def __init__(self, environments: Sequence[dict[str, str]]) -> None:
        """`environments`: of each process, what differs from this one's."""
        self._unused = deque(environments)
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, daemon=True) for _ in range(len(environments))
        ]
        self._lock = threading.Lock()
        # Guarded by the lock, so that no process is started after the last was killed.
        self._processes: list[_Process] = []
        self._closed = False
        self._idle: deque[_Process] = deque()
        self._done_by_dead = 0

    @property
    def pids(self) -> list[int]:
        """Process ids of those that have been started and not ended."""
        return [process.pid for process in self._processes]

    def done(self) -> int:
        """Bytes of the original that all processes have done so far."""
        return self._done_by_dead + sum(process.done for process in self._processes)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self._closed:
            raise RuntimeError("the processes have been shut down")
        call = _Call(function, args)
        self._calls.put(call)
        for thread in self._threads:
            if thread.ident is None:
                thread.start()
        return call.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all processes at once, and wait until they are gone."""
        with self._lock:
            self._closed = True
            for process in self._processes:
                process.kill()
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_JOIN_SECONDS)
        for process in list(self._processes):
            self._end(process)

    def _serve(self) -> None:
        """Run calls one by one in idle processes."""
        # What a terminal sends to all processes is for the main one to act on. A process
        # inherits this from the thread that starts it, and so has it from its first
        # instruction.
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        while call := self._calls.get():
            if not call.future.set_running_or_notify_cancel():
                continue
            try:
                result = self._run(call)
            except BaseException as error:
                call.future.set_exception(error)
            else:
                call.future.set_result(result)
                # What was fetched is not to be kept until the next call.
                del result
            del call

    def _run(self, call: "_Call") -> Any:
        process = self._idle_process()
        try:
            kind, value = process.answer(call)
        except BaseException as error:
            self._end(process)
            if isinstance(error, (EOFError, OSError)):
                raise _Died(process.how_it_ended()) from error
            raise
        self._idle.append(process)
        if kind == "error":
            raise value
        return value

    def _idle_process(self) -> "_Process":
        with self._lock:
            if self._closed:
                raise CancelledError
            if self._idle:
                return self._idle.pop()
            process = _Process(self._unused[0])
            self._unused.popleft()
            self._processes.append(process)
            return process

    def _end(self, process: "_Process") -> None:
        process.end()
        with self._lock:
            if process in self._processes:
                self._processes.remove(process)
                self._done_by_dead += process.done_in_calls
                self._unused.append(process.environment)


class _Died(Exception):
    """A process has ended in the middle of a call."""


class _Call:
    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args
        self.future: Future[Any] = Future()


class _Process:
    """Attributes:
    environment: what was given.
    done: bytes of the original in all calls so far.
    done_in_calls: the same, in calls that have ended.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.done = self.done_in_calls = 0
        self._popen = subprocess.Popen(
            [sys.executable, "-c", _CODE, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **environment},
        )
        self.pid = self._popen.pid

    def answer(self, call: _Call) -> tuple[str, Any]:
        """Run a call; return `result` and what it returned, or `error` and what it raised.

        Raises:
            EOFError, OSError: the process has died.
        """
        assert self._popen.stdin and self._popen.stdout
        send(self._popen.stdin.fileno(), (call.function, call.args))
        while True:
            kind, value = pickle.loads(receive(self._popen.stdout.fileno()))
            if kind == "bytes":
                self.done = value
            elif kind == "log":
                say_once(*value)
            else:
                self.done_in_calls = self.done
                return kind, value

    def kill(self) -> None:
        self._popen.kill()

    def end(self) -> None:
        """Wait for its end, not long, and close the pipes."""
        try:
            self._popen.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe:
                pipe.close()

    def how_it_ended(self) -> str:
        code = self._popen.returncode
        if code < 0:
            return f"a worker process was ended by signal {-code}"
        return f"a worker process has ended with exit code {code}"
