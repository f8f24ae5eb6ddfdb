"""How many processes this machine has room for, and how many threads each."""

from nacrith.system.resources import available_memory
from predictors.language_models.numerics import available_threads

WORKER_MEMORY = 1820 << 20
"""Bytes that a worker takes at most by default: a frame of 4 MiB of text in 64 streams, with the
embedded model. That is the estimate of `pipeline.memory`."""


def worker_count(n_frames: int | None = None) -> int:
    """As many workers as there are processors, frames and memory for, at least one."""
    counts = [available_threads(), available_memory() // WORKER_MEMORY]
    if n_frames is not None:
        counts.append(n_frames)
    return max(1, min(counts))


def share_of(threads: int, n_workers: int) -> int:
    """Threads of each worker, of so many of all together; 0 = one per processor."""
    return max(1, (threads or available_threads()) // n_workers)
