"""Benchmark corpora: where they are, or how to fetch them.

No corpus file is part of the project but those of `unseen`, which were written for it.
`manifest.json` names each file with its
home page, size and checksum. Files are looked for in a folder that is already
there (one that $NACRITH_CORPORA names, or `../shared/corpora` beside the checkout), then in the
user's cache folder, and are fetched into the latter if they are missing. A folder
of one's own holds `canterbury/alice29.txt` and so on, or the archives as they are
on the home pages.
"""

import hashlib
import json
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from corpora.download import DownloadError, download
from corpora.folders import fetched_folder, folders

_HERE = Path(__file__).resolve().parent


class CorpusError(Exception):
    """A corpus that is not here and could not be fetched."""


def manifest() -> dict[str, Any]:
    """The contents of manifest.json."""
    found: dict[str, Any] = json.loads((_HERE / "manifest.json").read_text("utf-8"))
    return found


def files(name: str, fetch: bool = False) -> list[Path]:
    """Paths of the files of a corpus ("canterbury", "calgary"), in alphabetical order.

    Args:
        fetch: download what is missing.

    Raises:
        CorpusError: not here, and not fetched.
    """
    names = sorted(manifest()[name]["files"])
    for folder in folders():
        paths = [folder / name / file for file in names]
        if all(path.is_file() for path in paths):
            return paths
    if not fetch:
        raise CorpusError(
            f"the {name.capitalize()} corpus is not here: `python -m corpora fetch {name}`, or put "
            "it into a folder that $NACRITH_CORPORA names"
        )
    target = _fetch(name)
    return [target / file for file in names]


def canterbury(fetch: bool = False) -> list[Path]:
    """The eleven files of the Canterbury corpus; see `files`."""
    return files("canterbury", fetch)


def unseen() -> list[Path]:
    """Paths of the texts that were written for the benchmarks, in alphabetical order."""
    return sorted(path for path in (_HERE / "unseen").iterdir() if path.name != "README.md")


def enwik8(size: int, fetch: bool = False) -> bytes:
    """The first `size` bytes of enwik8; see `prefix_of`."""
    return prefix_of("enwik8", size, fetch)


def prefix_of(name: str, size: int, fetch: bool = False) -> bytes:
    """The first `size` bytes of "enwik8" or "enwik9".

    Raises:
        CorpusError: fewer are here, and not fetched.
    """
    entry = manifest()[name]
    prefix = entry.get("prefix", {"name": name})["name"]
    for folder in folders():
        for path in (folder / name / name, folder / name, folder / prefix):
            if path.is_file() and path.stat().st_size >= size:
                with open(path, "rb") as file:
                    return file.read(size)
    if not fetch:
        raise CorpusError(
            f"no {size} bytes of {name} here: `python -m corpora fetch {name}`, or put the file "
            "into a folder that $NACRITH_CORPORA names"
        )
    with open(_fetch(name) / name, "rb") as file:
        return file.read(size)


def verify(path: Path, expected: dict[str, Any]) -> bool:
    """Does the file have the size and checksum of its manifest entry, where it has them?"""
    if path.stat().st_size != expected.get("size", path.stat().st_size):
        return False
    for kind in ("sha256", "md5"):
        if kind in expected:
            digest = hashlib.new(kind)
            with open(path, "rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
            return digest.hexdigest() == expected[kind]
    return True


def _fetch(name: str) -> Path:
    """Download a corpus archive, unpack it into the returned folder, check every file."""
    entry = manifest()[name]
    target = fetched_folder() / name
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CorpusError(f"can't make the folder {target}: {error.strerror}") from error
    address = entry["address"]
    archive = _local_archive(address) or target / "archive"
    fetched = archive == target / "archive"
    if fetched:
        try:
            download(address, archive)
        except DownloadError as error:
            raise CorpusError(
                f"{error}; without a network put {address.rsplit('/', 1)[-1]} into a folder, "
                "and name that with NACRITH_CORPORA"
            ) from error
    try:
        _unpack(archive, entry, target)
    finally:
        if fetched:
            archive.unlink()
    return target


def _local_archive(address: str) -> Path | None:
    """The archive of that name in one of the folders."""
    found = (folder / address.rsplit("/", 1)[-1] for folder in folders())
    return next((path for path in found if path.is_file()), None)


def _unpack(archive: Path, entry: dict[str, Any], target: Path) -> None:
    whole = {key: value for key, value in entry.items() if key in ("size", "sha256")}
    if not verify(archive, whole):
        raise CorpusError(f"{entry['address']} has a wrong size or checksum; try again")
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        for member, expected in entry["files"].items():
            unpacked = Path(scratch) / member
            with open(unpacked, "wb") as out:
                _extract(archive, member, out)
            if not verify(unpacked, expected):
                raise CorpusError(f"{member} of {entry['address']} has a wrong checksum")
        for member in entry["files"]:
            (Path(scratch) / member).replace(target / member)


def _extract(archive: Path, member: str, out: Any) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed, packed.open(member) as source:
            shutil.copyfileobj(source, out)
        return
    if not tarfile.is_tarfile(archive):
        raise CorpusError("what was fetched is no archive")
    with tarfile.open(archive) as tar:
        found = next((m for m in tar if Path(m.name).name == member and m.isfile()), None)
        content = tar.extractfile(found) if found else None
        if content is None:
            raise CorpusError(f"the archive has no {member}")
        shutil.copyfileobj(content, out)
