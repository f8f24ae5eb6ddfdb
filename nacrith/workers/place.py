"""Where a worker process runs: with how many threads, and on which GPU if on any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nacrith.system.devices import CPU, CUDA
from nacrith.system.gpus import Gpu

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NACRITH_THREADS",
)
"""What limits the threads of the libraries in use, and of our own kernels."""

_VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, eq=False)
class Place:
    """Where a process runs.

    Attributes:
        variables: of its environment, what differs from this process's.
        device: PyTorch's name of the device, in that environment.
        name: of the GPU, for people; empty if there is none.
    """

    variables: Mapping[str, str]
    device: str = CPU
    name: str = ""


def processor_places(n: int, threads: int) -> list[Place]:
    """Places for processes of so many threads each."""
    return [Place(dict.fromkeys(THREAD_VARIABLES, str(threads))) for _ in range(n)]


def gpu_places(gpus: Sequence[Gpu], n: int, threads: int) -> list[Place]:
    """Places for `n` processes, dealt out to the GPUs in turn.

    A process sees nothing but its GPU. That is named by its UUID, since CUDA and NVML need not
    number them alike.
    """
    places = []
    for i in range(n):
        gpu = gpus[i % len(gpus)]
        variables = {**dict.fromkeys(THREAD_VARIABLES, str(threads)), _VISIBLE: gpu.uuid}
        places.append(Place(variables, CUDA, str(gpu)))
    return places
