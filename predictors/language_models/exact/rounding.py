"""Rounding of float32 rows to integers with a common power of two."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from coder.kernels import njit

# 1.5 * 2**23: adding and subtracting it rounds |x| < 2**22 half to even.
_ROUNDER = np.float32(12582912.0)

_LEAST = 149
_POWERS = np.array([2.0**i for i in range(-_LEAST, 128)], dtype=np.float32)

INFINITE = 0x7F800000
"""float32 bits from here on (sign off) are infinities and NaNs."""

_MIN_EXPONENT = -100


@intrinsic
def float_of_bits(typing_context, bits):
    """The float32 with the bits of an int32."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(nogil=True, cache=True, error_model="numpy")
def round_even(x):
    """Round a float32 of |x| < 2**22 half to even."""
    return (x + _ROUNDER) - _ROUNDER


@njit(nogil=True, cache=True, error_model="numpy")
def power_of_two(i):
    """2**i as float32, -149 ≤ i ≤ 127."""
    return _POWERS[i + _LEAST]


@njit(nogil=True, cache=True, error_model="numpy")
def largest_bits(bits, n):
    """Largest magnitude of n float32 values given as int32 bits, as bits."""
    top = np.int32(0)
    for i in range(n):
        top = max(top, bits[i] & np.int32(0x7FFFFFFF))
    return top


@njit(nogil=True, cache=True, error_model="numpy")
def exponent_of(bits):
    """The smallest e ≥ -100 with |x| < 2**e, for the bits of a finite x."""
    return max((np.int64(bits) >> 23) - 126, _MIN_EXPONENT)


@njit(nogil=True, cache=True, error_model="numpy")
def round_row(row, n, bits, values):
    """Write rint(x * 2**(bits - e)), within ± (2**bits - 1), where max |x| < 2**e.

    Args:
        row: [≥ n] float32.
        bits: ≤ 20.
        values: [≥ n] int32, written.

    Returns:
        e - bits: the values are in units of 2 to this power. `INFINITE` if the row
        has a value that is not finite.
    """
    top = largest_bits(row.view(np.int32), n)
    if top >= INFINITE:
        return np.int64(INFINITE)
    unit = exponent_of(top) - bits
    scale = power_of_two(-unit)
    limit = np.int32((1 << bits) - 1)
    for i in range(n):
        value = np.int32(round_even(row[i] * scale))
        values[i] = min(max(value, -limit), limit)
    return unit
