"""Match model: what followed the last time the recent bytes occurred (Mahoney 2005, PAQ).

A hash of the last bytes points to the place after their latest occurrence, in
the text of any stream. While the prediction holds the pointer moves along. The *match
map* learns, for each length of the match, how often the predicted bit is right.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.mixing.hashing import combine
from predictors.mixing.logistic import PROBABILITY_ONE, adapt, stretch

MIN_LENGTH = 5
"""Bytes that must be equal before what followed them is predicted."""

_MAX_LENGTH = 32
LENGTHS = _MAX_LENGTH + 1
"""Lengths of a match that are told apart; 0 = no match."""

TABLE_BITS = 20
"""Binary logarithm of the places that the table of hashes knows: 8 MiB of them."""

_RATE_SHIFT = 6
"""An entry of the match map moves by 1/64 of its error."""


def new_table() -> np.ndarray:
    """[2**20] int64: places in the history by hash of the bytes before them; 0 = none."""
    return np.zeros(1 << TABLE_BITS, dtype=np.int64)


def new_match_map() -> np.ndarray:
    """[LENGTHS] int64: probability in 2**-24 that the predicted bit is right."""
    return np.full(LENGTHS, PROBABILITY_ONE * 9 // 10, dtype=np.int64)


@inlined
def follow(
    table: npt.NDArray[np.int64],
    history: npt.NDArray[np.uint8],
    mask: int,
    end: int,
    pointer: int,
    length: int,
) -> Any:
    """After a byte was appended: (pointer, length) of the match from here on.

    Args:
        table: from `new_table`; updated.
        history: [S * capacity] uint8, a ring buffer per stream.
        mask: int64, capacity - 1, a power of two minus one.
        end: int64, place in `history` after the new byte.
        pointer: int64, place of the byte that was predicted.
        length: int64, of the match so far, in bytes; 0 = none.
    """
    base = end & ~mask
    if length > 0 and history[pointer] == history[base | ((end - 1) & mask)]:
        length = min(length + 1, _MAX_LENGTH)
        pointer = (pointer & ~mask) | ((pointer + 1) & mask)
    else:
        length = np.int64(0)
    h = np.int64(0)
    for i in range(1, MIN_LENGTH + 1):
        h = combine(h, np.int64(history[base | ((end - i) & mask)]))
    h = (h >> 40) & ((1 << TABLE_BITS) - 1)
    if length == 0 and table[h] > 0:
        pointer = table[h] - 1
        old = pointer & ~mask
        while (
            length < _MAX_LENGTH
            and history[old | ((pointer - 1 - length) & mask)]
            == history[base | ((end - 1 - length) & mask)]
        ):
            length += 1
        if length < MIN_LENGTH:
            length = np.int64(0)
    table[h] = end + 1
    return pointer, length


@inlined
def expected_bit(byte: int, partial: int) -> Any:
    """The next bit if `byte` is right; -1 if the known bits (or the end) contradict."""
    if partial == 0:
        return np.int64(-1)
    known = 0
    while partial >> (known + 1):
        known += 1
    if (byte | 256) >> (8 - known) != partial:
        return np.int64(-1)
    return (byte >> (7 - known)) & 1


@inlined
def expect(history: npt.NDArray[np.uint8], pointer: int, length: int, partial: int) -> Any:
    """The bit that a match expects.

    Args:
        history, pointer, length: as in `follow`.
        partial: int64, the known bits of the byte behind a leading 1; 0 = an end decision.

    Returns:
        0 or 1, -1 = no match or a contradiction; int64.
    """
    if length == 0:
        return np.int64(-1)
    return expected_bit(np.int64(history[pointer]), partial)


@inlined
def odds(match_map: npt.NDArray[np.int64], length: int, expected: int) -> Any:
    """Log-odds of a one, int64 in 2**-12 bit, given what `expect` returned; 0 if that is -1."""
    if expected < 0:
        return np.int64(0)
    return stretch(match_map[length]) * (2 * expected - 1)


@inlined
def selector(length: int, expected: int) -> Any:
    """A class of the match for selecting weights, 0 .. 3 * LENGTHS - 1: length and bit."""
    return length * 3 + 1 + expected


@inlined
def learn(match_map: npt.NDArray[np.int64], length: int, expected: int, bit: int) -> Any:
    """Learn from a decision; return whether it ends the match: a bit was expected, wrongly."""
    if expected < 0:
        return False
    match_map[length] = adapt(match_map[length], np.int64(expected == bit), _RATE_SHIFT)
    return expected != bit
