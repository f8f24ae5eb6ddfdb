"""Calls of machines whose instructions are words of four bytes, with absolute targets.

As `x86_calls` does it for x86: calls of one function from many places then look the same. An
operand is a number of words from the call on, of as many bits as the machine's instruction has
room for; the call's own place is added to it, modulo these. What is no call but looks like one
comes back just so.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from coder.kernels import njit

Bytes = npt.NDArray[np.uint8]


class Machine(NamedTuple):
    """How a machine calls.

    Attributes:
        big: is the most significant byte of an instruction the first one?
        mask, operation: an instruction is a call if it has these bits of the mask.
        shift, bits: where its operand is.
        extended: bits above the operand that are all equal to its highest one, else it is none.
    """

    big: bool
    mask: int
    operation: int
    shift: int
    bits: int
    extended: int


SPARC = Machine(True, 0xC0000000, 0x40000000, 0, 23, 7)
POWERPC = Machine(True, 0xFC000003, 0x48000001, 2, 24, 0)
ARM = Machine(False, 0xFF000000, 0xEB000000, 0, 24, 0)
ARM64 = Machine(False, 0xFC000000, 0x94000000, 0, 26, 0)


def to_absolute(data: Bytes, machine: Machine) -> None:
    """Transform [n] uint8 in place."""
    _walk(data, *machine, 1, _NOT_WANTED)


def to_relative(data: Bytes, machine: Machine) -> None:
    """Inverse of `to_absolute`."""
    _walk(data, *machine, -1, _NOT_WANTED)


def targets(data: Bytes, machine: Machine) -> tuple[int, int, int]:
    """How many calls there are, with how many relative and how many absolute targets."""
    relative = np.empty(len(data) // 4, dtype=np.int64)
    # The data itself may not be written to.
    copy = data.copy()
    n = _walk(copy, *machine, 0, relative)
    absolute = np.empty_like(relative)
    _walk(copy, *machine, 1, absolute)
    return n, len(np.unique(relative[:n])), len(np.unique(absolute[:n]))


_NOT_WANTED = np.zeros(0, dtype=np.int64)


@njit(cache=True)
def _read(data: Bytes, i: int, big: bool) -> Any:
    word = np.int64(0)
    for j in range(4):
        word |= np.int64(data[i + j]) << (24 - 8 * j if big else 8 * j)
    return word


@njit(cache=True)
def _operand(word: int, mask: int, operation: int, shift: int, bits: int, extended: int) -> Any:
    """The operand of a call without its sign, int64; -1 if this is none."""
    if word & mask != operation:
        return np.int64(-1)
    operand = (word >> shift) & ((1 << bits) - 1)
    sign = operand >> (bits - 1)
    above = (word >> (shift + bits)) & ((1 << extended) - 1)
    return operand if above == sign * ((1 << extended) - 1) else np.int64(-1)


@njit(cache=True)
def _walk(
    data: Bytes,
    big: bool,
    mask: int,
    operation: int,
    shift: int,
    bits: int,
    extended: int,
    direction: int,
    found: npt.NDArray[np.int64],
) -> Any:
    """Add the place of each call to its operand, so many times; return the number of calls.

    The operands that come out are written to `found`, as many as it has room for.
    """
    n = np.int64(0)
    for i in range(0, len(data) - 3, 4):
        word = _read(data, i, big)
        operand = _operand(word, mask, operation, shift, bits, extended)
        if operand < 0:
            continue
        operand = (operand + direction * (i >> 2)) & ((1 << bits) - 1)
        if n < len(found):
            found[n] = operand
        n += 1
        if direction == 0:
            continue
        sign = operand >> (bits - 1)
        whole = operand | (sign * ((1 << extended) - 1)) << bits
        word &= ~(((1 << (bits + extended)) - 1) << shift)
        word |= whole << shift
        for j in range(4):
            data[i + j] = np.uint8((word >> (24 - 8 * j if big else 8 * j)) & 255)
    return n
