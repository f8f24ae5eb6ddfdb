"""How many workers there should be, and of what kind."""

from nacrith.system.devices import AUTOMATIC, DeviceChoice
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers.base import Workers
from nacrith.workers.counting import share_of, worker_count
from nacrith.workers.gpu_team import GPU_PAYS, with_gpus
from nacrith.workers.in_process import InProcess


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

    workers = with_gpus(device, on_processor, wanted, n_frames, threads, progress, block_size)
    return on_processor() if workers is None else workers


def _on_processor(wanted: int, n_frames: int | None, threads: int, progress: Progress) -> Workers:
    count = wanted or worker_count(n_frames)
    if count == 1:
        return InProcess(progress)
    from nacrith.workers.processes import process_workers

    return process_workers(count, share_of(threads, count), progress)
