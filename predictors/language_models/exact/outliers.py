"""Rows of signed bytes in which a few quads of values are wider: version 3 of the numerics.

A row's unit is so small that nearly all values fit a byte, and large enough that at most a few
groups of four do not: what the largest values would cost all others in precision, a second byte
of theirs pays (outliers: LLM.int8(), Dettmers et al. 2022).

A packed row is its values' first bytes, then its tail: what is to be taken off its sums, the
number of wide quads, and these (`byte_tiles.py`). Without bytes it is int16 values.
"""

import numpy as np
from numba.extending import register_jitable

from predictors.language_models.exact.byte_tiles import TAIL_HEAD, WIDE_QUAD, WIDE_SHIFT
from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.panels import QUAD, QUAD_BYTES, USES_BYTES
from predictors.language_models.exact.rounding import (
    EXPONENT_BIAS,
    INFINITE,
    MANTISSA_BITS,
    exponent_of,
    power_of_two,
    round_even,
)

MAX_BITS = 13
"""Bits of the widest values of a row, and a sign."""

VALUES_PER_WIDE_QUAD = 36
"""A row has one wide quad for so many values, or begun ones. Measured on 28 texts of all kinds,
30,000 tokens, in bits of the model alone against rows of 15 bits: one for 72 costs 0.10 %, one
for 36 0.05 %, one for 18 0.06 %, each within 0.03; none at all 3.6 % (14,000 tokens)."""

BYTE_BITS = 7
"""Of a value that fits a signed byte."""

_MAGNITUDE_MASK = np.int32(0x7FFFFFFF)

# 127.5 is 2**6 times 1 + this many of the mantissa's units. From there on the nearest integer
# is 128 or more.
_HALF_ABOVE = np.int64((127.5 / 64 - 1) * (1 << MANTISSA_BITS))

# From this unit on, all float32 numbers fit a byte, and those bits would not fit an int32.
_ALL_FIT = np.int64(EXPONENT_BIAS + 1 - (BYTE_BITS - 1))

_SIGN_OFFSET = 128
_HALF_SECOND = np.int32(1 << (WIDE_SHIFT - 1))
_BYTE, _BYTE_MASK = 8, np.int32(255)
_INT32_BYTES = 4


def packed_bytes(size: int) -> int:
    """Bytes that are enough for a row of `size` values, in any version of the numerics."""
    return max(2 * size, size + TAIL_HEAD + WIDE_QUAD * wide_quads_of(size))


# These two are asked outside kernels, too, which need not be loaded for that.
@register_jitable
def wide_quads_of(size):
    """How many quads of a row of a matrix's inputs may be wide."""
    return (size + VALUES_PER_WIDE_QUAD - 1) // VALUES_PER_WIDE_QUAD


@register_jitable
def outlier_bits(bits):
    """b for which a row's values are at most 2**b, for a matrix's bits."""
    # The largest value is 2**b, not below it.
    return min(bits - 1, MAX_BITS)


@kernel
def unit_of(row, bits, tops):
    """The unit in which all but a few quads of a row fit a signed byte, as a power of two.

    Args:
        row: [k] float32, k a multiple of 4. bits: of the matrix.
        tops: [≥ k / 4] int32, written: each quad's largest magnitude, as bits of a float32.

    Returns:
        The exponent, int64; `INFINITE` if a value is not finite.
    """
    quads = len(row) // QUAD
    words = row.view(np.int32)
    top = np.int32(0)
    for q in range(quads):
        a = np.int32(words[QUAD * q] & _MAGNITUDE_MASK)
        b = np.int32(words[QUAD * q + 1] & _MAGNITUDE_MASK)
        c = np.int32(words[QUAD * q + 2] & _MAGNITUDE_MASK)
        d = np.int32(words[QUAD * q + 3] & _MAGNITUDE_MASK)
        largest = max(max(a, b), max(c, d))
        tops[q] = largest
        top = max(top, largest)
    if top >= INFINITE:
        return np.int64(INFINITE)
    # All fit bytes of the largest unit.
    least, most = exponent_of(top) - outlier_bits(bits), exponent_of(top) - BYTE_BITS + 1
    while least < most:
        unit = (least + most) >> 1
        if _count(tops, quads, unit) > wide_quads_of(len(row)):
            least = unit + 1
        else:
            most = unit
    return least


@kernel
def _least_wide(unit):
    """Bits of the smallest float32 magnitude that does not fit a byte: 127.5 * 2**unit."""
    unit = min(unit, _ALL_FIT)
    return np.int32(((unit + BYTE_BITS - 1 + EXPONENT_BIAS) << MANTISSA_BITS) + _HALF_ABOVE)


@kernel
def _count(tops, quads, unit):
    """How many quads do not fit bytes of a unit."""
    least = _least_wide(unit)
    count = np.int32(0)
    for q in range(quads):
        count = np.int32(count + np.int32(tops[q] >= least))
    return count


@kernel
def pack_outliers(row, unit, tops, packed):
    """Round a row to its unit, and pack it.

    Args:
        row, unit, tops: of `unit_of`.
        packed: [≥ `packed_bytes`] uint8, written: k bytes and the tail; without bytes k int16.
    """
    n = len(row)
    scale = power_of_two(-unit)
    if not USES_BYTES:
        words = packed.view(np.int16)
        for i in range(n):
            words[i] = np.int16(round_even(row[i] * scale))
        return
    total = np.int32(0)
    for i in range(n):
        value = np.int32(round_even(row[i] * scale))
        packed[i] = np.uint8(value)
        total = np.int32(total + value)
    words = packed[n : n + (len(packed) - n) // _INT32_BYTES * _INT32_BYTES].view(np.int32)
    words[0] = np.int32(total * _SIGN_OFFSET)
    least = _least_wide(unit)
    count = 0
    for q in range(n // QUAD):
        if tops[q] >= least:
            seconds = np.int32(0)
            for i in range(QUAD):
                value = np.int32(round_even(row[QUAD * q + i] * scale))
                second = np.int32((value + _HALF_SECOND) >> WIDE_SHIFT)
                packed[QUAD * q + i] = np.uint8(value - np.int32(second << WIDE_SHIFT))
                seconds |= np.int32((second & _BYTE_MASK) << (_BYTE * i))
            count += 1
            words[2 * count] = np.int32(QUAD_BYTES * q)
            words[2 * count + 1] = seconds
    words[1] = np.int32(count)
