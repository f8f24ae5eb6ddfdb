"""Reads of a given size from files, pipes and whatever else can be read."""

from typing import BinaryIO

from nacrith.errors import FileError

# Reading in steps bounds what a false length can allocate.
_STEP = 1 << 20


def read_up_to(source: BinaryIO, n: int) -> bytes:
    """Read n bytes, fewer only at the end of the input.

    Raises:
        FileError: the system can't read it.
    """
    parts = []
    while n:
        try:
            part = source.read(min(n, _STEP))
        except OSError as error:
            raise FileError(f"can't read the input: {error.strerror}") from error
        if not part:
            break
        parts.append(part)
        n -= len(part)
    return b"".join(parts)
