"""The files in folders that -r is for, told by their content where their names do not tell."""

import os
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

from nacrith.cli.inputs import Inputs
from nacrith.format.container import REFERENCE_MAGICS
from nacrith.system.files import SUFFIX, has_suffix
from nacrith.system.part_file import NEW_SUFFIX, PART_SUFFIX

# NetCDF classic, 64-bit offset and 64-bit data, and HDF5, which netCDF 4 is.
_FOREIGN_MAGICS = (b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF")


class Choice(Enum):
    """What -r does with a file, and why."""

    TAKE = "is meant"
    COMPRESSED = "holds compressed data already"
    FOREIGN = "is netCDF data"
    IGNORE = "has another ending"


def is_compressed(path: Path) -> bool:
    """Is it a regular file that begins as ours and those of the reference do?"""
    return _beginning(path) in REFERENCE_MAGICS


def originals(path: Path, suffix: str = SUFFIX) -> Choice:
    """For compression: all but what is compressed already, and parts of an output."""
    if has_suffix(path, suffix) or has_suffix(path):
        return Choice.COMPRESSED if is_compressed(path) else Choice.TAKE
    parts = tuple(s + part for s in (suffix, SUFFIX) for part in (PART_SUFFIX, NEW_SUFFIX))
    if path.name.endswith(parts):
        return Choice.COMPRESSED if is_compressed(path) or _is_empty(path) else Choice.TAKE
    return Choice.TAKE


def compressed(path: Path, suffix: str = SUFFIX) -> Choice:
    """For decompression and tests: the files of our ending that are not netCDF's.

    A damaged beginning is no reason to pass a file over.
    """
    if not (has_suffix(path, suffix) or has_suffix(path)):
        return Choice.IGNORE
    return Choice.FOREIGN if _beginning(path) in _FOREIGN_MAGICS else Choice.TAKE


def walk(
    inputs: Inputs,
    choose: Callable[[Path], Choice],
    passed_over: Callable[[Path, Choice], None],
    failed: Callable[[str], None],
) -> Iterator[Path]:
    """Yield the files, with those in folders, sorted; links in folders are left out.

    What is excluded is not spoken of.

    Args:
        passed_over: told of files that one may have thought would be taken.
        failed: told of folders that can't be read.
    """

    def unreadable(error: OSError) -> None:
        failed(f"can't read {error.filename}: {error.strerror}")

    for path in inputs.files:
        if inputs.is_excluded(path):
            continue
        if not inputs.recursive or str(path) == "-" or not os.path.isdir(path):
            yield path
            continue
        for folder, folders, names in os.walk(path, onerror=unreadable):
            folders[:] = sorted(f for f in folders if not inputs.is_excluded(Path(folder, f)))
            for file in (Path(folder, name) for name in sorted(names)):
                if inputs.is_excluded(file) or os.path.islink(file) or not os.path.isfile(file):
                    continue
                choice = choose(file)
                if choice is Choice.TAKE:
                    yield file
                elif choice is not Choice.IGNORE:
                    passed_over(file, choice)


def _beginning(path: Path) -> bytes:
    """The first four bytes; none if it can't be read, which whoever opens it will tell."""
    if not os.path.isfile(path):
        return b""
    try:
        with open(path, "rb") as file:
            return file.read(4)
    except OSError:
        return b""


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False
