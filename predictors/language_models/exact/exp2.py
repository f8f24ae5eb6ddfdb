"""Powers of two and what is made of them, the same on every machine."""

import numpy as np

from coder.kernels import njit
from predictors.language_models.exact.rounding import float_of_bits, round_even

LOG2_E = np.float32(1.4426950408889634)

FRACTION_BITS = 12

# 2**-f on [0, 1) as a polynomial of f, in units of 2**-18: error below 2**-16.
_C = np.array([262144, -181686, 62792, -13985, 1808], dtype=np.int32)

# 2**f on [-1/2, 1/2] in float32, relative error below 2**-23.
_D = np.array([1.0, 0.69314718, 0.24022107, 0.05550327, 0.00967604, 0.00134004], dtype=np.float32)


@njit(nogil=True, cache=True, error_model="numpy")
def exp2_negative(distance):
    """2**(-distance / 4096) in units of 2**-30, for an int32 distance ≥ 0."""
    f = distance & np.int32(4095)
    p = _C[4]
    p = np.int32(_C[3] + (np.int32(p * f) >> 12))
    p = np.int32(_C[2] + (np.int32(p * f) >> 12))
    p = np.int32(_C[1] + (np.int32(p * f) >> 12))
    p = np.int32(_C[0] + (np.int32(p * f) >> 12))
    return np.int32(p << 12) >> min(distance >> 12, np.int32(31))


@njit(nogil=True, cache=True, error_model="numpy")
def sigmoid(x):
    """1 / (1 + 2**(-x log2 e)) of a float32."""
    u = min(max(-x * LOG2_E, np.float32(-126.0)), np.float32(126.0))
    n = round_even(u)
    f = u - n
    p = _D[5]
    p = p * f + _D[4]
    p = p * f + _D[3]
    p = p * f + _D[2]
    p = p * f + _D[1]
    p = p * f + _D[0]
    power = float_of_bits(np.int32((np.int32(n) + 127) << 23))
    return np.float32(1.0) / (np.float32(1.0) + p * power)
