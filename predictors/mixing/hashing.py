"""Multiplicative hashing of contexts, in wrapping 64-bit integers.

Products are of unsigned numbers: the compiler takes it that those of signed ones do not
overflow, and what it makes of that differs with the caller.
"""

from typing import Any

import numpy as np

from coder.kernels import inlined

_A = np.uint64(0x2545F4914F6CDD1D)
_B = np.uint64(0x5851F42D4C957F2D)
_C = np.uint64(0x14057B7EF767814F)
_SHIFT = np.uint64(29)


@inlined
def combine(a: int, b: int) -> Any:
    """Hash of two int64, int64; the upper bits are the best mixed."""
    h = np.uint64(a) * _A + np.uint64(b) * _B
    h ^= h >> _SHIFT
    return np.int64(h * _B + _C)


@inlined
def bucket(a: int, b: int, n: int) -> Any:
    """Which of n, a power of two, a pair of int64 falls on."""
    return combine(a, b) >> 40 & (n - 1)
