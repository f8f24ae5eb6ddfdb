"""Names that stand for no regular file: folders, devices, pipes, sockets, open descriptors."""

import io
import os
import re
from pathlib import Path

# Where a system shows the descriptors of processes as files.
_DESCRIPTOR_FOLDER = re.compile(r"/dev/fd|/proc/\d+(/task/\d+)?/fd", re.ASCII)
_MAX_LINKS = 40


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


def open_special(path: Path) -> io.BufferedWriter:
    """Open a device, pipe or descriptor for writing."""
    found = _descriptor(path)
    if found and found[0] in ("/dev/fd", f"/proc/{os.getpid()}/fd"):
        # Opened by its name, a regular file would be truncated, and written from its start.
        return os.fdopen(os.dup(found[1]), "wb")
    return open(path, "wb")
