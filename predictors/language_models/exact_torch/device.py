"""PyTorch's devices, and the settings under which its float32 operations are those of IEEE 754."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from predictors.base import ModelError
from predictors.language_models.exact_torch.torch_module import torch

CPU = "cpu"


def find_device(name: str) -> Any:
    """The `torch.device` of "cpu", "cuda" or "cuda:N" (ROCm calls its devices cuda, too).

    Raises:
        ModelError: there is no such device here.
    """
    kind, _, number = name.partition(":")
    if kind not in (CPU, "cuda") or (number and not number.isdigit()):
        raise ModelError(f"there is no device {name}; use cpu, cuda or cuda:N")
    if kind == CPU:
        return torch.device(CPU)
    if not torch.cuda.is_available():
        raise ModelError(
            "PyTorch finds no GPU here; use --device cpu, or install a PyTorch that is built for "
            "this GPU and its driver: https://pytorch.org/get-started/locally"
        )
    index = int(number) if number else torch.cuda.current_device()
    if index >= torch.cuda.device_count():
        raise ModelError(
            f"there is no device {name}; PyTorch finds {torch.cuda.device_count()}, from cuda:0 on"
        )
    return torch.device("cuda", index)


def on(device: Any) -> AbstractContextManager[Any]:
    """Streams, events and graphs that are made meanwhile are this device's."""
    found: AbstractContextManager[Any] = (
        nullcontext() if device.type == CPU else torch.cuda.device(device)
    )
    return found


def use_ieee_arithmetic() -> None:
    """Forbid what PyTorch may do to be faster at the price of other bits; for the whole process.

    TF32 would drop 13 bits of the factors of float32 products, bfloat16 on the CPU 16 of them.
    Sums of products are exact integers below 2**24 in float32, so their order may be any, and so
    may fused multiply-adds inside a product: nothing is rounded. See docs/gpu.md.
    """
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    # Only units below 2**-126 would notice; a library may have changed it for its own.
    torch.set_flush_denormal(False)
