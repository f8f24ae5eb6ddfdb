"""What the file of a correction begins with: which correction it is, and of which model.

`MAGIC`, the SHA-256 of all that is behind this line (64 hexadecimal digits and a line feed), a
line of JSON; then the factors (`correction_file`). Reading the head takes no time, and where the
merged weights are kept, nothing more of the file is needed.

A correction can build on another one, which may do so itself: `MAGIC_ON`, and in the JSON `on`,
the hash of that one. `MAGIC_DEFLATED`: whether it does or not, its factors are compressed, and the
SHA-256 is that of the same file when they are not; so a correction keeps its name.
"""

import json
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from predictors.base import ModelError

MAGIC = b"nacrith correction 1\n"
MAGIC_ON = b"nacrith correction 2\n"
MAGIC_DEFLATED = b"nacrith correction 3\n"
_MAGICS = MAGIC, MAGIC_ON, MAGIC_DEFLATED
HASHED_FROM = len(MAGIC) + 65
"""Bytes in front of those that the hash is of."""

SHIPPED = Path(__file__).parent
"""Where the corrections are that come with the program."""

MOST = 4
"""So many corrections at most are merged, each on the one that it builds on."""

_MAX_HEAD = 1 << 12
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class CorrectionFile:
    """A correction that is in a file.

    Attributes:
        path: of the file.
        sha256: names the correction, 64 hexadecimal digits.
        model: SHA-256 of the GGUF that it is for.
        base: the correction that it builds on.
    """

    path: Path
    sha256: str
    model: str
    base: "CorrectionFile | None" = None

    @property
    def size(self) -> int:
        """Bytes of its file, and of those of what it builds on; raises OSError."""
        return self.path.stat().st_size + (self.base.size if self.base else 0)


def describe_correction(path: Path, most: int = MOST) -> CorrectionFile:
    """Read the head of a correction's file.

    Args:
        most: corrections that may be merged, this one among them.

    Raises:
        ModelError: it can't be read, or is no such file, or what it builds on is not here, or is
            more than that.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise not_a_correction(path)
        with open(path, "rb") as file:
            begin = file.read(HASHED_FROM + _MAX_HEAD)
    except OSError as error:
        raise ModelError(f"can't read the correction {path}: {error.strerror}") from error
    sha256, head, _ = split_head(begin, path)
    base = find_base(head["on"], path, most - 1) if head["on"] else None
    if base and base.model != head["model"]:
        raise not_a_correction(path)
    return CorrectionFile(path, sha256, head["model"], base)


def split_head(data: bytes, path: Path) -> tuple[str, dict[str, Any], int]:
    """(hash, what is in the line of JSON, where the factors begin); raises ModelError.

    `on` of the second is empty for a correction that builds on none.
    """
    if not data.startswith(_MAGICS):
        raise not_a_correction(path)
    end = data.find(b"\n", HASHED_FROM, HASHED_FROM + _MAX_HEAD)
    try:
        sha256 = data[len(MAGIC) : HASHED_FROM - 1].decode("ascii")
        head = json.loads(data[HASHED_FROM:end])
        named = [sha256, head["model"]]
        if data.startswith(MAGIC_ON) or (data.startswith(MAGIC_DEFLATED) and "on" in head):
            named.append(head["on"])
        if end < 0 or not all(map(_SHA256.fullmatch, named)):
            raise not_a_correction(path)
    except (ValueError, TypeError, KeyError) as error:
        raise not_a_correction(path) from error
    return sha256, {**head, "on": named[2] if named[2:] else ""}, end + 1


def find_base(sha256: str, path: Path, most: int = MOST - 1) -> CorrectionFile:
    """The correction of that hash which the one in `path` builds on.

    It is looked for among those that are shipped, then among the files `*.bin` beside `path`.

    Args:
        most: corrections that may be merged below the one in `path`.

    Raises:
        ModelError: it is not there, or these are more.
    """
    named = f"{sha256}\n".encode()
    for found, begin in (*_beginnings(SHIPPED), *_beginnings(path.parent)):
        if begin[len(MAGIC) :] != named:
            continue
        # Files that name each other would never come to an end.
        if most == 0:
            raise ModelError(
                f"{path} builds on the correction {found}; only {MOST} can be merged, each on "
                "the one that it builds on"
            )
        return describe_correction(found, most)
    raise ModelError(
        f"{path} builds on another correction, {sha256[:16]}, which is neither shipped nor beside "
        "it (in a file *.bin)"
    )


def _beginnings(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Files of a folder that are corrections by their name and first bytes: up to the hash."""
    for path in sorted(folder.glob("*.bin")):
        with suppress(OSError):
            if not path.is_file():
                continue
            with open(path, "rb") as file:
                begin = file.read(HASHED_FROM)
            if begin.startswith(_MAGICS):
                yield path, begin


def not_a_correction(path: Path) -> ModelError:
    """The error that says so."""
    return ModelError(f"{path} is no correction of a model, or is damaged; get it anew")
