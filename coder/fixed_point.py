"""Scores: log2-probabilities (up to a constant) as fixed-point integers.

A *score* is an int32 in units of 2**-16 bit. Predictors add to scores; the CDF
is computed from them. The power of two is a table made with integer square
roots, because `exp2` of a C library differs between machines in its last bit.
"""

from math import isqrt

import numpy as np

SCORE_FRACTION_BITS = 16
"""Fraction bits of a score: a score of 65536 is one bit."""

SCORE_LIMIT = 1 << 27
"""Scores taken from logits are clamped to ± this (2048 bits), far outside what
a model produces, so that int32 sums of two scores cannot overflow."""

EXP2_INDEX_BITS = 12
EXP2_ONE = 1 << 30

LOG2_E = 1.4426950408889634
"""log2(e) as the nearest float64: a score is a logit times this."""


def exp2_table() -> np.ndarray:
    """Return round(2**30 * 2**(-i / 4096)) for i in 0..4095, shape [4096], uint32.

    Built from repeated integer square roots at 256 bits of precision: the
    errors of the at most 12 products are far below half a unit of the result.
    """
    precision = 256
    one = 1 << precision
    # roots[k] = 2**(-1 / 2**(k + 1))
    roots = [isqrt((one >> 1) << precision)]
    while len(roots) < EXP2_INDEX_BITS:
        roots.append(isqrt(roots[-1] << precision))
    # Each root doubles the table: what is there, and the same times the root in between.
    values = [one]
    for root in roots:
        values = [x for value in values for x in (value, value * root >> precision)]
    half = one >> 1
    return np.array([(value * EXP2_ONE + half) >> precision for value in values], dtype=np.uint32)


EXP2_TABLE = exp2_table()
