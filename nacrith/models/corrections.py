"""Which corrections of models' weights there are, and which of them is used."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import predictors.language_models.correction as package
from nacrith.errors import ModelMismatchError, ModelNotFoundError
from nacrith.format.header import CORRECTION_SIZE, KNOWN_MODELS
from nacrith.models.catalog import ModelFile, default_model
from predictors.base import ModelError
from predictors.language_models.correction.file_head import CorrectionFile, describe_correction

GENERAL = Path(str(package.__file__)).with_name("general.bin")
"""The correction of the default model that is shipped."""

NONE = "none"
"""What a user says who wants the weights as they are."""

Choice = Path | str | None
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


def shipped() -> Iterator[CorrectionFile]:
    """The corrections that belong to this version.

    Raises:
        ModelNotFoundError: one is missing or damaged.
    """
    try:
        yield describe_correction(GENERAL)
    except ModelError as error:
        raise ModelNotFoundError(
            f"{error}: it belongs to nacrith, so install that anew, or use --correction {NONE}"
        ) from error


def corrected(file: ModelFile, choice: Choice = None) -> ModelFile:
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
    if file.sha256 not in {known.sha256 for known in KNOWN_MODELS.values() if known.correction}:
        return file
    general = next((found for found in shipped() if found.model == file.sha256), None)
    return replace(file, correction=general)


def default_corrected() -> ModelFile:
    """The default model as it is used by default; raises ModelNotFoundError."""
    return corrected(default_model())


def corrected_as(file: ModelFile, needed: str, choice: Choice = None) -> ModelFile:
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
    for found in shipped():
        if short_name(found) == needed:
            return replace(file, correction=found)
    is_known = needed in {known.correction for known in KNOWN_MODELS.values()}
    where = "use the version of nacrith that made it, or " if is_known else ""
    other = f", {given.path} is {short_name(given)}" if given else ""
    raise ModelNotFoundError(
        f"this file was made with the correction {needed} of {file.name}, which this version of "
        f"nacrith does not have{other}; {where}name the correction's file with --correction"
    )
