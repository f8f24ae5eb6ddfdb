"""The GPUs of this machine, as NVIDIA's management library (NVML) tells of them.

Nothing here starts CUDA: a process that has done so can't choose its GPUs any more.
"""

import os
from dataclasses import dataclass
from typing import Any

from nacrith.errors import DeviceError

INSTALL_HINT = "pip install 'nacrith[gpu]'"


@dataclass(frozen=True)
class Gpu:
    """A CUDA device.

    Attributes:
        index: its number among those that this process may use, in the order of their slots
            (PCI), as nvidia-smi has it; what a user types as cuda:N.
        uuid: names it wherever it is; what CUDA_VISIBLE_DEVICES takes.
        name: what its maker calls it.
        free, total: memory in bytes.
    """

    index: int
    uuid: str
    name: str
    free: int
    total: int

    def __str__(self) -> str:
        return f"GPU {self.index} ({self.name})"


def find_gpus() -> list[Gpu]:
    """The GPUs that CUDA_VISIBLE_DEVICES lets this process use; one at least.

    Raises:
        DeviceError: there is none, or nothing that could tell.
    """
    try:
        import pynvml
    except ImportError as error:
        raise DeviceError(
            f"what GPUs are found with, NVIDIA's library NVML, is missing: {INSTALL_HINT}"
        ) from error
    try:
        pynvml.nvmlInit()
        try:
            found = _all_gpus(pynvml)
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        raise DeviceError(f"NVIDIA's driver must be installed: {error}") from error
    visible = _visible(found, os.environ.get("CUDA_VISIBLE_DEVICES"))
    if not visible:
        hidden = "; CUDA_VISIBLE_DEVICES hides those there are" if found else ""
        raise DeviceError(f"there is no GPU that could be used{hidden}")
    return visible


def _all_gpus(nvml: Any) -> list[Gpu]:
    gpus = []
    for i in range(nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(i)
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            name, uuid = nvml.nvmlDeviceGetName(handle), nvml.nvmlDeviceGetUUID(handle)
        except nvml.NVMLError:
            # One that is lost does not hide the others.
            continue
        gpus.append(Gpu(i, _text(uuid), _text(name), int(memory.free), int(memory.total)))
    return gpus


def _text(value: Any) -> str:
    """Older versions of the library return bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _visible(gpus: list[Gpu], names: str | None) -> list[Gpu]:
    """Those that the variable names, numbered in its order; all if it is not set.

    A name is a number or the beginning of a UUID; the first that names no GPU ends the list
    (CUDA C++ Programming Guide, section 'CUDA Environment Variables').
    """
    if names is None:
        return gpus
    chosen: list[Gpu] = []
    for name in map(str.strip, names.split(",")):
        matching = [gpu for gpu in gpus if name == str(gpu.index) or _names(name, gpu)]
        if len(matching) != 1:
            break
        chosen += matching
    return [Gpu(i, g.uuid, g.name, g.free, g.total) for i, g in enumerate(chosen)]


def _names(name: str, gpu: Gpu) -> bool:
    return name.startswith("GPU-") and gpu.uuid.startswith(name)
