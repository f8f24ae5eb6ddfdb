"""What the other commands read of a checkpoint of training."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch

from nacrith.errors import FileError
from nacrith.models.corrections import NONE
from predictors.base import ModelError
from predictors.language_models.correction.correction_file import Correction, read_correction
from predictors.language_models.correction.factors import Factors
from predictors.language_models.correction.file_head import MOST, find_base
from predictors.language_models.exact.shape import Shape
from predictors.language_models.file_hash import sha256_of


class Checkpoint(NamedTuple):
    """A checkpoint.

    Attributes:
        path: of it.
        factors: what was trained.
        on: hash of the correction that the weights had already; empty = none; None = it does
            not say.
    """

    path: Path
    factors: Factors
    on: str | None


def read_checkpoint(path: Path, shape: Shape, averaged: bool = True) -> Checkpoint:
    """Read the factors of a checkpoint, or their moving average.

    Raises:
        FileError: it can't be read, or is none of a model of this shape.
    """
    try:
        state: dict[str, Any] = dict(torch.load(path, weights_only=True, map_location="cpu"))
        factors = Factors(shape, int(state["rank"]))
        factors.flat.copy_(state["average" if averaged else "factors"])
    except (OSError, RuntimeError, UnpicklingError, KeyError, TypeError, ValueError) as error:
        raise FileError(f"can't read {path} as a checkpoint of training: {error}") from error
    return Checkpoint(path, factors, state.get("on"))


def base_of(checkpoint: Checkpoint, given: str | None, model: Path) -> Correction | None:
    """The correction that a checkpoint was trained on top of.

    Args:
        given: its file, if a user names it, or `NONE`.
        model: GGUF.

    Raises:
        FileError: it is not here, or another one was given, or as for `read_base`.
        ModelError: it can't be read.
    """
    if given is None and checkpoint.on is None:
        raise FileError(
            f"{checkpoint.path} does not say what it was trained on; name the correction with "
            f"--on, or say --on {NONE}"
        )
    if given == NONE:
        base = None
    elif given is not None:
        base = read_base(Path(given), model)
    else:
        base = read_base(_found(checkpoint), model) if checkpoint.on else None
    if checkpoint.on not in (None, base.sha256 if base else ""):
        raise FileError(f"{checkpoint.path} was not trained on {given}; leave out --on")
    return base


def _found(checkpoint: Checkpoint) -> Path:
    """Where that is which a checkpoint names; raises FileError."""
    assert checkpoint.on
    try:
        return find_base(checkpoint.on, checkpoint.path).path
    except ModelError as error:
        raise FileError(
            f"{checkpoint.path} was trained on the correction {checkpoint.on[:16]}, which is "
            "not here; name its file with --on"
        ) from error


def read_base(path: Path, model: Path) -> Correction:
    """Read a correction of a GGUF to build on.

    Raises:
        FileError: it is for another model, or so many can't be merged.
        ModelError: it can't be read.
    """
    found = read_correction(path)
    if found.count == MOST:
        raise FileError(f"{path} is the last of {MOST} corrections; no more can be merged")
    if found.model != sha256_of(model):
        raise FileError(f"the correction {path} is for another model than {model}; name that one")
    return found
