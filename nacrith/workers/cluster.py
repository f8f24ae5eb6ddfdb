"""The workers of a Dask cluster, through its `Client.get_executor()`.

Workers with the resource label GPU compute on their GPU, and are given frames first.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from nacrith import __version__
from nacrith.errors import DeviceError, WorkerError
from nacrith.system.devices import CPU, CUDA
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers import jobs
from nacrith.workers.over_executor import OverExecutor

GPU_LABEL = "GPU"
"""The resource of workers that have one: `dask worker ADDRESS --resources GPU=1`."""

_AHEAD = 2
"""Frames that a GPU has at a time: one under way, and the next."""

TIMEOUT = 10
"""Seconds in which a scheduler must answer."""


def cluster_workers(address: str, progress: Progress = NO_PROGRESS) -> OverExecutor:
    """Workers of the cluster whose scheduler listens at `address` (tcp://host:port).

    Raises:
        WorkerError: Dask is not installed, there is no cluster, or its workers lack this
            version of nacrith.
    """
    first = _connect(address)
    unused = [first]

    def connect() -> Executor:
        return unused.pop() if unused else _connect(address)

    return OverExecutor(connect, first.n_workers, progress)


def _connect(address: str) -> "_Cluster":
    try:
        from distributed import Client
    except ImportError as error:
        raise WorkerError(
            "--cluster needs Dask: pip install 'nacrith[cluster]', here and on the workers"
        ) from error
    try:
        with _quiet():
            # A client that can't connect leaves threads that end with a traceback.
            asyncio.run(_greet(address))
            client = Client(address, timeout=f"{TIMEOUT}s", set_as_default=False)
    except Exception as error:
        # Dask lets through what the protocol's library raises.
        raise WorkerError(
            f"no Dask scheduler answers at {address} (an address looks like tcp://host:8786): "
            f"{_first_line(error)}"
        ) from error
    return _Cluster(client)


async def _greet(address: str) -> None:
    """Connect, exchange Dask's greetings, and part again."""
    from distributed import Security
    from distributed.comm import connect

    arguments = Security().get_connection_args("client")
    connecting = connect(address, timeout=TIMEOUT, **arguments)
    try:
        # Dask's own limit is for the connection, not for the greeting.
        comm = await asyncio.wait_for(connecting, TIMEOUT)
    except asyncio.TimeoutError as error:
        raise OSError(f"no greeting within {TIMEOUT} s") from error
    comm.abort()


@contextmanager
def _quiet() -> Iterator[None]:
    """No log of Dask's attempts: what is wrong is said once, by an exception."""
    log = logging.getLogger("distributed")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _version() -> str:
    try:
        from nacrith import __version__
    except ImportError:
        return "none"
    return __version__


def _has_gpu(dask_worker: Any) -> bool:
    return bool(dask_worker.state.total_resources.get(GPU_LABEL))


def _run(function: Callable[..., Any], *args: Any) -> Any:
    """Run one of `jobs` on the worker that this is called on, on its GPU if it has one.

    Raises:
        DeviceError: the GPU has failed; the attribute `worker` is the worker's address.
    """
    from distributed import get_worker

    worker = get_worker()
    jobs.use_device(CUDA if _has_gpu(worker) else CPU)
    try:
        return function(*args)
    except DeviceError as error:
        failed = DeviceError(f"the GPU of worker {worker.address} failed: {error}")
        failed.worker = worker.address  # type: ignore[attr-defined]
        raise failed from None


class _Cluster(Executor):
    """Dask's executor with the interface of the standard library's.

    A task is for the workers with a GPU as long as they have too little to do, else for the others;
    any worker that is idle may take it from them.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        # A task must run again even if an equal one has run: it had failed.
        self._executor = client.get_executor(pure=False)
        found = client.run(_version)
        self.n_workers = len(found)
        if not found:
            client.close()
            raise WorkerError("the cluster has no workers; start some with: dask worker ADDRESS")
        others = {version for version in found.values() if version != __version__}
        if others:
            client.close()
            raise WorkerError(
                f"workers of the cluster have nacrith {', '.join(sorted(others))}, here it is "
                f"{__version__}; install the same version everywhere"
            )
        # Addresses of workers.
        self._gpus = {address for address, has_gpu in client.run(_has_gpu).items() if has_gpu}
        self._others = set(found) - self._gpus
        self._under_way: set[Future[Any]] = set()

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        to_gpu = len(self._under_way) < _AHEAD * len(self._gpus)
        preferred = self._gpus if to_gpu else self._others
        where = {"workers": sorted(preferred), "allow_other_workers": True} if preferred else {}
        future: Future[Any] = self._executor.submit(_run, function, *args, **where)
        if to_gpu:
            self._under_way.add(future)
        future.add_done_callback(self._note)
        return future

    def _note(self, future: Future[Any]) -> None:
        """A task has ended. A GPU that has failed is preferred no more."""
        self._under_way.discard(future)
        error = None if future.cancelled() else future.exception()
        self._gpus.discard(getattr(error, "worker", ""))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait and not cancel_futures)
        self._client.close()
