"""Fused kernels beside PyTorch's operations, on a GPU, or in Triton's interpreter without one."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
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


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_bits(shape):
    assert trial(shape) == "True"


def test_other_bits_are_noticed():
    assert trial("two groups", "spoiled") == "False"
