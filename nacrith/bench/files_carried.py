"""Which files of a machine are documents, archives, pictures or sound, by their names."""

import os
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

KINDS = {
    "document": "docx epub odg odp ods odt pdf pptx xlsx",
    "archive": "apk egg gz jar npz svgz tgz war whl xpi zip",
    "picture": "apng bmp gif ico jpeg jpg pbm pgm png pnm ppm tif tiff webp",
    "sound": "aif aiff au flac mp3 oga ogg opus wav",
}
"""By kind, the endings of names."""

_KIND_OF = {f".{end}": kind for kind, ends in KINDS.items() for end in ends.split()}


class Carried(NamedTuple):
    """A file.

    Attributes:
        path: where it is.
        kind: of `KINDS`.
        ending: of its name, in small letters, without the dot.
        size: in bytes.
    """

    path: Path
    kind: str
    ending: str
    size: int


def usual_folders() -> list[Path]:
    """Where a Debian has such files, and Python's packages."""
    found = [Path("/usr/share"), *sorted(Path("/usr/lib").glob("python3*"))]
    found.append(Path(sysconfig.get_path("purelib", vars={"base": sys.prefix})))
    return [folder for folder in dict.fromkeys(found) if folder.is_dir()]


def carried(folders: Iterable[Path]) -> list[Carried]:
    """The files of these kinds, each once, in an order by chance that is always the same.

    First one of each ending, then the second ones and so on: so the first ones of a long list are
    of all kinds. Links are left out, and what can't be read.
    """
    found = {file.path: file for folder in folders for file in _below(folder)}
    by_chance = sorted(found.values(), key=lambda file: sha256(str(file.path).encode()).digest())
    numbers: Counter[str] = Counter()
    order = []
    for file in by_chance:
        order.append((numbers[file.ending], file.ending, file))
        numbers[file.ending] += 1
    return [file for _, _, file in sorted(order, key=lambda found: found[:2])]


def _below(folder: Path) -> Iterator[Carried]:
    for path in folder.rglob("*"):
        ending = path.suffix.lower()
        if ending not in _KIND_OF:
            continue
        try:
            if path.is_file() and not path.is_symlink() and os.access(path, os.R_OK):
                yield Carried(path, _KIND_OF[ending], ending[1:], path.stat().st_size)
        except OSError:
            continue
