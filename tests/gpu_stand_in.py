"""A backend "exact-torch" for tests: the processor computes as the exact backend does.

Which GPUs fail, and which were used, is in a folder that all processes know.
"""

import os
import signal
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from predictors.language_models.exact.model import ExactModel, ExactSession
from predictors.language_models.versions import VERSION

FOLDER = "NACRITH_TEST_GPUS"
"""The variable with the folder's name."""

FULL = "full"
"""A GPU that has no memory for a model."""

FILLS_UP = "fills up"
"""One that runs out of memory in the middle of a frame."""

KILLED = "killed"
"""One whose process is killed once, in the middle of a frame."""

PYTORCH = "with PyTorch"
"""One for which PyTorch's CPU device stands in: no fault."""

STEPS = 5
"""Steps after which a session fails."""

SITE = """
import nacrith.backends as backends

row = backends.Backend("exact-torch", 2, "exact", "tests.gpu_stand_in:load", True, True)
backends.TABLE = tuple(row if old.name == row.name else old for old in backends.TABLE)

import nacrith.codec.frame_choice

nacrith.codec.frame_choice.DOUBTFUL_SHARE = float("inf")
"""
"""A sitecustomize that puts the stand-in into every process, and lets text have the model,
although that is random and context mixing would win."""


class Gpus:
    """What is in the folder: an empty file for each GPU used, and for each with a fault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def spoil(self, fault: str, *gpus: str) -> None:
        for gpu in gpus:
            (self._folder / f"{gpu} {fault}").touch()

    def mend(self, fault: str, gpu: str) -> bool:
        """Was there such a fault?"""
        if not self.is_spoilt(fault, gpu):
            return False
        (self._folder / f"{gpu} {fault}").unlink()
        return True

    def is_spoilt(self, fault: str, gpu: str) -> bool:
        return (self._folder / f"{gpu} {fault}").exists()

    def use(self, gpu: str) -> None:
        (self._folder / gpu).touch()

    def used(self) -> set[str]:
        return {path.name for path in self._folder.iterdir() if " " not in path.name}


def _here() -> tuple[Gpus, str]:
    """The folder, and the GPU of this process."""
    return Gpus(Path(os.environ[FOLDER])), os.environ["CUDA_VISIBLE_DEVICES"]


class OutOfMemoryError(RuntimeError):
    """As PyTorch's."""


def load(
    path: Path, threads: int, correction: Any = None, device: str = "cpu", version: str = VERSION
) -> Any:
    assert device.startswith("cuda"), device
    gpus, gpu = _here()
    gpus.use(gpu)
    if gpus.is_spoilt(FULL, gpu):
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.\nA hint.")
    if gpus.is_spoilt(PYTORCH, gpu):
        module = import_module("predictors.language_models.exact_torch.model")
        return module.load(path, 1, correction, "cpu", version)
    return _Model(path, 1, correction, version)


class _Model(ExactModel):
    def streams_that_fit(self, window: int, sinks: int) -> int:
        return 3

    def open(self, *args: Any, **named: Any) -> ExactSession:
        session = super().open(*args, **named)
        step = session.step
        steps = 0

        def counted(tokens: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == STEPS:
                _fail()
            return step(tokens)

        session.step = counted  # type: ignore[method-assign]
        return session


def _fail() -> None:
    gpus, gpu = _here()
    if gpus.is_spoilt(FILLS_UP, gpu):
        raise OutOfMemoryError("CUDA out of memory")
    if gpus.mend(KILLED, gpu):
        os.kill(os.getpid(), signal.SIGKILL)


def fake_nvml(free: list[int], total: int = 80 << 30) -> ModuleType:
    """A module `pynvml` that finds GPUs named GPU-0, GPU-1 ... with so many free bytes."""

    class NVMLError(Exception):
        pass

    module: Any = ModuleType("pynvml")
    module.__spec__ = ModuleSpec("pynvml", None)
    module.NVMLError = NVMLError
    module.nvmlInit = module.nvmlShutdown = lambda: None
    module.nvmlDeviceGetCount = lambda: len(free)
    module.nvmlDeviceGetHandleByIndex = lambda i: i
    module.nvmlDeviceGetMemoryInfo = lambda i: SimpleNamespace(free=free[i], total=total)
    module.nvmlDeviceGetName = lambda i: b"Test 4090"
    module.nvmlDeviceGetUUID = lambda i: f"GPU-{i}"
    return module
