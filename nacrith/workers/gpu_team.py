"""Workers on GPUs where there are some and they pay, others for the rest."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from nacrith.system.devices import CPU, DeviceChoice
from nacrith.system.gpus import Gpu
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers.base import Workers
from nacrith.workers.counting import share_of, worker_count
from nacrith.workers.gpu_choice import choose_gpus, may_find_gpus
from nacrith.workers.in_process import InProcess

GPU_PAYS = 1 << 18
"""Bytes of a first frame. Starting PyTorch and CUDA takes seconds, in which the processor has
done a shorter text. An estimate: docs/scaling.md."""


def with_gpus(
    device: DeviceChoice,
    on_processor: Callable[[], Workers],
    wanted: int = 0,
    n_frames: int | None = None,
    threads: int = 0,
    progress: Progress = NO_PROGRESS,
    block_size: int = GPU_PAYS,
) -> Workers | None:
    """Workers of both kinds; None if there can be no GPUs among them.

    Args:
        on_processor: makes those for all that no GPU computes.
        wanted, n_frames, threads, progress, block_size: see `choose_workers`.

    Raises:
        DeviceError: there is no GPU, though one has been asked for.
    """
    asked = device.must_be_gpu
    if device.device == CPU or (not asked and not may_find_gpus()):
        return None
    known = choose_gpus(device) if asked else None

    def on_gpus() -> Workers | None:
        # Not looked for where no frame is long enough: NVML takes a tenth of a second.
        gpus = choose_gpus(device) if known is None else known
        return _on_gpus(gpus, wanted, n_frames, threads, progress) if gpus else None

    from nacrith.workers.by_device import ByDevice

    return ByDevice(on_gpus, on_processor, 0 if asked else GPU_PAYS, block_size, asked)


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
    workers = with_gpus(
        device, lambda: InProcess(progress), 0, n_frames, threads, progress, block_size
    )
    try:
        yield workers
    finally:
        if workers is not None:
            workers.close()


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
        gpu_places(gpus, count, share_of(threads, count)),
        processor_places(instead, share_of(threads, instead)),
    )
    return OverExecutor(lambda: pool, count, progress, pool.done)
