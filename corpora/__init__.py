"""Benchmark corpora: where they are, or how to fetch them.

No corpus file is part of the project. `manifest.json` names each file with its
home page, size and checksum. Files are looked for in a folder that is already
there ($NACRITH_CORPORA, or `../shared/corpora` beside the checkout), then in
`corpora/files`, and are fetched into the latter if they are missing.
"""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
FETCHED = _HERE / "files"


class CorpusError(Exception):
    """A corpus that is not here and could not be fetched."""


def manifest() -> dict[str, Any]:
    """The contents of manifest.json."""
    found: dict[str, Any] = json.loads((_HERE / "manifest.json").read_text("utf-8"))
    return found


def _folders() -> list[Path]:
    given = os.environ.get("NACRITH_CORPORA")
    return [Path(given)] if given else [_HERE.parent.parent / "shared" / "corpora", FETCHED]


def canterbury(fetch: bool = False) -> list[Path]:
    """Paths of the eleven files of the Canterbury corpus, in alphabetical order.

    Args:
        fetch: download what is missing.

    Raises:
        CorpusError: not here, and not fetched.
    """
    names = sorted(manifest()["canterbury"]["files"])
    for folder in _folders():
        paths = [folder / "canterbury" / name for name in names]
        if all(path.is_file() for path in paths):
            return paths
    if not fetch:
        raise CorpusError("the Canterbury corpus is not here: `python -m corpora fetch canterbury`")
    _fetch("canterbury")
    return [FETCHED / "canterbury" / name for name in names]


def enwik8(size: int, fetch: bool = False) -> bytes:
    """The first `size` bytes of enwik8.

    Raises:
        CorpusError: fewer are here, and not fetched.
    """
    prefix = manifest()["enwik8"]["prefix"]
    for folder in _folders():
        for path in (folder / "enwik8" / "enwik8", folder / "enwik8", folder / prefix["name"]):
            if path.is_file() and path.stat().st_size >= size:
                with open(path, "rb") as file:
                    return file.read(size)
    if not fetch:
        raise CorpusError(f"no {size} bytes of enwik8 here: `python -m corpora fetch enwik8`")
    _fetch("enwik8")
    with open(FETCHED / "enwik8" / "enwik8", "rb") as file:
        return file.read(size)


def verify(path: Path, expected: dict[str, Any]) -> bool:
    """Does the file have the size and checksum of its manifest entry?"""
    if path.stat().st_size != expected["size"]:
        return False
    kind = "sha256" if "sha256" in expected else "md5"
    digest = hashlib.new(kind)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == expected[kind]


def _fetch(name: str) -> None:
    """Download a corpus archive, unpack it into `corpora/files`, check every file."""
    entry = manifest()[name]
    target = FETCHED / name
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        archive = Path(scratch) / "archive"
        try:
            with (
                urllib.request.urlopen(entry["address"], timeout=60) as response,
                open(archive, "wb") as file,
            ):
                shutil.copyfileobj(response, file)
        except (urllib.error.URLError, OSError) as error:
            raise CorpusError(f"can't fetch {entry['address']}: {error}") from error
        for member, expected in entry["files"].items():
            unpacked = Path(scratch) / member
            with open(unpacked, "wb") as out:
                _extract(archive, member, out)
            if not verify(unpacked, expected):
                raise CorpusError(f"{member} of {entry['address']} has a wrong checksum")
            unpacked.replace(target / member)


def _extract(archive: Path, member: str, out: Any) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed, packed.open(member) as source:
            shutil.copyfileobj(source, out)
        return
    with tarfile.open(archive) as tar:
        found = next((m for m in tar if Path(m.name).name == member and m.isfile()), None)
        content = tar.extractfile(found) if found else None
        if content is None:
            raise CorpusError(f"the archive has no {member}")
        shutil.copyfileobj(content, out)
