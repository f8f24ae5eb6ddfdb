"""Input and output files: nothing half-written, nothing overwritten unasked."""

import functools
import io
import os
import shlex
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nacrith.errors import ChangedError, FileError, FormatError
from nacrith.system.forks import keep_from_children
from nacrith.system.part_file import (
    PART_SUFFIX,
    holds_work,
    is_locked,
    open_part,
    part_name,
    publish,
)
from nacrith.system.special_files import is_special, open_special
from nacrith.system.umask import current_umask

if TYPE_CHECKING:
    from nacrith.format.header import Metadata

SUFFIX = ".nc"


@contextmanager
def open_input(
    path: Path | None, special: bool = False
) -> Iterator[tuple[BinaryIO, os.stat_result | None]]:
    """Open a file for reading (None = standard input); yield it with its status.

    The status is None unless the input is a regular file.

    Args:
        special: read pipes, sockets and devices too.

    Raises:
        FileError: it is a directory, missing, unreadable or special.
    """
    if path is None:
        if sys.stdin is None:
            raise FileError("standard input is closed; name a file")
        yield sys.stdin.buffer, None
        return
    try:
        # Opening a pipe could wait for ever.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            packed = shlex.quote(f"{path.name.strip('.') or 'folder'}.tar{SUFFIX}")
            raise FileError(
                f"{path} is a directory; use -r for the files in it, or pack it: "
                f"tar -cf - {shlex.quote(str(path))} | nacrith compress > {packed}"
            )
        if not stat.S_ISREG(mode) and not special:
            raise FileError(
                f"{path} is not a regular file; to read it all the same, say where to write "
                "with -o or -c, or use -f"
            )
        file = open(path, "rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise FileError(f"can't read {path}: {error.strerror}") from error
    with file:
        status = os.fstat(file.fileno())
        yield file, status if stat.S_ISREG(status.st_mode) else None


def standard_output() -> BinaryIO:
    """Standard output as it is now, whose writes are complete.

    Raises:
        FileError: it is closed.
    """
    stream = sys.stdout.buffer
    # PYTHONUNBUFFERED takes the buffer away, and with it the loop around short writes.
    return _buffered(stream) if isinstance(stream, io.RawIOBase) else stream


@functools.cache
def _buffered(stream: io.RawIOBase) -> BinaryIO:
    """One buffer for all results; one that is collected would close the stream."""
    return io.BufferedWriter(stream)


def compressed_name(path: Path, suffix: str = SUFFIX) -> Path:
    """FILE → FILE.nc."""
    return path.with_name(path.name + suffix)


def original_name(path: Path, suffix: str = SUFFIX) -> Path:
    """FILE.nc → FILE, with this ending or that of all; raises FileError for any other."""
    ending = next((s for s in (suffix, SUFFIX) if has_suffix(path, s)), None)
    if ending is None:
        raise FileError(f"{path} does not end in {suffix}; say where to write with -o or -c")
    return path.with_name(path.name[: -len(ending)])


def has_suffix(path: Path, suffix: str = SUFFIX) -> bool:
    """Does something stand before this ending?"""
    return path.name.endswith(suffix) and path.name != suffix


@contextmanager
def open_output(
    path: Path,
    force: bool = False,
    attributes: os.stat_result | None = None,
    worth_keeping: Callable[[BinaryIO], bool] = lambda part: False,
    resume: bool = False,
    part_suffix: str = PART_SUFFIX,
) -> Iterator[BinaryIO]:
    """Open `path` for writing; it appears whole when the block ends, or not at all.

    The data goes to PATH.part in the same folder, locked against a second run, and is
    renamed at the end; `flush` brings it to the disk. A device, pipe or socket, or a link to
    one, and what stands for an open descriptor (/dev/stdout, /proc/self/fd/1) is written
    directly. A forked child that leaves the block changes neither name nor data.

    Args:
        path: target.
        force: replace a file that exists, and the part of an interrupted run.
        attributes: permissions, time stamps and (if allowed) owner for the target.
        worth_keeping: told the part file after a failure: can a later run go on with it?
            Else it is removed, and so it is if what it holds was found to be wrong.
        resume: yield the part of an interrupted run with what it holds, if there is one.
        part_suffix: NEW_SUFFIX leaves a part with PART_SUFFIX, which a run may go on with, alone.

    Raises:
        FileError: the target exists and `force` is false, or can't be written.
    """
    exists = os.path.lexists(path)
    if is_special(path):
        if path.is_dir():
            raise FileError(f"{path} is a directory")
        try:
            device = open_special(path)
        except OSError as error:
            raise FileError(f"can't write {path}: {error.strerror}") from error
        with device:
            keep_from_children(device)
            yield device
        return
    if exists and not force:
        raise FileError(f"{path} exists; use -f to overwrite it")
    part = part_name(path, part_suffix)
    if part_suffix != PART_SUFFIX and is_locked(part_name(path)):
        raise FileError(f"{path} is being written by another run; wait for its end")
    with open_part(part) as file:
        if not resume and not force and worth_keeping(file):
            raise FileError(
                f"{part} holds the work of an interrupted run; go on with --resume, or start "
                "afresh with -f"
            )
        process = os.getpid()
        try:
            if not resume:
                file.truncate(0)
            file.seek(0)
            yield file
            if os.getpid() != process:
                raise FileError(f"{path} can only be written by the process that opened it")
            file.flush()
            _set_attributes(part, attributes)
            publish(part, path, force)
        except BaseException as error:
            if os.getpid() != process:
                raise
            wrong = isinstance(error, (ChangedError, FormatError))
            if wrong or not holds_work(part, worth_keeping):
                part.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.filename in (None, str(part)):
                raise FileError(f"can't write {path}: {error.strerror}") from error
            raise


def is_unchanged(now: os.stat_result, before: os.stat_result) -> bool:
    """Is it the same file, not written to in between?"""
    same = (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    return same and os.path.samestat(now, before)


def remove_unchanged(path: Path, status: os.stat_result) -> None:
    """Remove the input that had this status when it was opened.

    Raises:
        FileError: it has been written to or replaced since, or can't be removed.
    """
    try:
        if not is_unchanged(path.stat(), status):
            raise FileError(f"{path} has changed since it was read, and is not removed")
        path.unlink()
    except OSError as error:
        raise FileError(f"can't remove {path}: {error.strerror}") from error


def restore_metadata(path: Path, metadata: "Metadata") -> None:
    """Give a restored file the attributes that were stored with it.

    Raises:
        FileError: the system refuses them.
    """
    try:
        path.chmod(metadata.mode & 0o777)
        os.utime(path, (metadata.mtime, metadata.mtime))
    except (OSError, OverflowError) as error:
        raise FileError(f"can't set mode and time stamp of {path}: {error}") from error


def _set_attributes(path: Path, attributes: os.stat_result | None) -> None:
    if attributes is None:
        os.chmod(path, 0o666 & ~current_umask())
        return
    mode = stat.S_IMODE(attributes.st_mode)
    if hasattr(os, "chown"):
        try:
            os.chown(path, attributes.st_uid, attributes.st_gid)
        except OSError:
            # Never hand set-id bits to another owner.
            mode &= 0o777
    os.chmod(path, mode)
    os.utime(path, ns=(attributes.st_atime_ns, attributes.st_mtime_ns))
