"""PATH.part, in which a file is written until it is whole: durable, and locked against others."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from nacrith.errors import FileError
from nacrith.system.forks import keep_from_children
from nacrith.system.special_files import is_special

PART_SUFFIX = ".part"
NEW_SUFFIX = ".new" + PART_SUFFIX
"""Of a part that is of no use to a later run."""

# A link in the place of a part file is not followed.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def part_name(path: Path, suffix: str = PART_SUFFIX) -> Path:
    """Where a target is written to: TARGET.part."""
    return path.with_name(path.name + suffix)


def no_folder(path: Path) -> str:
    """What is said of a path to write to whose folder is not there."""
    return f"can't write {path}: there is no folder {path.parent}; make it first"


class _DurableFile(io.BufferedRandom):
    """`flush` brings the data to the disk, so that a power cut can't take it."""

    def flush(self) -> None:
        super().flush()
        os.fsync(self.fileno())


@contextmanager
def _locked_part(part: Path) -> Iterator[_DurableFile]:
    """Open a part file, made if it is not there, that no other run writes to.

    Raises:
        FileError: it can't be written, or another run has locked it.
    """

    def create(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CREAT | _NO_FOLLOW, 0o600)

    while True:
        if os.path.islink(part) or is_special(part):
            raise FileError(f"{part} is no regular file; remove it, or use -o")
        try:
            file = _DurableFile(io.FileIO(part, "r+b", opener=create))
        except OSError as error:
            if not part.parent.exists():
                raise FileError(no_folder(part)) from error
            raise FileError(f"can't write {part}: {error.strerror}") from error
        try:
            if not _lock(file.fileno()):
                raise FileError(f"{part} is being written by another run; wait for its end")
            status = os.fstat(file.fileno())
            if not _is_still(part, status):
                # The other run has just ended and renamed it.
                continue
            if status.st_nlink > 1:
                # A run was killed after it had given the file its name.
                part.unlink()
                continue
            keep_from_children(file)
            yield file
            return
        finally:
            # On a full disk the last flush fails again.
            with suppress(OSError):
                file.close()


@contextmanager
def open_part(part: Path) -> Iterator[_DurableFile]:
    """Open and lock a part file, which may be left from a run that was killed.

    Raises:
        FileError: it can't be written, or another run has locked it.
    """
    process = os.getpid()
    try:
        with _locked_part(part) as file:
            yield file
    except BaseException:
        if os.getpid() == process:
            _remove_empty(part)
        raise


def _remove_empty(part: Path) -> None:
    """Remove a part file without data that no run has locked.

    A signal may have come just after the file had been made.
    """
    if os.path.islink(part) or not os.path.isfile(part):
        return
    with suppress(OSError), open(part, "rb") as file:
        status = os.fstat(file.fileno())
        if status.st_size == 0 and _lock(file.fileno()) and _is_still(part, status):
            part.unlink()


def _is_still(path: Path, status: os.stat_result) -> bool:
    """Does the name still stand for the file of this status?"""
    try:
        return os.path.samestat(path.stat(), status)
    except FileNotFoundError:
        return False


def holds_work(part: Path, worth_keeping: Callable[[BinaryIO], bool]) -> bool:
    """Ask of what has really been written."""
    try:
        with open(part, "rb") as file:
            return worth_keeping(file)
    except OSError:
        return False


def _lock(descriptor: int) -> bool:
    """Lock a file until it is closed; False if another process has locked it."""
    try:
        import fcntl
    except ImportError:  # Windows refuses to replace an open file anyway.
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # A file system without locks.
        return True
    return True


def is_locked(path: Path) -> bool:
    """Is another process writing to it? A part without data, made just now, counts too."""
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return not _lock(file.fileno())
    except OSError:
        return False


def publish(part: Path, path: Path, force: bool) -> None:
    """Give the part file its name.

    Raises:
        FileError: the name is taken, and `force` is false.
    """
    if force:
        os.replace(part, path)
    else:
        try:
            # Unlike rename, link refuses a target that has appeared meanwhile.
            os.link(part, path)
            part.unlink()
        except FileExistsError as error:
            raise FileError(f"{path} exists; use -f to overwrite it") from error
        except OSError:
            # A file system without hard links.
            if os.path.lexists(path):
                raise FileError(f"{path} exists; use -f to overwrite it") from None
            os.replace(part, path)
    if hasattr(os, "O_DIRECTORY"):
        # The name is on the disk before the input may be removed. Not every folder can be
        # read, nor every file system do this.
        with suppress(OSError):
            descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
