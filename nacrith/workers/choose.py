"""How many workers there should be, and of what kind."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from nacrith.system.devices import AUTOMATIC, CPU, DeviceChoice
from nacrith.system.gpus import Gpu
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.system.resources import available_memory
from nacrith.workers.base import Workers
from nacrith.workers.gpu_choice import choose_gpus, may_find_gpus
from nacrith.workers.in_process import InProcess
from predictors.language_models.numerics import available_threads

WORKER_MEMORY = 1 << 30
"""Bytes that a worker takes with the embedded model, measured (docs/scaling.md)."""

GPU_PAYS = 1 << 18
"""Bytes of a first frame. Starting PyTorch and CUDA takes seconds, in which the processor has
done a shorter text. An estimate: docs/scaling.md."""


def worker_count(n_frames: int | None = None) -> int:
    """As many workers as there are processors, frames and memory for, at least one."""
    counts = [available_threads(), available_memory() // WORKER_MEMORY]
    if n_frames is not None:
        counts.append(n_frames)
    return max(1, min(counts))


def choose_workers(
    wanted: int = 0,
    cluster: str | None = None,
    n_frames: int | None = None,
    threads: int = 0,
    progress: Progress = NO_PROGRESS,
    device: DeviceChoice = AUTOMATIC,
    block_size: int = GPU_PAYS,
) -> Workers:
    """Make workers.

    Args:
        wanted: number of processes; 0 = one per GPU, or `worker_count`.
        cluster: address of a Dask scheduler, instead.
        n_frames: number of frames there will be, if it is known.
        threads: of all workers together; 0 = one per processor.
        device: where the model runs.
        block_size: bytes of a frame, if it is known.

    Raises:
        WorkerError: the cluster can't be used.
        DeviceError: there is no GPU, though one has been asked for.
    """
    if cluster:
        from nacrith.workers.cluster import cluster_workers

        return cluster_workers(cluster, progress)

    def on_processor() -> Workers:
        return _on_processor(wanted, n_frames, threads, progress)

    def on_gpus(gpus: Sequence[Gpu]) -> Workers:
        return _on_gpus(gpus, wanted, n_frames, threads, progress)

    return _by_device(device, on_gpus, on_processor, block_size) or on_processor()


@contextmanager
def library_workers(
    device: DeviceChoice,
    n_frames: int | None = None,
    threads: int = 0,
    progress: Progress = NO_PROGRESS,
    block_size: int = GPU_PAYS,
) -> Iterator[Workers | None]:
    """Workers for a program that uses this as a library: other processes are for GPUs only.

    Args:
        device, n_frames, threads, progress, block_size: see `choose_workers`.

    Yields:
        None if all frames are for the process itself.

    Raises:
        DeviceError: there is no GPU, though one has been asked for.
    """

    def on_gpus(gpus: Sequence[Gpu]) -> Workers:
        return _on_gpus(gpus, 0, n_frames, threads, progress)

    workers = _by_device(device, on_gpus, lambda: InProcess(progress), block_size)
    try:
        yield workers
    finally:
        if workers is not None:
            workers.close()


def _by_device(
    device: DeviceChoice,
    on_gpus: Callable[[Sequence[Gpu]], Workers],
    on_processor: Callable[[], Workers],
    block_size: int,
) -> Workers | None:
    """Workers of both kinds; None if there can be no GPUs among them."""
    asked = device.must_be_gpu
    if device.device == CPU or (not asked and not may_find_gpus()):
        return None
    known = choose_gpus(device) if asked else None

    def made() -> Workers | None:
        # Not looked for where no frame is long enough: NVML takes a tenth of a second.
        gpus = choose_gpus(device) if known is None else known
        return on_gpus(gpus) if gpus else None

    from nacrith.workers.by_device import ByDevice

    return ByDevice(made, on_processor, 0 if asked else GPU_PAYS, block_size, asked)


def _on_processor(wanted: int, n_frames: int | None, threads: int, progress: Progress) -> Workers:
    count = wanted or worker_count(n_frames)
    if count == 1:
        return InProcess(progress)
    from nacrith.workers.processes import process_workers

    return process_workers(count, _share(threads, count), progress)


def _on_gpus(
    gpus: Sequence[Gpu], wanted: int, n_frames: int | None, threads: int, progress: Progress
) -> Workers:
    from nacrith.workers.over_executor import OverExecutor
    from nacrith.workers.place import gpu_places, processor_places
    from nacrith.workers.processes import ProcessPool

    count = wanted or len(gpus)
    if n_frames is not None:
        count = max(1, min(count, n_frames))
    instead = worker_count(n_frames)
    pool = ProcessPool(
        gpu_places(gpus, count, _share(threads, count)),
        processor_places(instead, _share(threads, instead)),
    )
    return OverExecutor(lambda: pool, count, progress, pool.done)


def _share(threads: int, n_workers: int) -> int:
    """Threads of each worker."""
    return max(1, (threads or available_threads()) // n_workers)
