"""A backend "exact-torch" for tests: the processor computes as the exact backend does.

The variables below say which GPUs fail, by their UUIDs.
"""

import os
import signal
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from predictors.language_models.exact.model import ExactModel, ExactSession

SEEN = "NACRITH_TEST_SEEN"
"""A folder that gets an empty file for each GPU that a model was loaded on."""

FULL = "NACRITH_TEST_FULL"
"""GPUs that have no memory for a model."""

FILLS_UP = "NACRITH_TEST_FILLS_UP"
"""GPUs that run out of memory in the middle of a frame."""

KILLED = "NACRITH_TEST_KILLED"
"""GPUs whose process is killed once, in the middle of a frame."""

STEPS = 5
"""Steps after which a session fails."""

SITE = """
import nacrith.backends as backends

row = backends.Backend("exact-torch", 2, "exact", "tests.gpu_stand_in:load", True, True)
backends.TABLE = tuple(row if old.name == row.name else old for old in backends.TABLE)
"""
"""A sitecustomize that puts the stand-in into every process."""


class OutOfMemoryError(RuntimeError):
    """As PyTorch's."""


def load(path: Path, threads: int, correction: Any = None, device: str = "cpu") -> ExactModel:
    assert device.startswith("cuda"), device
    gpu = os.environ["CUDA_VISIBLE_DEVICES"]
    (Path(os.environ[SEEN]) / gpu).touch()
    if _is_in(FULL, gpu):
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.\nA hint.")
    return _Model(path, 1, correction)


def _is_in(variable: str, gpu: str) -> bool:
    return gpu in os.environ.get(variable, "").split()


class _Model(ExactModel):
    def open(self, *args: Any, **named: Any) -> ExactSession:
        session = super().open(*args, **named)
        step = session.step
        steps = 0

        def counted(tokens: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == STEPS:
                _fail(os.environ["CUDA_VISIBLE_DEVICES"])
            return step(tokens)

        session.step = counted  # type: ignore[method-assign]
        return session


def _fail(gpu: str) -> None:
    if _is_in(FILLS_UP, gpu):
        raise OutOfMemoryError("CUDA out of memory")
    mark = Path(os.environ[SEEN]) / f"{gpu} was killed"
    if _is_in(KILLED, gpu) and not mark.exists():
        mark.touch()
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
