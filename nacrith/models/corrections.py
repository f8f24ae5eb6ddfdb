"""Which corrections of models' weights there are, and which of them is used."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nacrith.errors import ModelMismatchError, ModelNotFoundError
from nacrith.format.header import CORRECTION_SIZE, KNOWN_MODELS
from nacrith.models.catalog import ModelFile, default_model
from predictors.base import ModelError
from predictors.language_models.correction import file_head
from predictors.language_models.correction.file_head import CorrectionFile, describe_correction

_FIRST, _FIRST_NAME = 2, "general.bin"
"""The first correction that was shipped; the others are named by their number."""

NONE = "none"
"""What a user says who wants the weights as they are."""

CorrectionChoice = Path | str | None
"""A user's: the path of a correction, `NONE`, or None for the one that is shipped for the model."""


def short_name(correction: CorrectionFile | None) -> str:
    """As in headers (`ModelRecord.correction`)."""
    return correction.sha256[: 2 * CORRECTION_SIZE] if correction else ""


def described(path: Path) -> CorrectionFile:
    """Read what a correction's file begins with; raises ModelNotFoundError."""
    try:
        return describe_correction(path)
    except ModelError as error:
        raise ModelNotFoundError(str(error)) from error


def shipped_path(number: int) -> Path:
    """Where the correction of the known model of that number is, if it is shipped."""
    name = _FIRST_NAME if number == _FIRST else f"general-{number}.bin"
    return file_head.SHIPPED / name


def shipped_numbers() -> list[int]:
    """Of the known models with a correction, ascending."""
    return sorted(number for number, known in KNOWN_MODELS.items() if known.correction)


def shipped() -> Iterator[CorrectionFile]:
    """The corrections that belong to this version, the newest first.

    Raises:
        ModelNotFoundError: one is missing or damaged.
    """
    yield from map(_shipped, reversed(shipped_numbers()))


def _shipped(number: int) -> CorrectionFile:
    try:
        return describe_correction(shipped_path(number))
    except ModelError as error:
        raise ModelNotFoundError(
            f"{error}: it belongs to nacrith, so install that anew, or use --correction {NONE}"
        ) from error


def corrected(file: ModelFile, choice: CorrectionChoice = None) -> ModelFile:
    """The model with the correction that it is to be used with, to compress.

    Raises:
        ModelNotFoundError: the correction can't be read.
        ModelMismatchError: it is of another model.
    """
    if choice == NONE:
        return file
    if choice is not None:
        found = described(Path(choice))
        if found.model != file.sha256:
            raise ModelMismatchError(
                f"the correction {choice} is not for {file.name} but for a model with the SHA-256 "
                f"{found.model[:16]}...; leave it out, or name that model with --model"
            )
        return replace(file, correction=found)
    ours = [number for number in shipped_numbers() if KNOWN_MODELS[number].sha256 == file.sha256]
    return replace(file, correction=_shipped(max(ours))) if ours else file


def default_corrected() -> ModelFile:
    """The default model as it is used by default; raises ModelNotFoundError."""
    return corrected(default_model())


def corrected_as(file: ModelFile, needed: str, choice: CorrectionChoice = None) -> ModelFile:
    """The model with the correction that a file names, to decompress.

    Args:
        needed: `ModelRecord.correction`.
        choice: looked at first; what the file does not need does not matter.

    Raises:
        ModelNotFoundError: none has this name.
    """
    if not needed:
        return file
    given = None if choice in (None, NONE) else described(Path(str(choice)))
    if short_name(given) == needed:
        return replace(file, correction=given)
    named = [number for number in shipped_numbers() if KNOWN_MODELS[number].correction == needed]
    for found in map(_shipped, named):
        if short_name(found) == needed:
            return replace(file, correction=found)
    where = "use the version of nacrith that made it, or " if named else ""
    other = f", {given.path} is {short_name(given)}" if given else ""
    raise ModelNotFoundError(
        f"this file was made with the correction {needed} of {file.name}, which this version of "
        f"nacrith does not have{other}; {where}name the correction's file with --correction"
    )
