"""How many workers there should be, and of what kind."""

from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.system.resources import available_memory
from nacrith.workers.base import Workers
from nacrith.workers.in_process import InProcess
from predictors.language_models.numerics import available_threads

WORKER_MEMORY = 1 << 30
"""Bytes that a worker takes with the embedded model, measured (docs/scaling.md)."""


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
) -> Workers:
    """Make workers.

    Args:
        wanted: number of processes; 0 = `worker_count`.
        cluster: address of a Dask scheduler, instead.
        n_frames: number of frames there will be, if it is known.
        threads: of all workers together; 0 = one per processor.

    Raises:
        WorkerError: the cluster can't be used.
    """
    if cluster:
        from nacrith.workers.cluster import cluster_workers

        return cluster_workers(cluster, progress)
    count = wanted or worker_count(n_frames)
    if count == 1:
        return InProcess(progress)
    from nacrith.workers.processes import process_workers

    share = max(1, (threads or available_threads()) // count)
    return process_workers(count, share, progress)
