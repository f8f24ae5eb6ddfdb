"""Input and output files: nothing half-written, nothing overwritten unasked."""

import functools
import io
import os
import re
import shlex
import stat
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nacrith.errors import ChangedError, FileError, FormatError
from nacrith.system.umask import current_umask

if TYPE_CHECKING:
    from nacrith.format.header import Metadata

SUFFIX = ".nc"
PART_SUFFIX = ".part"
NEW_SUFFIX = ".new" + PART_SUFFIX
"""Of a part that is of no use to a later run."""

# Where a system shows the descriptors of processes as files.
_DESCRIPTOR_FOLDER = re.compile(r"/dev/fd|/proc/\d+(/task/\d+)?/fd", re.ASCII)
_MAX_LINKS = 40

# A link in the place of a part file is not followed.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


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


@functools.cache
def standard_output() -> BinaryIO:
    """Standard output, whose writes are complete.

    Raises:
        FileError: it is closed.
    """
    stream = sys.stdout.buffer
    # PYTHONUNBUFFERED takes the buffer away, and with it the loop around short writes.
    return io.BufferedWriter(stream) if isinstance(stream, io.RawIOBase) else stream


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
            device = _open_special(path)
        except OSError as error:
            raise FileError(f"can't write {path}: {error.strerror}") from error
        with device:
            _outputs.add(device)
            yield device
        return
    if exists and not force:
        raise FileError(f"{path} exists; use -f to overwrite it")
    part = part_name(path, part_suffix)
    if part_suffix != PART_SUFFIX and _is_locked(part_name(path)):
        raise FileError(f"{path} is being written by another run; wait for its end")
    with _open_part(part) as file:
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
            _publish(part, path, force)
        except BaseException as error:
            if os.getpid() != process:
                raise
            wrong = isinstance(error, (ChangedError, FormatError))
            if wrong or not _holds_work(part, worth_keeping):
                part.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.filename in (None, str(part)):
                raise FileError(f"can't write {path}: {error.strerror}") from error
            raise


def is_special(path: Path) -> bool:
    """Is there something that is no regular file: a folder, device, pipe or socket?

    So is a name for an open descriptor, even if the descriptor is of a regular file: to
    replace the name would not reach the file.
    """
    return os.path.exists(path) and (not os.path.isfile(path) or _descriptor(path) is not None)


def _descriptor(path: Path) -> tuple[str, int] | None:
    """The folder of descriptors and the number that a path stands for, through links."""
    for _ in range(_MAX_LINKS):
        folder = os.path.realpath(path.parent)
        if _DESCRIPTOR_FOLDER.fullmatch(folder) and path.name.isdecimal():
            return folder, int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / os.readlink(path)
    return None


def _open_special(path: Path) -> io.BufferedWriter:
    """Open a device, pipe or descriptor for writing."""
    found = _descriptor(path)
    if found and found[0] in ("/dev/fd", f"/proc/{os.getpid()}/fd"):
        # Opened by its name, a regular file would be truncated, and written from its start.
        return os.fdopen(os.dup(found[1]), "wb")
    return open(path, "wb")


def no_folder(path: Path) -> str:
    """What is said of a path to write to whose folder is not there."""
    return f"can't write {path}: there is no folder {path.parent}; make it first"


def part_name(path: Path, suffix: str = PART_SUFFIX) -> Path:
    """Where a target is written to: TARGET.part."""
    return path.with_name(path.name + suffix)


class _DurableFile(io.BufferedRandom):
    """`flush` brings the data to the disk, so that a power cut can't take it."""

    def flush(self) -> None:
        super().flush()
        os.fsync(self.fileno())


@contextmanager
def _locked_part(part: Path) -> Iterator[_DurableFile]:
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
            _outputs.add(file)
            yield file
            return
        finally:
            # On a full disk the last flush fails again.
            with suppress(OSError):
                file.close()


@contextmanager
def _open_part(part: Path) -> Iterator[_DurableFile]:
    """Open and lock a part file, which may be left from a run that was killed."""
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


_outputs: "weakref.WeakSet[io.BufferedIOBase]" = weakref.WeakSet()


def _leave_to_parent() -> None:
    """In a forked child: lead its copies of the descriptors to nowhere.

    They share the parent's position, and the child has a copy of what is still buffered.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    for file in list(_outputs):
        with suppress(ValueError):  # It is closed.
            os.dup2(null, file.fileno())
    os.close(null)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


def _is_still(path: Path, status: os.stat_result) -> bool:
    """Does the name still stand for the file of this status?"""
    try:
        return os.path.samestat(path.stat(), status)
    except FileNotFoundError:
        return False


def _holds_work(part: Path, worth_keeping: Callable[[BinaryIO], bool]) -> bool:
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


def _is_locked(path: Path) -> bool:
    """Is another process writing to it? A part without data, made just now, counts too."""
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return not _lock(file.fileno())
    except OSError:
        return False


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


def _publish(part: Path, path: Path, force: bool) -> None:
    """Give the part file its name."""
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
