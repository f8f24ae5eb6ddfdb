"""`python -m nacrith.correction.pack CHECKPOINT FILE`: the factors of a checkpoint as int8."""

import argparse
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch

from nacrith.correction.command import run
from nacrith.errors import FileError
from nacrith.models.catalog import default_model
from predictors.language_models.correction.correction_file import Correction
from predictors.language_models.correction.factors import SCALE, Factors
from predictors.language_models.correction.matrices import matrices
from predictors.language_models.correction.pack import pack
from predictors.language_models.exact.gguf_file import Gguf
from predictors.language_models.exact.shape import Shape
from predictors.language_models.file_hash import sha256_of


def read_factors(checkpoint: Path, shape: Shape, averaged: bool = True) -> Factors:
    """The factors of a checkpoint, or their moving average; raises FileError."""
    try:
        state = torch.load(checkpoint, weights_only=True)
    except (OSError, RuntimeError, UnpicklingError) as error:
        raise FileError(f"can't read {checkpoint} as a checkpoint of training: {error}") from error
    factors = Factors(shape, int(state["rank"]))
    factors.flat.copy_(state["average" if averaged else "factors"])
    return factors


def packed(factors: Factors, shape: Shape, model_sha256: str) -> Correction:
    """The factors, rounded."""
    a, b, scale = {}, {}, {}
    for name in matrices(shape):
        layers = [
            pack(factors.a[name][i].numpy(), SCALE * factors.b[name][i].numpy())
            for i in range(shape.layers)
        ]
        a[name], b[name], scale[name] = (np.stack(parts) for parts in zip(*layers, strict=True))
    return Correction(shape, model_sha256, a, b, scale)


def pack_checkpoint(checkpoint: Path, model: Path, averaged: bool = True) -> Correction:
    """The correction of a checkpoint of training; raises FileError, ModelError."""
    shape = Gguf(model).shape
    return packed(read_factors(checkpoint, shape, averaged), shape, sha256_of(model))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m nacrith.correction.pack", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", type=Path, help="GGUF; by default that of nacrith")
    parser.add_argument("--last", action="store_true", help="the last factors, not their average")
    arguments = parser.parse_args()
    model = arguments.model or default_model().path
    data = pack_checkpoint(arguments.checkpoint, model, not arguments.last)
    arguments.file.write_bytes(data.to_bytes())
    print(f"{arguments.file}: {arguments.file.stat().st_size:,} bytes, {data.sha256}")


if __name__ == "__main__":
    run("pack", main)
