"""Print whether fused kernels return the bits of others: `python -m tests.fused_trial TRIAL`.

TRIAL is "rows", or a name in `SHAPES` and a version of docs/numerics.md. A process of its own,
because Triton reads whether it is to interpret when it is imported.
"""

import sys
import tempfile
from pathlib import Path

import torch

from nacrith.models.import_checkpoint import import_checkpoint
from predictors.language_models.exact_torch import trial as trials
from predictors.language_models.exact_torch.model import TorchModel
from tests.outlier_rows import SIZES, outlier_rows
from tests.tiny_model import write_checkpoint

# Groups of one head, of three, of five; heads that are no power of two.
SHAPES = {
    "two groups": {"hidden": 32, "ffn_size": 36, "heads": 2, "kv_heads": 2, "layers": 1},
    "a group of three": {"hidden": 24, "ffn_size": 40, "heads": 3, "kv_heads": 1, "layers": 2},
    "a group of five": {"hidden": 60, "ffn_size": 20, "heads": 5, "kv_heads": 1, "layers": 1},
}

_DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def trial(shape: str, version: str, spoil: bool) -> bool:
    """Are they equal? `spoil`: with scores of a wrong unit."""
    from predictors.language_models.exact_torch.fused import forward

    with tempfile.TemporaryDirectory() as folder:
        gguf = Path(folder) / "random.gguf"
        import_checkpoint(write_checkpoint(Path(folder) / "model", **SHAPES[shape]), gguf, "f32")
        model = TorchModel(gguf, 1, device=_DEVICE, version=version)
        # Interpreted kernels are slow: a window of few positions, which is passed.
        vars(trials).update(_WINDOW=17, _BATCHES=(3, 16, 1, 2, 1))
        if spoil:
            vars(forward).update(SCORES_PER_NAT=5000.0)
        assert model._network
        return trials.fused_are_exact(model._data, model._network)


def rows_are_rounded_alike(k: int, bits: int) -> bool:
    """Are rows with outliers of all kinds, for a matrix of so many bits?"""
    from predictors.language_models.exact.outliers import outlier_bits, wide_quads_of
    from predictors.language_models.exact_torch.fused.rows import round_rows
    from predictors.language_models.exact_torch.product import limbs_of
    from predictors.language_models.exact_torch.rounding import (
        power_of_two,
        round_outliers,
    )

    rows = torch.from_numpy(outlier_rows(k)).to(_DEVICE)
    rounded = round_outliers(rows, bits)
    expected = limbs_of(rounded.values)
    limbs = torch.zeros_like(expected)
    units = torch.zeros(len(rows), device=_DEVICE)
    worst = torch.zeros(1, dtype=torch.int32, device=_DEVICE)
    round_rows[(len(rows),)](
        rows, limbs, units, worst, len(expected) // 2, k, expected.shape[1],
        BITS=outlier_bits(bits), WIDE=wide_quads_of(k), BLOCK=1 << (k - 1).bit_length(),
        enable_fp_fusion=False,
    )  # fmt: skip
    return (
        torch.equal(limbs, expected)
        and torch.equal(units, power_of_two(rounded.unit)[:, 0])
        and torch.equal(worst.view(torch.float32)[0], rounded.top.max())
    )


if __name__ == "__main__":
    if sys.argv[1] == "rows":
        print(all(rows_are_rounded_alike(k, bits) for k in SIZES for bits in (15, 11, 6)))
    else:
        print(trial(sys.argv[1], sys.argv[2], "spoiled" in sys.argv))
