"""Devices that tests of the backend exact-torch run on: the CPU, and a GPU where there is one."""

from typing import Any

import pytest

torch: Any = pytest.importorskip(
    "torch", reason="the backend exact-torch needs PyTorch: pip install 'nacrith[gpu]'"
)

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
    ),
]
