"""Rounding of float32 rows to integers with a common power of two."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from predictors.language_models.exact.kernel import kernel

MANTISSA_BITS = 23
"""Of a float32, in front of which is the exponent (IEEE 754 binary32)."""

EXPONENT_BIAS = 127
"""What is added to the exponent of a float32."""

INFINITE = 0x7F800000
"""float32 bits from here on (sign off) are infinities and NaNs."""

INT8_MAX = np.float32(127)
"""Weights, keys and values are rounded to integers within ± this."""

_MAGNITUDE_MASK = np.int32(0x7FFFFFFF)

# From 2**23 on the unit of a float32 is 1: adding and subtracting this rounds |x| < 2**22
# half to even.
_ROUNDER = np.float32(1.5 * (1 << MANTISSA_BITS))

# The smallest power of two is a subnormal, the largest below infinity.
_MIN_POWER, _MAX_POWER = -149, 127
_POWERS = np.array([2.0**i for i in range(_MIN_POWER, _MAX_POWER + 1)], dtype=np.float32)

# So that the unit of a row and the reciprocal of the unit are both powers in the table.
_MIN_EXPONENT = -100


@intrinsic
def float_of_bits(typing_context: Any, bits: Any) -> Any:
    """The float32 with the bits of an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@kernel
def round_even(x):
    """Round a float32 of |x| < 2**22 half to even."""
    return (x + _ROUNDER) - _ROUNDER


@kernel
def power_of_two(i):
    """2**i as float32, -149 ≤ i ≤ 127."""
    return _POWERS[i - _MIN_POWER]


@kernel
def largest_bits(bits, n):
    """Largest magnitude of n float32 values, as bits.

    Args:
        bits: [≥ n] int32, the bits of the values: without the sign they are in the
            same order as the magnitudes, NaNs last.
    """
    top = np.int32(0)
    for i in range(n):
        top = max(top, bits[i] & _MAGNITUDE_MASK)
    return top


@kernel
def exponent_of(bits):
    """The smallest e ≥ -100 with |x| < 2**e, for the bits of a finite x."""
    return max((np.int64(bits) >> MANTISSA_BITS) - (EXPONENT_BIAS - 1), _MIN_EXPONENT)


@kernel
def round_row(row, n, bits, values):
    """Write rint(x * 2**(bits - e)), within ± (2**bits - 1), where max |x| < 2**e.

    Args:
        row: [≥ n] float32.
        n: how many of its values.
        bits: ≤ 20, so that the values are within the reach of `round_even`.
        values: [≥ n] int32, written.

    Returns:
        e - bits, int64: the values are in units of 2 to this power. `INFINITE` if the
        row has a value that is not finite.
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
