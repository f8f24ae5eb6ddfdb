"""What the built-in `open` and its file objects would refuse, found out without opening."""

import errno
import io
import os
from typing import Any

StrPath = str | bytes | os.PathLike[str]


def check_target(path: StrPath, exclusive: bool) -> None:
    """Check a path to write to, which is not opened itself: a part file takes its place.

    Args:
        exclusive: as in the mode "x".

    Raises:
        OSError: what the built-in `open` would raise.
    """
    name = os.fsdecode(path)
    if not name:
        raise _error(errno.ENOENT, path)
    if exclusive and os.path.lexists(name):
        raise _error(errno.EEXIST, path)
    if os.path.isdir(name) or name.endswith(os.sep):
        raise _error(errno.EISDIR, path)
    effective = os.access in os.supports_effective_ids
    if os.path.exists(name) and not os.access(name, os.W_OK, effective_ids=effective):
        raise _error(errno.EACCES, path)


def check_file_object(file: Any, action: str) -> None:
    """Check a binary file object.

    Args:
        action: "read" or "write".

    Raises:
        TypeError: it is none.
        io.UnsupportedOperation: it is not open for that.
        ValueError: it is closed.
    """
    if not hasattr(file, action) or isinstance(file, io.TextIOBase):
        raise TypeError(f"a path or a binary file object to {action} is needed, not {file!r}")
    ask = getattr(file, f"{'read' if action == 'read' else 'writ'}able", None)
    if ask and not ask():
        raise io.UnsupportedOperation(f"{file!r} is not open to {action}")


def check_open(file: io.IOBase) -> None:
    """Raise ValueError if it is closed, of which the wrappers of `io` do not look after all."""
    if file.closed:
        raise ValueError("I/O operation on closed file")


def _error(number: int, path: StrPath) -> OSError:
    """OSError makes the subclass of the number."""
    return OSError(number, os.strerror(number), os.fspath(path))
