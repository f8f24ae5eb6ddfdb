"""Print whether fused kernels return the bits of others: `python -m tests.fused_trial SHAPE`.

A process of its own, because Triton reads whether it is to interpret when it is imported.
"""

import sys
import tempfile
from pathlib import Path

import torch

from nacrith.models.import_checkpoint import import_checkpoint
from predictors.language_models.exact_torch import trial as trials
from predictors.language_models.exact_torch.model import TorchModel
from tests.tiny_model import write_checkpoint

# Groups of one head, of three, of five; heads that are no power of two.
SHAPES = {
    "two groups": {"hidden": 32, "ffn_size": 36, "heads": 2, "kv_heads": 2, "layers": 1},
    "a group of three": {"hidden": 24, "ffn_size": 40, "heads": 3, "kv_heads": 1, "layers": 2},
    "a group of five": {"hidden": 60, "ffn_size": 20, "heads": 5, "kv_heads": 1, "layers": 1},
}


def trial(shape: str, spoil: bool) -> bool:
    """Are they equal? `spoil`: with scores of a wrong unit."""
    from predictors.language_models.exact_torch.fused import forward

    with tempfile.TemporaryDirectory() as folder:
        gguf = Path(folder) / "random.gguf"
        import_checkpoint(write_checkpoint(Path(folder) / "model", **SHAPES[shape]), gguf, "f32")
        model = TorchModel(gguf, 1, device="cuda" if torch.cuda.is_available() else "cpu")
        # Interpreted kernels are slow: a window of few positions, which is passed.
        vars(trials).update(_WINDOW=17, _BATCHES=(3, 16, 1, 2, 1))
        if spoil:
            vars(forward).update(SCORES_PER_NAT=5000.0)
        assert model._network
        return trials.fused_are_exact(model._data, model._network)


if __name__ == "__main__":
    print(trial(sys.argv[1], "spoiled" in sys.argv))
