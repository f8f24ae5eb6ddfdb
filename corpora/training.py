"""The texts that a correction of the model is trained on, and those it is validated with.

`training.tsv` has a line for each: its kind, whether it is for training or for validation,
size, checksum, source and licence. The two sides share no author and no work. Texts whose
licence is for research only are for validation only.

A text is looked for as `training/NAME` in the folders of `corpora.folders`. Sources are
files of public repositories and packages, often parts of them, so they can't be fetched by
an address alone; the checksum tells whether a text is the one that is meant.
"""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from corpora.folders import folders

TRAIN, VALIDATION = "train", "validation"

_MANIFEST = Path(__file__).with_name("training.tsv")


class Text(NamedTuple):
    """A line of the manifest.

    Attributes:
        name: path below `training`.
        kind: prose, wiki, code, markup, data, modern or languages.
        split: `TRAIN` or `VALIDATION`.
        size: bytes. sha256: of them.
        source: where it is from. licence: in words.
    """

    name: str
    kind: str
    split: str
    size: int
    sha256: str
    source: str
    licence: str


def manifest() -> list[Text]:
    """All texts, in the order of the manifest."""
    with open(_MANIFEST, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Text(
                row["name"], row["kind"], row["split"], int(row["size"]), row["sha256"],
                row["source"], row["licence"],
            )
            for row in rows
        ]  # fmt: skip


def read(split: str) -> Iterator[tuple[Text, bytes]]:
    """The texts of one side that are here and are what the manifest says."""
    for text in manifest():
        if text.split == split and (data := _find(text)) is not None:
            yield text, data


def _find(text: Text) -> bytes | None:
    for folder in folders():
        path = folder / "training" / text.name
        if path.is_file() and path.stat().st_size == text.size:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == text.sha256:
                return data
    return None
