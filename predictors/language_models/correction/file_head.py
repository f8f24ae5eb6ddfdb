"""What the file of a correction begins with: which correction it is, and of which model.

`MAGIC`, the SHA-256 of all that is behind this line (64 hexadecimal digits and a line feed), a
line of JSON; then the factors (`correction_file`). Reading the head takes no time, and where the
merged weights are kept, nothing more of the file is needed.
"""

import json
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predictors.base import ModelError

MAGIC = b"nacrith correction 1\n"
HASHED_FROM = len(MAGIC) + 65
"""Bytes in front of those that the hash is of."""

_MAX_HEAD = 1 << 12
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class CorrectionFile:
    """A correction that is in a file.

    Attributes:
        path: of the file.
        sha256: names the correction, 64 hexadecimal digits.
        model: SHA-256 of the GGUF that it is for.
    """

    path: Path
    sha256: str
    model: str


def describe_correction(path: Path) -> CorrectionFile:
    """Read the head of a correction's file.

    Raises:
        ModelError: it can't be read, or is no such file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise not_a_correction(path)
        with open(path, "rb") as file:
            begin = file.read(HASHED_FROM + _MAX_HEAD)
    except OSError as error:
        raise ModelError(f"can't read the correction {path}: {error.strerror}") from error
    sha256, head, _ = split_head(begin, path)
    return CorrectionFile(path, sha256, head["model"])


def split_head(data: bytes, path: Path) -> tuple[str, dict[str, Any], int]:
    """(hash, what is in the line of JSON, where the factors begin); raises ModelError."""
    if not data.startswith(MAGIC):
        raise not_a_correction(path)
    end = data.find(b"\n", HASHED_FROM, HASHED_FROM + _MAX_HEAD)
    try:
        sha256 = data[len(MAGIC) : HASHED_FROM - 1].decode("ascii")
        head = json.loads(data[HASHED_FROM:end])
        if end < 0 or not _SHA256.fullmatch(sha256) or not _SHA256.fullmatch(head["model"]):
            raise not_a_correction(path)
    except (ValueError, TypeError, KeyError) as error:
        raise not_a_correction(path) from error
    return sha256, head, end + 1


def not_a_correction(path: Path) -> ModelError:
    """The error that says so."""
    return ModelError(f"{path} is no correction of a model, or is damaged; get it anew")
