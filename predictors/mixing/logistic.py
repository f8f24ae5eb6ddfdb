"""Logistic arithmetic in fixed point: probabilities, their log-odds, and back.

Log-odds ("stretch", Mahoney 2005, PAQ) are int64 in units of 2**-12 bit:
stretch(p) = log2(p / (1 - p)), `squash` is its inverse. Tables come from integer
square roots and squarings, so all machines hold the same ones.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from coder.fixed_point import EXP2_TABLE
from coder.kernels import inlined

ODDS_BITS = 12
ODDS_ONE = 1 << ODDS_BITS
"""One bit of log-odds."""

ODDS_LIMIT = 22 * ODDS_ONE
"""Log-odds stay within ± this."""

PROBABILITY_BITS = 24
"""A probability is an integer p of 0 < p < 2**24."""

PROBABILITY_ONE = 1 << PROBABILITY_BITS

MIN_PROBABILITY = 1 << (PROBABILITY_BITS - 16)
"""No coded decision is surer than 1 - 2**-16, so each costs more than 2**-16 bit."""

_TABLE_BITS = 12
_FRACTION_MASK = ODDS_ONE - 1
_SQUASH_SHIFT = 6


def _log2_table() -> np.ndarray:
    """floor(4096 * log2(1 + i / 4096)) for i in 0..4095, by repeated squaring."""
    # 31 fraction bits: 12 squarings lose less than 2**-17, and no entry is as near to the next.
    x = (np.uint64(1) << np.uint64(31)) + (
        np.arange(1 << _TABLE_BITS, dtype=np.uint64) << np.uint64(31 - _TABLE_BITS)
    )
    table = np.zeros(len(x), dtype=np.int32)
    for _ in range(ODDS_BITS):
        x = x * x >> np.uint64(31)
        is_over = x >> np.uint64(32)
        x >>= is_over
        table = 2 * table + is_over.astype(np.int32)
    return table


_LOG2 = _log2_table()


@intrinsic
def _leading_zeros(typing_context: Any, n: Any) -> Any:
    """Of an int64: one instruction on most processors, which the compiler's loops are not."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero_is_poison = context.get_constant(types.boolean, False)
        return builder.ctlz(arguments[0], zero_is_poison)

    return types.int64(types.int64), build


@inlined
def bit_length(n: int) -> Any:
    """The number of binary digits of an int64 n ≥ 0, int64; 0 of 0."""
    return np.int64(64) - _leading_zeros(np.int64(n))


@inlined
def lowest_bit(n: np.uint64) -> Any:
    """The place of the lowest one among the binary digits of a uint64 > 0, int64."""
    return bit_length(np.int64(n & (~n + np.uint64(1)))) - 1


@inlined
def log2_fixed(n: int) -> Any:
    """log2 of an int64 n > 0, in units of 2**-12, error below 3 units."""
    exponent = bit_length(n) - 1
    mantissa = (n << (62 - exponent)) >> (62 - _TABLE_BITS)
    return (exponent << ODDS_BITS) + np.int64(_LOG2[mantissa & ((1 << _TABLE_BITS) - 1)])


def _stretch_table() -> np.ndarray:
    """[4096] int32 log-odds of (i + 1/2) / 4096, in 2**-12 bit."""

    def log2(n: np.ndarray) -> np.ndarray:
        """As `log2_fixed`, which would have to be loaded first."""
        exponent = np.frexp(n.astype(np.float64))[1].astype(np.int64) - 1
        mantissa = (n << (62 - exponent)) >> (62 - _TABLE_BITS)
        return (exponent << ODDS_BITS) + _LOG2[mantissa & ((1 << _TABLE_BITS) - 1)]

    i = np.arange(4096, dtype=np.int64)
    return (log2(2 * i + 1) - log2(8191 - 2 * i)).astype(np.int32)


_STRETCH = _stretch_table()


@inlined
def stretch(p: int) -> Any:
    """Log-odds of a probability, looked up by its upper 12 bits."""
    return np.int64(_STRETCH[p >> (PROBABILITY_BITS - 12)])


@inlined
def clamp_odds(x: int) -> Any:
    """Within ± ODDS_LIMIT."""
    return min(max(x, -ODDS_LIMIT), ODDS_LIMIT)


@inlined
def squash(x: int) -> Any:
    """The probability of clamped log-odds, 2**24 / (1 + 2**-x), from 4 to 2**24 - 4."""
    distance = abs(x)
    inverse = np.int64(EXP2_TABLE[distance & _FRACTION_MASK]) >> (distance >> ODDS_BITS)
    p = (np.int64(1) << 54) // ((np.int64(1) << 30) + inverse)
    return min(p, PROBABILITY_ONE - 4) if x >= 0 else max(PROBABILITY_ONE - p, 4)


def squash_array(x: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """As `squash`, of any shape, for tables: a kernel would have to be loaded first."""
    distance = np.abs(x)
    inverse = EXP2_TABLE[distance & _FRACTION_MASK].astype(np.int64) >> (distance >> ODDS_BITS)
    p = (np.int64(1) << 54) // ((np.int64(1) << 30) + inverse)
    upper = np.minimum(p, PROBABILITY_ONE - 4)
    return np.where(x >= 0, upper, np.maximum(PROBABILITY_ONE - p, 4))


def odds_up_to_limit(shift: int) -> npt.NDArray[np.int64]:
    """[n] clamped log-odds from -ODDS_LIMIT to ODDS_LIMIT, in 2**-12 bit, 2**shift apart."""
    return np.arange(-ODDS_LIMIT, ODDS_LIMIT + 1, 1 << shift, dtype=np.int64)


def _squash_table() -> np.ndarray:
    """Probabilities in 2**-24 at the middle of each 1/64 bit of the clamped log-odds."""
    half = 1 << (_SQUASH_SHIFT - 1)
    middles = np.minimum(odds_up_to_limit(_SQUASH_SHIFT) + half, ODDS_LIMIT)
    return squash_array(middles).astype(np.int32)


_SQUASH = _squash_table()


@inlined
def squash_coarse(x: int) -> Any:
    """The probability of clamped log-odds in 2**-24, int64, from a table: for learning."""
    return np.int64(_SQUASH[(x + ODDS_LIMIT) >> _SQUASH_SHIFT])


@inlined
def clamp_probability(p: int) -> Any:
    """Within MIN_PROBABILITY of certainty: what a decision may be coded with."""
    return min(max(p, np.int64(MIN_PROBABILITY)), np.int64(PROBABILITY_ONE - MIN_PROBABILITY))


@inlined
def adapt(p: int, bit: int, shift: int) -> Any:
    """A probability, int64 in 2**-24, moved towards the bit by 2**-shift of the way."""
    return p + ((bit * (PROBABILITY_ONE - 1) - p) >> shift)
