"""Calls and jumps of x86 machine code with absolute in place of relative targets.

Calls of one function from many places then look the same. The mapping is the one of
Microsoft's cabinet format: operands that point into the data are permuted among
themselves, so that every input comes back.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit

_CALL, _JUMP = 0xE8, 0xE9
Bytes = npt.NDArray[np.uint8]


def targets(data: Bytes) -> tuple[int, int, int]:
    """How many calls have another target then, with how many relative and absolute ones."""
    absolute = data.copy()
    to_absolute(absolute)
    n, relative_targets, absolute_targets = 0, set(), set()
    for place in _calls(data).tolist():
        relative, target = (values[place : place + 4].tobytes() for values in (data, absolute))
        if relative != target:
            n += 1
            relative_targets.add(relative)
            absolute_targets.add(target)
    return n, len(relative_targets), len(absolute_targets)


def to_absolute(data: Bytes) -> None:
    """Transform [n] uint8 in place."""
    _transform(data, True)


def to_relative(data: Bytes) -> None:
    """Inverse of `to_absolute`."""
    _transform(data, False)


@njit(cache=True)
def _next_call(data: Bytes, i: int) -> Any:
    """The place of the next operand from i on; len(data) if there is none."""
    while i + 5 <= len(data):
        if data[i] == _CALL or data[i] == _JUMP:
            return i + 1
        i += 1
    return len(data)


@njit(cache=True)
def _calls(data: Bytes) -> Any:
    """The places of all operands, ascending."""
    places = np.empty(len(data) // 5 + 1, dtype=np.int64)
    n = 0
    i = _next_call(data, 0)
    while i < len(data):
        places[n] = i
        n += 1
        i = _next_call(data, i + 4)
    return places[:n]


@njit(cache=True)
def _transform(data: Bytes, forward: bool) -> None:
    size = np.int64(len(data))
    i = _next_call(data, 0)
    while i < size:
        # Relative to the byte behind the operand.
        position = i + 4
        value = np.int64(0)
        for k in range(4):
            value |= np.int64(data[i + k]) << (8 * k)
        if value >= 1 << 31:
            value -= 1 << 32
        if -position <= value < size:
            if forward:
                value = value + position if value < size - position else value - size
            else:
                value = value - position if value >= 0 else value + size
            for k in range(4):
                data[i + k] = np.uint8((value >> (8 * k)) & 255)
        i = _next_call(data, i + 4)
