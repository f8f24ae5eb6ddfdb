"""Multiplicative hashing of contexts, in wrapping 64-bit integers."""

from typing import Any

import numpy as np

from coder.kernels import inlined

_A = np.int64(0x2545F4914F6CDD1D)
_B = np.int64(0x5851F42D4C957F2D)
_C = np.int64(0x14057B7EF767814F)
_LOW_35 = np.int64((1 << 35) - 1)


@inlined
def combine(a: int, b: int) -> Any:
    """Hash of two int64; the upper bits are the best mixed."""
    h = a * _A + b * _B
    h ^= (h >> 29) & _LOW_35
    return h * _B + _C


@inlined
def bucket(a: int, b: int, n: int) -> Any:
    """Which of n, a power of two, a pair of int64 falls on."""
    return combine(a, b) >> 40 & (n - 1)
