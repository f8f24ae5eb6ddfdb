"""Python objects through a pipe. Needs no shared memory, semaphore or lock."""

import os
import pickle
import struct
from typing import Any

_LENGTH = struct.Struct("<Q")

# Some systems refuse to read or write more than 2 GiB at once.
_STEP = 1 << 20


def send(descriptor: int, message: Any) -> None:
    """Write an object that can be pickled.

    Raises:
        OSError: nobody reads.
    """
    data = pickle.dumps(message)
    rest = memoryview(_LENGTH.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(descriptor, rest[:_STEP]) :]


def receive(descriptor: int) -> bytes:
    """Read a message, which `pickle.loads` makes an object of again.

    Raises:
        EOFError: the other side has ended.
    """
    (length,) = _LENGTH.unpack(_read(descriptor, _LENGTH.size))
    return _read(descriptor, length)


def _read(descriptor: int, n: int) -> bytes:
    data = bytearray()
    while len(data) < n:
        part = os.read(descriptor, min(n - len(data), _STEP))
        if not part:
            raise EOFError
        data += part
    return bytes(data)
