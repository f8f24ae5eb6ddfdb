"""Match model: what followed the last time the recent bytes occurred (Mahoney, PAQ).

A hash of the last bytes points to the place after their latest occurrence, in
the text of any stream. While the prediction holds the pointer moves along; how
much to trust it is learned per length of the match.
"""

import numpy as np

from coder.kernels import njit
from predictors.mixing.bit_history import adapt
from predictors.mixing.hashing import combine
from predictors.mixing.logistic import PROBABILITY_ONE, stretch

MIN_LENGTH = 5
_MAX_LENGTH = 32
LENGTHS = _MAX_LENGTH + 1
"""Buckets of match length; 0 = no match."""

TABLE_BITS = 20
_RATE_SHIFT = 6


def new_table() -> np.ndarray:
    """[2**20] int64: places in the history by hash of the bytes before them; 0 = none."""
    return np.zeros(1 << TABLE_BITS, dtype=np.int64)


def new_trust() -> np.ndarray:
    """[LENGTHS] int64: probability that the predicted bit is right."""
    return np.full(LENGTHS, PROBABILITY_ONE * 9 // 10, dtype=np.int64)


@njit(cache=True)
def follow(table, history, mask, end, pointer, length):
    """After a byte was appended: (pointer, length) of the match from here on.

    Args:
        table: from `new_table`.
        history: [S * capacity] uint8, a ring buffer per stream.
        mask: capacity - 1, a power of two minus one.
        end: place in `history` after the new byte.
        pointer: place of the byte that was predicted.
        length: of the match so far, 0 = none.
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


@njit(cache=True)
def expected_bit(byte, partial):
    """The next bit if `byte` is right; -1 if the known bits (or the end) contradict."""
    if partial == 0:
        return np.int64(-1)
    known = 0
    while partial >> (known + 1):
        known += 1
    if (byte | 256) >> (8 - known) != partial:
        return np.int64(-1)
    return (byte >> (7 - known)) & 1


@njit(cache=True)
def odds(trust, length, expected):
    """Log-odds of a one."""
    return stretch(trust[length]) * (2 * expected - 1)


@njit(cache=True)
def learn(trust, length, expected, bit):
    adapt(trust, length, np.int64(expected == bit), _RATE_SHIFT)
