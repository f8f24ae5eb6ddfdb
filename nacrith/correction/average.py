"""`python -m nacrith.correction.average OUT CHECKPOINT...`: the mean of checkpoints of one run.

The factors at several places of a run, averaged, cost less on unseen texts than those of any of
them (stochastic weight averaging; Izmailov et al. 2018), and somewhat less yet when the change is
made smaller.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from nacrith.correction.checkpoint import Checkpoint, read_checkpoint
from nacrith.correction.command import run
from nacrith.errors import FileError
from nacrith.models.catalog import default_model
from predictors.language_models.exact.gguf_file import Gguf
from predictors.language_models.exact.shape import Shape


def averaged(checkpoints: Sequence[Path], shape: Shape, scale: float) -> Checkpoint:
    """The mean of the moving averages of checkpoints of one rank, trained on the same weights.

    Args:
        scale: of the change of the weights.

    Raises:
        FileError: one can't be read, has another rank, was trained on another correction, or does
            not say on which while others do.
    """
    found = [read_checkpoint(path, shape) for path in checkpoints]
    if len({checkpoint.factors.rank for checkpoint in found}) > 1:
        raise FileError("these checkpoints have factors of several ranks")
    if len({checkpoint.on for checkpoint in found}) > 1:
        raise FileError(
            "these checkpoints were trained on several corrections, or not all say on which"
        )
    mean = found[0].factors
    mean.flat.copy_(torch.stack([checkpoint.factors.flat for checkpoint in found]).mean(0))
    for factor in mean.b.values():
        factor.mul_(scale)
    return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m nacrith.correction.average", description=__doc__
    )
    parser.add_argument("out", type=Path, help="a checkpoint to pack or ship, not to go on from")
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT")
    parser.add_argument("--scale", type=float, default=1.0, help="of the change (default 1)")
    parser.add_argument("--model", type=Path, help="GGUF; by default that of nacrith")
    arguments = parser.parse_args()
    shape = Gguf(arguments.model or default_model().path).shape
    mean = averaged(arguments.checkpoints, shape, arguments.scale)
    flat = mean.factors.flat
    state = {"rank": mean.factors.rank, "factors": flat, "average": flat}
    if mean.on is not None:
        state["on"] = mean.on
    torch.save(state, arguments.out)


if __name__ == "__main__":
    run("average", main)
