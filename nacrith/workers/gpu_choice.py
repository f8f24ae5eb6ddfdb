"""Which GPUs a run takes, found without starting CUDA in this process."""

import importlib.util
import re
from contextlib import suppress
from pathlib import Path

from nacrith.errors import DeviceError
from nacrith.system.devices import CPU, DeviceChoice
from nacrith.system.gpus import INSTALL_HINT, Gpu, find_gpus

LEAST_MEMORY = 3 << 30
"""Bytes that must be free on a GPU to be chosen without being asked for: those of CUDA and PyTorch,
of the weights, and of 64 streams of 1,024 tokens, 0.9 GB (docs/scaling.md)."""

_VERSION_OF_CUDA = re.compile(r"^(?:cuda|hip)\b.*= *'", re.MULTILINE)


def choose_gpus(choice: DeviceChoice) -> list[Gpu]:
    """The GPUs to use, those with the most free memory first; none = the processor.

    Raises:
        DeviceError: one has been asked for, and there is none; the message says what to install.
    """
    if choice.device == CPU:
        return []
    try:
        check_pytorch()
        gpus = sorted(find_gpus(), key=lambda gpu: -gpu.free)
    except DeviceError as error:
        if not choice.must_be_gpu:
            return []
        raise DeviceError(f"the device {_asked_for(choice)} can't be used: {error}") from error
    if choice.index is not None:
        gpus = [gpu for gpu in gpus if gpu.index == choice.index]
        if not gpus:
            raise DeviceError(
                f"there is no GPU {choice.index}; nacrith doctor shows those there are"
            )
    if not choice.must_be_gpu:
        gpus = [gpu for gpu in gpus if gpu.free >= LEAST_MEMORY]
    return gpus[: choice.gpus or None]


def _asked_for(choice: DeviceChoice) -> str:
    return choice.device if choice.device != "auto" else "cuda"


def may_find_gpus() -> bool:
    """Is there what GPUs are found and used with?"""
    try:
        check_pytorch()
    except DeviceError:
        return False
    return importlib.util.find_spec("pynvml") is not None


def check_pytorch() -> None:
    """Look for PyTorch, which is not imported.

    Raises:
        DeviceError: it is missing, or was built for the processor only.
    """
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        raise DeviceError(f"PyTorch is missing: {INSTALL_HINT}")
    with suppress(OSError):
        text = (Path(spec.origin).parent / "version.py").read_text("utf-8")
        if not _VERSION_OF_CUDA.search(text):
            raise DeviceError(
                "this PyTorch was built for the processor only; install one for CUDA, see "
                "https://pytorch.org/get-started/locally"
            )
