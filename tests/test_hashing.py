"""Hashes wrap in 64 bits wherever the compiler puts them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coder.kernels import njit
from predictors.mixing.hashing import bucket, combine

_A, _B, _C = 0x2545F4914F6CDD1D, 0x5851F42D4C957F2D, 0x14057B7EF767814F
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


def expected(a: int, b: int) -> int:
    h = (a * _A + b * _B) % (1 << 64)
    h = ((h ^ h >> 29) * _B + _C) % (1 << 64)
    return h - (h >> 63 << 64)


@given(INT64, INT64)
def test_it_is_what_the_format_says(a, b):
    h = expected(a, b)
    assert combine(np.int64(a), np.int64(b)) == h
    assert bucket(np.int64(a), np.int64(b), 4096) == h >> 40 & 4095


@njit
def _chain(data):
    # Numbers that can't be negative: with signed products the compiler concluded that their
    # hashes can't either.
    h = np.int64(0)
    for byte in data:
        h = combine(h, np.int64(byte))
    return h >> 40


def test_it_is_so_in_a_loop_over_bytes():
    random = np.random.default_rng(1)
    for _ in range(100):
        data = random.integers(0, 256, 5).astype(np.uint8)
        h = 0
        for byte in data.tolist():
            h = expected(h, byte)
        assert _chain(data) == h >> 40
