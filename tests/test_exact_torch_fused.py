"""Fused kernels beside PyTorch's operations, on a GPU, or in Triton's interpreter without one."""

import os

import pytest

from nacrith.models.import_checkpoint import import_checkpoint
from tests.tiny_model import write_checkpoint
from tests.torch_devices import torch

pytest.importorskip("triton", reason="fused kernels need Triton, which is not installed")
pytestmark = pytest.mark.skipif(
    torch.cuda.is_available() and "TRITON_INTERPRET" in os.environ,
    reason="with a GPU kernels are compiled",
)
if not torch.cuda.is_available():
    # Read when the kernels are defined.
    os.environ["TRITON_INTERPRET"] = "1"

# A group of one head, of three, of five; heads that are no power of two; a window that is passed.
SHAPES = {
    "two groups": {"hidden": 32, "ffn_size": 36, "heads": 2, "kv_heads": 2, "layers": 1},
    "a group of three": {"hidden": 24, "ffn_size": 40, "heads": 3, "kv_heads": 1, "layers": 2},
    "a group of five": {"hidden": 60, "ffn_size": 20, "heads": 5, "kv_heads": 1, "layers": 1},
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_same_bits(tmp_path, name, monkeypatch):
    from predictors.language_models.exact_torch import passes
    from predictors.language_models.exact_torch.model import TorchModel

    gguf = tmp_path / "random.gguf"
    import_checkpoint(write_checkpoint(tmp_path / "checkpoint", **SHAPES[name]), gguf, "f32")
    model = TorchModel(gguf, 1, device="cuda" if torch.cuda.is_available() else "cpu")
    # Slower by far than what it stands for: few positions.
    monkeypatch.setattr(passes, "_WINDOW", 17)
    monkeypatch.setattr(passes, "_BATCHES", (3, 16, 1, 2, 1))
    assert passes.fused_are_exact(model._data, model._network)


def test_a_kernel_that_rounds_otherwise_is_noticed(tmp_path, monkeypatch):
    from predictors.language_models.exact_torch import passes
    from predictors.language_models.exact_torch.fused import forward
    from predictors.language_models.exact_torch.model import TorchModel

    gguf = tmp_path / "random.gguf"
    checkpoint = write_checkpoint(tmp_path / "checkpoint", **SHAPES["two groups"])
    import_checkpoint(checkpoint, gguf, "f32")
    model = TorchModel(gguf, 1, device="cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setattr(passes, "_BATCHES", (2, 1))
    # Scores of the wrong unit.
    monkeypatch.setattr(forward, "SCORES_PER_NAT", 5000.0)
    assert not passes.fused_are_exact(model._data, model._network)
