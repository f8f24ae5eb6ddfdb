"""A trained state that many texts begin from: each gets its own, for the price of what it changes.

The arrays lie in a file in memory (`memfd_create`, else a temporary file), and a copy is a private
mapping of it, of which the system copies a page when it is first written to (copy-on-write).
To copy all of a predictor's tables for a message of fifty tokens would take as long as to code it.
"""

import math
import mmap
import os
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO, Generic, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt

_ALIGNMENT = 1 << 12
"""Bytes; no two arrays share a page."""

_STEP = 1 << 16
"""Bytes; runs of so many zeros become holes of the file, which take no memory."""

State = TypeVar("State", bound=tuple[Any, ...])


class _Place(NamedTuple):
    """Where an array lies in the file."""

    begin: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Snapshot(Generic[State]):
    """Keeps a state: a tuple, or named tuple, of arrays, numbers and such tuples."""

    def __init__(self, state: State) -> None:
        """Copies all arrays, which must be contiguous and of at least one byte together."""
        self._size = 0
        self._file = _memory_file()
        self._outline = _each(state, self._keep)
        self._file.truncate(self._size)
        self._file.flush()

    def copy(self) -> State:
        """The state as it was given, in arrays that are the caller's own."""
        memory = mmap.mmap(self._file.fileno(), self._size, access=mmap.ACCESS_COPY)

        def place(item: Any) -> Any:
            if not isinstance(item, _Place):
                return item
            count = math.prod(item.shape)
            if not count:
                return np.zeros(item.shape, item.dtype)
            return np.frombuffer(memory, item.dtype, count, item.begin).reshape(item.shape)

        return cast(State, _each(self._outline, place))

    def close(self) -> None:
        """Let go of what is kept. Copies live on."""
        self._file.close()

    def _keep(self, item: Any) -> Any:
        if not isinstance(item, np.ndarray):
            return item
        begin = self._size
        data = np.ascontiguousarray(item).reshape(-1).view(np.uint8)
        _write_sparse(self._file, begin, data)
        self._size = begin + -(-len(data) // _ALIGNMENT) * _ALIGNMENT
        return _Place(begin, item.shape, item.dtype)


def copied(state: State) -> State:
    """A plain copy of a state."""
    return cast(
        State, _each(state, lambda item: item.copy() if isinstance(item, np.ndarray) else item)
    )


def put_back(state: Any, first: Any) -> None:
    """Make the arrays of a state, or an array, equal to those of another of the same form."""
    if isinstance(state, np.ndarray):
        np.copyto(state, first)
    elif isinstance(state, tuple):
        for part, other in zip(state, first, strict=True):
            put_back(part, other)


def _memory_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("nacrith"), "w+b")
    return cast(BinaryIO, tempfile.TemporaryFile())


def _write_sparse(file: BinaryIO, begin: int, data: npt.NDArray[np.uint8]) -> None:
    """Write [n] uint8 at a place, and leave out zeros."""
    for place in range(0, len(data), _STEP):
        part = data[place : place + _STEP]
        if part.any():
            file.seek(begin + place)
            file.write(part.tobytes())


def _each(item: Any, change: Callable[[Any], Any]) -> Any:
    """A nested tuple with all that is no tuple changed, and places of arrays too."""
    if not isinstance(item, tuple) or isinstance(item, _Place):
        return change(item)
    changed = [_each(part, change) for part in item]
    return type(item)(*changed) if hasattr(item, "_fields") else tuple(changed)
