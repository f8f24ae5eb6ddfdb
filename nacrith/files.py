"""Input and output files: nothing half-written, nothing overwritten unasked."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from nacrith.errors import FileError

SUFFIX = ".nc"


@contextmanager
def open_input(path: Path | None) -> Iterator[tuple[BinaryIO, os.stat_result | None]]:
    """Open a file for reading (None = standard input); yield it with its status.

    The status is None unless the input is a regular file.

    Raises:
        FileError: it is a directory, missing or unreadable.
    """
    if path is None:
        yield sys.stdin.buffer, None
        return
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed below)
    except IsADirectoryError as error:
        raise FileError(
            f"{path} is a directory; pack it first: tar -cf - {path} | nacrith compress > "
            f"{path.name or 'folder'}.tar{SUFFIX}"
        ) from error
    except OSError as error:
        raise FileError(f"can't read {path}: {error.strerror}") from error
    with file:
        status = os.fstat(file.fileno())
        yield file, status if stat.S_ISREG(status.st_mode) else None


def compressed_name(path: Path, force: bool) -> Path:
    """FILE → FILE.nc; refuses a file that already has the ending unless forced."""
    if path.suffix == SUFFIX and not force:
        raise FileError(f"{path} already ends in {SUFFIX}; use -f to compress it again")
    return path.with_name(path.name + SUFFIX)


def original_name(path: Path) -> Path:
    """FILE.nc → FILE; raises FileError for any other ending."""
    if path.suffix != SUFFIX or path.name == SUFFIX:
        raise FileError(f"{path} does not end in {SUFFIX}; say where to write with -o or -c")
    return path.with_name(path.name[: -len(SUFFIX)])


@contextmanager
def open_output(
    path: Path, force: bool = False, attributes: os.stat_result | None = None
) -> Iterator[BinaryIO]:
    """Open `path` for writing; it appears whole when the block ends, or not at all.

    The data goes to a temporary file in the same folder, which is renamed at the
    end and removed after an error. A device, pipe or socket is written directly.

    Args:
        path: target.
        force: replace a file that exists.
        attributes: permissions, time stamps and (if allowed) owner for the target.

    Raises:
        FileError: the target exists and `force` is false, or can't be written.
    """
    exists = os.path.lexists(path)
    if exists and path.exists() and not path.is_file():
        if path.is_dir():
            raise FileError(f"{path} is a directory")
        try:
            device = open(path, "wb")  # noqa: SIM115 (closed below)
        except OSError as error:
            raise FileError(f"can't write {path}: {error.strerror}") from error
        with device:
            yield device
        return
    if exists and not force:
        raise FileError(f"{path} exists; use -f to overwrite it")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise FileError(f"can't write in {path.parent}: {error.strerror}") from error
    os.close(descriptor)
    temporary = Path(name)
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _set_attributes(temporary, attributes)
        _publish(temporary, path, force)
    except OSError as error:
        if error.filename in (None, name):
            raise FileError(f"can't write {path}: {error.strerror}") from error
        raise
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _set_attributes(path: Path, attributes: os.stat_result | None) -> None:
    if attributes is None:
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(path, 0o666 & ~umask)
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


def _publish(temporary: Path, path: Path, force: bool) -> None:
    if force:
        os.replace(temporary, path)
        return
    try:
        # Unlike rename, link refuses a target that has appeared meanwhile.
        os.link(temporary, path)
    except FileExistsError as error:
        raise FileError(f"{path} exists; use -f to overwrite it") from error
    except OSError:
        # A file system without hard links.
        if os.path.lexists(path):
            raise FileError(f"{path} exists; use -f to overwrite it") from None
        os.replace(temporary, path)
