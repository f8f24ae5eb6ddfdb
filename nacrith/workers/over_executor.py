"""Frames over a `concurrent.futures.Executor`, results in order, memory bounded."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from coder.messages import say_once
from nacrith.codec.codec_request import CodecRequest
from nacrith.errors import DeviceError, NacrithError, WorkerError
from nacrith.format.frame import Frame
from nacrith.format.header import ModelRecord
from nacrith.system import signals
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers import jobs
from nacrith.workers.this_thread import InThisThread

MAX_FAILURES = 3
"""A frame that fails so often fails the run. Its last try is on the processor."""

_POLL_SECONDS = 0.2


class _Task:
    """A call that is under way, with what is needed to begin it again."""

    def __init__(self, call: tuple[Any, ...]) -> None:
        self.call = call
        self.failures = 0
        self.future: Future[Any]


class NoWorkersError(Exception):
    """An executor has no worker any more, and can't have another one."""


class OverExecutor:
    """Workers behind an executor: a pool of processes, a cluster.

    At most two frames per worker are under way or wait to be fetched, so memory does not
    depend on the length of the input. A frame whose worker dies, or whose GPU fails, is given to
    another. If there can be no workers, this process goes on alone.
    """

    def __init__(
        self,
        make_executor: Callable[[], Executor],
        n_workers: int,
        progress: Progress = NO_PROGRESS,
        done: Callable[[], int] | None = None,
    ) -> None:
        """
        Args:
            make_executor: called at the first frame, and after its executor has broken.
            done: bytes of the original that all workers have done so far, if they tell;
                else progress is reported by whole frames.
        """
        self._make_executor = make_executor
        self._executor: Executor | None = None
        self._limit = 2 * n_workers
        self._progress = progress
        self._done = done
        self._fetched = 0
        self._tasks: deque[_Task] = deque()

    def takes_alone(self, request: CodecRequest | None, size: int) -> bool:
        return False

    def model_record(self, request: CodecRequest) -> ModelRecord | None:
        (record,) = self._map((jobs.model_record, request) for _ in range(1))
        return record

    def encode(self, request: CodecRequest | None, blocks: Iterable[bytes]) -> Iterator[Frame]:
        for frame in self._map((jobs.encode, request, block) for block in blocks):
            self._fetched += frame.original_size
            self._tell()
            yield frame

    def decode(
        self, request: CodecRequest | None, frames: Iterable[tuple[Frame, range]]
    ) -> Iterator[bytes]:
        for block in self._map((jobs.decode, request, *task) for task in frames):
            self._fetched += len(block)
            self._tell()
            yield block

    def close(self) -> None:
        # What is still under way is of no use to anyone.
        self._shut_down()
        self._tasks.clear()

    def _shut_down(self) -> None:
        if self._executor:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = None

    def _map(self, calls: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield the results of the calls in their order."""
        for call in calls:
            task = _Task(call)
            self._tasks.append(task)
            self._submit(task)
            if len(self._tasks) >= self._limit:
                yield self._first_result()
        while self._tasks:
            yield self._first_result()

    def _submit(self, task: _Task) -> None:
        if self._executor is None:
            self._progress.stage(f"starting {self._limit // 2} workers")
            self._executor = self._make_executor()
        try:
            task.future = self._executor.submit(*task.call)
        except (BrokenExecutor, NoWorkersError) as error:
            task.future = Future()
            task.future.set_exception(error)

    def _first_result(self) -> Any:
        """Wait for the oldest task, beginning it again if it fails."""
        task = self._tasks[0]
        while True:
            signals.check()
            try:
                result = task.future.result(timeout=_POLL_SECONDS)
                self._tasks.popleft()
                return result
            except DeviceError as error:
                say_once(f"{error}; its frame goes to another worker")
                self._count_failure(task, error)
                self._submit(task)
            except NacrithError:
                raise
            except NoWorkersError as error:
                self._go_on_alone(error)
            except NotYet as error:
                if task.future.done() and task.future.exception() is error:
                    # The call's own, as of a file on a network.
                    self._count_failure(task, error)
                    self._submit(task)
                else:
                    self._tell()
            except (BrokenExecutor, CancelledError) as error:
                # Any of the tasks under way may have been the cause.
                self._start_again(error)
            except Exception as error:
                self._count_failure(task, error)
                self._submit(task)

    def _start_again(self, error: BaseException) -> None:
        self._shut_down()
        for task in self._tasks:
            if not task.future.done() or task.future.cancelled() or task.future.exception():
                self._count_failure(task, error)
                self._submit(task)

    def _go_on_alone(self, error: NoWorkersError) -> None:
        say_once(f"no worker can be started ({error}); this process goes on alone")
        self._shut_down()
        self._make_executor, self._executor = InThisThread, InThisThread()
        self._limit = 1
        for task in self._tasks:
            if not task.future.done() or task.future.cancelled() or task.future.exception():
                self._submit(task)

    def _count_failure(self, task: _Task, error: BaseException) -> None:
        task.failures += 1
        if task.failures == MAX_FAILURES - 1:
            task.call = (jobs.on_processor, *task.call)
        if task.failures == MAX_FAILURES:
            raise WorkerError(
                f"a frame has failed {MAX_FAILURES} times in the workers, at last with: "
                f"{error or type(error).__name__}; try fewer --workers"
            ) from error

    def _tell(self) -> None:
        done = max(self._done(), self._fetched) if self._done else self._fetched
        self._progress.update(done, 0, 0)
