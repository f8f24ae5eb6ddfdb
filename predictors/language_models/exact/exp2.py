"""Powers of two and what is made of them, the same on every machine."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.rounding import (
    EXPONENT_BIAS,
    MANTISSA_BITS,
    float_of_bits,
    round_even,
)

LOG2_E = np.float32(1.4426950408889634)

FRACTION_BITS = 12
"""`exp2_negative` takes distances in units of 2**-12 bit."""

EXP2_BITS = 30
"""`exp2_negative` returns powers in units of 2**-30, so that 1 fits int32."""

# 2**-f on [0, 1) as a polynomial of f, lowest power first, in units of 2**-18. With the
# roundings of `exp2_negative` the relative error is at most 2**-15.4, tried for all 4,096 f.
_FALLING = (262144, -181686, 62792, -13985, 1808)
_FALLING_BITS = 18
# int32 can't be shifted further, and nothing is left by then: 2**30 >> 31 is 0.
_MAX_SHIFT = 31

# 2**f on [-1/2, 1/2] as a polynomial of f, lowest power first. In float32 the relative
# error is at most 2**-21.7.
_RISING = np.array(
    [1.0, 0.69314718, 0.24022107, 0.05550327, 0.00967604, 0.00134004], dtype=np.float32
)
# Exponents of normal float32: neither the power nor 1 + the power overflows.
_MAX_EXPONENT = np.float32(126.0)


@intrinsic
def exp2_negative(typing_context: Any, distance: Any) -> Any:
    """2**(-distance / 4096), int32 in units of 2**-30, for an int32 distance ≥ 0.

    In LLVM IR, since Numba widens every sum of int32 to int64: half the speed.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        i32 = ir.IntType(32)
        (distance,) = arguments
        fraction_bits = i32(FRACTION_BITS)
        f = builder.and_(distance, i32((1 << FRACTION_BITS) - 1))
        p = i32(_FALLING[-1])
        for coefficient in _FALLING[-2::-1]:
            p = builder.add(i32(coefficient), builder.ashr(builder.mul(p, f), fraction_bits))
        shift = builder.ashr(distance, fraction_bits)
        most = i32(_MAX_SHIFT)
        shift = builder.select(builder.icmp_signed("<", shift, most), shift, most)
        return builder.ashr(builder.shl(p, i32(EXP2_BITS - _FALLING_BITS)), shift)

    return types.int32(types.int32), generate


@kernel
def write_exp2_negative(powers):
    """`exp2_negative` of the distances 0, 1, 2 .., written into [n] int32."""
    for distance in range(len(powers)):
        powers[distance] = exp2_negative(np.int32(distance))


@kernel
def sigmoid(x):
    """1 / (1 + 2**(-x log2 e)) of a float32, each operation rounded once."""
    u = min(max(-x * LOG2_E, -_MAX_EXPONENT), _MAX_EXPONENT)
    n = round_even(u)
    f = u - n
    p = _RISING[5]
    p = p * f + _RISING[4]
    p = p * f + _RISING[3]
    p = p * f + _RISING[2]
    p = p * f + _RISING[1]
    p = p * f + _RISING[0]
    power = float_of_bits(np.int32((np.int32(n) + EXPONENT_BIAS) << MANTISSA_BITS))
    return np.float32(1.0) / (np.float32(1.0) + p * power)
