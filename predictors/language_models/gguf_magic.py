"""Tells whether a file is a GGUF, by its first bytes."""

from pathlib import Path

from predictors.base import ModelError

_MAGIC = b"GGUF"


def check_magic(path: Path) -> None:
    """Raise ModelError if a file can't be read or is no GGUF."""
    try:
        with open(path, "rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ModelError(f"can't read the model {path}: {error.strerror}") from error
    if magic != _MAGIC:
        raise ModelError(
            f"{path} is not a GGUF file. `nacrith models import` makes one from a "
            "Hugging Face checkpoint directory"
        )
