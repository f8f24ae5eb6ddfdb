"""A pool of processes on this machine, each with its share of the processor.

Calls and results go through pipes, so that nothing is needed which a system can be short
of: no shared memory, no semaphores, no process that tracks them. A process is started
when a call comes and none is idle. Each has a place of its own: threads, and perhaps a GPU.
"""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from typing import Any

from coder.messages import say_once
from nacrith.errors import DeviceError
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers.messages import receive, send
from nacrith.workers.over_executor import NoWorkersError, OverExecutor
from nacrith.workers.place import Place, processor_places

# The same modules as here, whatever lies in the working folder. What keeps the process from
# starting is one line.
_CODE = """
import sys
sys.path = sys.argv[2:]
try:
    from nacrith.workers.child import main
    main(sys.argv[1])
except Exception as error:
    sys.exit(f"nacrith: a worker process: {type(error).__name__}: {error}")
"""

_MAX_FAILURES = 2
"""A place where so many processes have not begun is given up, and a GPU whose process has died so
often: who would go on there would fail the frames."""

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
    pool = ProcessPool(processor_places(n_workers, threads))
    return OverExecutor(lambda: pool, n_workers, progress, pool.done)


class ProcessPool(Executor):
    """Processes that stop at once when they are no longer wanted, in the middle of a call.

    A call whose process dies fails; the next one starts another. A GPU that fails gets no more
    calls.
    """

    def __init__(self, places: Sequence[Place], instead: Sequence[Place] = ()) -> None:
        """
        Args:
            places: where processes run, one each.
            instead: where they do when none of `places` is of use any more.
        """
        self._unused = deque(places)
        self._instead = list(instead)
        self._failures: Counter[Place] = Counter()
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._threads = [self._new_thread() for _ in places]
        self._lock = threading.Lock()
        # Guarded by the lock, so that no process is started after the last was killed.
        self._processes: list[_Process] = []
        self._closed = False
        self._idle: deque[_Process] = deque()
        self._done_by_dead = 0
        # Threads that take calls; at most as many as there are places, but for the last.
        self._serving = len(self._threads)
        self._problem = ""

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
        with self._lock:
            self._start_threads()
            if not self._threads:
                raise NoWorkersError(self._problem)
        return call.future

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._serve, daemon=True)

    def _start_threads(self) -> None:
        for thread in list(self._threads):
            if thread.ident is None:
                try:
                    thread.start()
                except RuntimeError as error:
                    # Where processes are few, threads count as such.
                    self._threads.remove(thread)
                    self._serving -= 1
                    self._problem = str(error)

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
            if not call.is_taken and not call.future.set_running_or_notify_cancel():
                continue
            call.is_taken = True
            try:
                result = self._run(call)
            except _NotStartedError:
                self._calls.put(call)
            except BaseException as error:
                call.future.set_exception(error)
            else:
                call.future.set_result(result)
                # What was fetched is not to be kept until the next call.
                del result
            del call
            if self._is_one_too_many():
                return

    def _is_one_too_many(self) -> bool:
        """Has this thread no place any more?"""
        with self._lock:
            surplus = self._serving > max(1, len(self._unused) + len(self._processes))
            self._serving -= surplus
            return surplus

    def _run(self, call: "_Call") -> Any:
        process = self._idle_process()
        place = process.place
        try:
            process.wait_until_ready()
            kind, value = process.answer(call)
        except BaseException as error:
            self._end(process)
            if not isinstance(error, (EOFError, OSError)):
                raise
            how = process.how_it_ended()
            if not process.is_ready:
                raise self._not_started(place, how) from error
            if place.name and not self._closed:
                self._count_failure(place, f"{place.name}: {how}")
            raise _DiedError(how) from error
        if isinstance(value, DeviceError) and kind == "error":
            process.kill()
            self._end(process)
            self._give_up(place)
            raise DeviceError(f"{place.name} failed: {value}")
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
            if not self._unused:
                raise NoWorkersError(self._problem)
            place = self._unused.popleft()
            try:
                process = _Process(place)
            except OSError as error:
                self._unused.append(place)
                problem = error.strerror or str(error)
            else:
                self._processes.append(process)
                return process
        raise self._not_started(place, problem)

    def _not_started(self, place: Place, problem: str) -> Exception:
        """Count it; what to raise."""
        if self._closed:
            return CancelledError()
        self._count_failure(place, problem)
        return _NotStartedError()

    def _count_failure(self, place: Place, problem: str) -> None:
        self._problem = problem
        self._failures[place] += 1
        if self._failures[place] < _MAX_FAILURES:
            return
        if self._idle or place.name:
            say_once(f"a worker is given up: {problem}")
        self._give_up(place)

    def _give_up(self, place: Place) -> None:
        """Start no process there any more."""
        with self._lock:
            if place in self._unused:
                self._unused.remove(place)
            if self._closed or self._unused or self._processes:
                return
            self._unused.extend(self._instead)
            self._instead.clear()
            # This thread is one of them.
            more = [self._new_thread() for _ in range(len(self._unused) - self._serving)]
            self._threads += more
            self._serving += len(more)
            self._start_threads()

    def _end(self, process: "_Process") -> None:
        process.end()
        with self._lock:
            if process in self._processes:
                self._processes.remove(process)
                self._done_by_dead += process.done_in_calls
                self._unused.append(process.place)


class _DiedError(Exception):
    """A process has ended in the middle of a call."""


class _NotStartedError(Exception):
    """No process could be started for a call; it may be tried again."""


class _Call:
    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.function = function
        self.args = args
        self.future: Future[Any] = Future()
        self.is_taken = False


class _Process:
    """Attributes:
    place: what was given.
    is_ready: has it started?
    done: bytes of the original in all calls so far.
    done_in_calls: the same, in calls that have ended.
    """

    def __init__(self, place: Place) -> None:
        """Raises OSError."""
        self.place = place
        self.is_ready = False
        self.done = self.done_in_calls = 0
        self._popen = subprocess.Popen(
            [sys.executable, "-c", _CODE, place.device, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **place.variables},
        )
        self.pid = self._popen.pid

    def wait_until_ready(self) -> None:
        """Raises EOFError, OSError: it ended before."""
        while not self.is_ready:
            assert self._popen.stdout
            self.is_ready = pickle.loads(receive(self._popen.stdout.fileno()))[0] == "ready"

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
