"""The SHA-256 of a file, remembered for as long as the file stays as it is."""

import hashlib
import os
import time
import zlib
from contextlib import suppress
from pathlib import Path

from predictors.language_models.array_file import cache_folder, write_whole

_BLOCK = 1 << 20

_SETTLED_SECONDS = 2
"""A file changed so recently may change again within one tick of its time stamp."""


def sha256_of(path: Path) -> str:
    """64 hexadecimal digits.

    They are kept in the user's cache folder beside the file's size, time of change, inode and
    device: hashing the 98 MB of the default model takes longer than loading it.

    Raises:
        OSError: the file can't be read.
    """
    found = path.stat()
    if known := _remembered(path, _state(found)):
        return known
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            sha256.update(block)
    digest = sha256.hexdigest()
    place = _place(path)
    if place and time.time_ns() - found.st_mtime_ns > _SETTLED_SECONDS * 10**9:
        line = f"{digest} {_state(found)}".encode()
        write_whole(place, [b"%08x " % zlib.crc32(line), line])
    return digest


def remembered_sha256(path: Path) -> str | None:
    """`sha256_of` a file if that is kept; raises OSError."""
    return _remembered(path, _state(path.stat()))


def _state(found: os.stat_result) -> str:
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino} {found.st_dev}"


def _place(path: Path) -> Path | None:
    folder = cache_folder()
    name = hashlib.blake2b(os.fsencode(path.resolve()), digest_size=16).hexdigest() + ".sha256"
    return folder / name if folder else None


def _remembered(path: Path, state: str) -> str | None:
    if place := _place(path):
        with suppress(OSError, ValueError):
            check, line = place.read_bytes().split(b" ", 1)
            # A wrong digest would go into files, which then name a model that nobody has.
            if int(check, 16) == zlib.crc32(line):
                digest, known = line.decode().split(" ", 1)
                if known == state:
                    return digest
    return None
