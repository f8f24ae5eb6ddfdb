"""`python -m nacrith.correction.pack CHECKPOINT FILE`: the factors of a checkpoint as int8.

Of a checkpoint that was trained on top of a correction (`train --on`) the file builds on that one.
"""

import argparse
from pathlib import Path

import numpy as np

from nacrith.correction.checkpoint import base_of, read_checkpoint
from nacrith.correction.command import run
from nacrith.errors import FileError
from nacrith.models.catalog import default_model
from predictors.language_models.correction.correction_file import Correction
from predictors.language_models.correction.factors import SCALE, Factors
from predictors.language_models.correction.matrices import matrices
from predictors.language_models.correction.pack import (
    LARGEST,
    Float32Array,
    Int8Array,
    pack,
    pack_evenly,
)
from predictors.language_models.exact.gguf_file import Gguf
from predictors.language_models.exact.shape import Shape
from predictors.language_models.file_hash import sha256_of

DEFAULT_LARGEST = 15
"""Of the integers. Smaller ones are compressed better, and the model loses nothing by them
(docs/correction.md, "What rounding costs")."""


def packed(
    factors: Factors,
    shape: Shape,
    model_sha256: str,
    base: Correction | None = None,
    rank: int | None = None,
    largest: int = LARGEST,
    step: float | None = None,
) -> Correction:
    """The factors, rounded; the other arguments are of `predictors` `pack` and `Correction`.

    Args:
        step: see `pack_evenly`, in place of `largest`.
    """

    def rounded(a: Float32Array, b: Float32Array) -> tuple[Int8Array, Int8Array, Float32Array]:
        return pack(a, b, rank, largest) if step is None else pack_evenly(a, b, step, rank)

    a, b, scale = {}, {}, {}
    for name in matrices(shape):
        layers = [
            rounded(factors.a[name][i].numpy(), SCALE * factors.b[name][i].numpy())
            for i in range(shape.layers)
        ]
        a[name], b[name], scale[name] = (np.stack(parts) for parts in zip(*layers, strict=True))
    return Correction(shape, model_sha256, a, b, scale, base)


def pack_checkpoint(checkpoint: Path, model: Path, options: argparse.Namespace) -> Correction:
    """The correction of a checkpoint of training.

    Args:
        model: GGUF.
        options: of `add_options`.

    Raises:
        FileError: the checkpoint can't be read, or is of a lower rank, or of another base.
        ModelError: the model or the base can't be read, or the base is for another model.
    """
    shape = Gguf(model).shape
    found = read_checkpoint(checkpoint, shape, not options.last)
    if options.rank and options.rank > found.factors.rank:
        raise FileError(f"{checkpoint} has factors of rank {found.factors.rank}, no more")
    base = base_of(found, options.on, model)
    return packed(
        found.factors, shape, sha256_of(model), base, options.rank, options.largest, options.step
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of whatever packs a checkpoint."""
    parser.add_argument("--last", action="store_true", help="the last factors, not their average")
    parser.add_argument("--rank", type=_positive, help="cut to this lower rank")
    parser.add_argument(
        "--largest",
        type=_largest,
        default=DEFAULT_LARGEST,
        metavar="N",
        help=f"of the integers, up to {LARGEST}; smaller ones are compressed better "
        "(default %(default)s)",
    )
    parser.add_argument(
        "--step",
        type=_step,
        metavar="X",
        help="what to round to, in root mean squares of a factor, instead of --largest; 0.7 makes "
        "about 2.6 bits of a number",
    )
    parser.add_argument(
        "--on",
        metavar="FILE|none",
        help="the correction that it was trained on, if the checkpoint does not say",
    )


def _positive(value: str) -> int:
    """Raises ValueError if it is not."""
    if (number := int(value)) < 1:
        raise ValueError
    return number


def _step(value: str) -> float:
    """Raises ValueError if it is not between 1/25 (of what int8 holds) and 4."""
    if not 0.04 <= (number := float(value)) <= 4:
        raise ValueError
    return number


def _largest(value: str) -> int:
    """Raises ValueError if int8 does not hold it."""
    if (number := _positive(value)) > LARGEST:
        raise ValueError
    return number


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m nacrith.correction.pack", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", type=Path, help="GGUF; by default that of nacrith")
    add_options(parser)
    arguments = parser.parse_args()
    model = arguments.model or default_model().path
    data = pack_checkpoint(arguments.checkpoint, model, arguments)
    arguments.file.write_bytes(data.to_bytes())
    on = f", builds on {data.base.sha256[:16]}" if data.base else ""
    print(f"{arguments.file}: {arguments.file.stat().st_size:,} bytes, {data.sha256}{on}")


if __name__ == "__main__":
    run("pack", main)
