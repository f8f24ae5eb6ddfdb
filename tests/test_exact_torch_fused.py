"""Fused kernels beside PyTorch's operations, on a GPU, or in Triton's interpreter without one."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.fused_code import instructions, kernels
from tests.fused_trial import SHAPES
from tests.torch_devices import torch

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed"
)


def trial(*arguments: str) -> str:
    interpret = {} if torch.cuda.is_available() else {"TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.fused_trial", *arguments],
        env={**os.environ, **interpret},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("shape", "version"), [*((shape, "3") for shape in SHAPES), ("a group of three", "1")]
)
def test_the_same_bits(shape, version):
    assert trial(shape, version) == "True"


def test_the_same_rows_with_outliers():
    assert trial("rows") == "True"


def test_other_bits_are_noticed():
    assert trial("two groups", "3", "spoiled") == "False"


@pytest.mark.parametrize("capability", [89, 90])
def test_no_operation_is_fused_or_approximate(capability):
    """As compiled for an RTX 4090 and an H100, neither of which must be here."""
    seen: set[str] = set()
    for name in kernels():
        seen |= set(instructions(name, capability))
    floats = {word for word in seen if word.endswith((".f32", ".f64"))}
    assert {"mul.rn.f32", "add.rn.f32", "div.rn.f32", "div.rn.f64", "sqrt.rn.f64"} <= floats
    assert any(word.startswith("mma.sync") and word.endswith("s8.s8.s32") for word in seen)
    for word in floats:
        assert not word.startswith(("fma", "mad", "ex2", "lg2", "rsqrt", "rcp", "sin", "cos"))
        assert not {"ftz", "approx", "full"} & set(word.split("."))
