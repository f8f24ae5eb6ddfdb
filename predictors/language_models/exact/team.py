"""A team of threads that share jobs: one gives them, the others help."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


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

    def join(self, job: Job) -> None:
        """Call work(0) of this job and those before it.

        Where that returns only when all is done, whoever did it, all is done then; a helper may
        still be on its way back.
        """
        while job in self._jobs:
            # A job leaves the list when it is done, so an exception here leaves it there.
            self._jobs[0].work(0)
            self._jobs.popleft()

    def finish(self, job: Job) -> None:
        """`join`, and wait for the job's helpers: what they use can be used for something else."""
        self.join(job)
        for helper in job.helpers:
            helper.result()

    def close(self) -> None:
        """Let the helpers end what they are at, and forget the rest."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
