"""The symbols of deflate: lengths and distances with their extra bits (RFC 1951, 3.2.5).

A token is an int32: 0 for a literal, length << 15 | (distance - 1) for a match.
"""

from typing import Any

import numpy as np

from coder.kernels import inlined

MIN_MATCH, MAX_MATCH = 3, 258
"""Bytes of a match."""

MAX_DISTANCE = 1 << 15
DISTANCE_BITS = 15

END_OF_BLOCK = 256
N_LITERALS, N_DISTANCES, N_LENGTHS = 288, 30, 19
"""Literals and lengths, distances, and code lengths of the two. The last two lengths never occur,
but have codes in a fixed block."""

MOST_LITERALS = 286
"""Literals and lengths that a dynamic block may have codes for."""

N_CODES = N_LITERALS + N_DISTANCES

MAX_BITS = 15
"""Of a code."""

STORED, FIXED, DYNAMIC = 0, 1, 2
"""Types of a block."""

ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15], dtype=np.int64)
"""In which the lengths of the code for code lengths stand."""


def _bases(extra: np.ndarray, first: int) -> np.ndarray:
    return np.concatenate([[first], first + np.cumsum(1 << extra)[:-1]])


LENGTH_EXTRA = np.array([0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0])
LENGTH_BASE = _bases(LENGTH_EXTRA, MIN_MATCH)
# The last code is for 258 alone, which the code before could spell as well.
LENGTH_BASE[28] = MAX_MATCH
DISTANCE_EXTRA = np.array([0, 0] + [n for n in range(14) for _ in range(2)])
DISTANCE_BASE = _bases(DISTANCE_EXTRA, 1)


def _codes(bases: np.ndarray, n: int) -> np.ndarray:
    """The code of each number below n: the last whose base is not above."""
    return np.searchsorted(bases, np.arange(n), side="right").astype(np.uint8) - 1


LENGTH_CODE = _codes(LENGTH_BASE, MAX_MATCH + 1)
"""[259] uint8, by length."""

DISTANCE_CODE = _codes(DISTANCE_BASE - 1, MAX_DISTANCE)
"""[32768] uint8, by distance - 1."""

FIXED_LENGTHS = np.array([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8 + [5] * 30, dtype=np.uint8)
"""[318] uint8: code lengths of literals and lengths, then of distances, in a fixed block."""


@inlined
def length_of(token: int) -> Any:
    """0 for a literal."""
    return np.int64(token) >> DISTANCE_BITS


@inlined
def distance_of(token: int) -> Any:
    """Of a match, 1 to 32,768."""
    return (np.int64(token) & (MAX_DISTANCE - 1)) + 1


@inlined
def match(length: int, distance: int) -> Any:
    """The token, int64."""
    return np.int64(length) << DISTANCE_BITS | (np.int64(distance) - 1)
