"""What a user says of GPUs: `--device` and `--gpus`, and what does not go with what."""

import re
from dataclasses import dataclass

from nacrith.errors import ArgumentError

AUTO, CPU, CUDA = "auto", "cpu", "cuda"

MAX_GPUS = 64
"""More than any machine has."""

_INDEX = re.compile(r"cuda:(0|[1-9][0-9]{0,3})")


@dataclass(frozen=True)
class DeviceChoice:
    """Where the model runs.

    Attributes:
        device: "auto", "cpu", "cuda" or "cuda:N", the GPU of that number (see `Gpu`).
        gpus: how many GPUs to use, at most; 0 = all that are fit, or that one.

    Raises:
        ArgumentError: there is no such device, or the two exclude each other.
        TypeError: a value is of another type.
    """

    device: str = AUTO
    gpus: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.device, str):
            raise TypeError(f"device must be a string, not {type(self.device).__name__}")
        if not isinstance(self.gpus, int):
            raise TypeError(f"gpus must be an integer, not {type(self.gpus).__name__}")
        if self.device not in (AUTO, CPU, CUDA) and not _INDEX.fullmatch(self.device):
            raise ArgumentError(
                f"the device must be auto, cpu, cuda or cuda:N, not {self.device!r}"
            )
        if not 0 <= self.gpus <= MAX_GPUS:
            raise ArgumentError(f"the GPUs must be from 0 to {MAX_GPUS}, not {self.gpus}")
        if self.gpus and (self.device == CPU or self.index is not None):
            raise ArgumentError(f"the device {self.device} and a number of GPUs exclude each other")

    @property
    def index(self) -> int | None:
        """The number of the only GPU that is meant; None = no particular one."""
        found = _INDEX.fullmatch(self.device)
        return int(found[1]) if found else None

    @property
    def must_be_gpu(self) -> bool:
        """Has a GPU been asked for? Then it is an error if there is none."""
        return self.gpus > 0 or self.device.startswith(CUDA)

    def problem_with(self, backend: str) -> str | None:
        """Why a backend can't run there, or None."""
        if self.device == CPU and backend == "llama.cpp-gpu":
            return "the backend llama.cpp-gpu and the device cpu exclude each other"
        if self.must_be_gpu and backend == "llama.cpp":
            return "the backend llama.cpp runs on the processor; llama.cpp-gpu on a GPU"
        if self.must_be_gpu and backend == "transformers":
            return "the backend transformers runs on the processor"
        return None


AUTOMATIC = DeviceChoice()
