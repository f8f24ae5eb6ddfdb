"""From logits to an integer CDF whose counts are ≥ 1 and add up to a power of two.

The float logit is rounded once, to a fixed-point score (`scores_from_logits`).
All the rest is integer arithmetic, so two machines that hold the same logits
hold the same CDF.

The total is 2**30 where the byte-level refinement turns the counts into binary
decisions, as it does by default; sums of counts need not fit the range coder. Without
refinement a symbol is coded by its interval, and the total is the coder's, 2**24.

Every symbol needs a count of at least 1, and with 49,152 symbols a total of 2**16
would spend three quarters of the range on these ones. With 2**24 they take 0.3 %,
which costs 0.004 bits a token.
"""

import numpy as np

from coder.fixed_point import (
    EXP2_INDEX_BITS,
    EXP2_TABLE,
    LOG2_E,
    SCORE_FRACTION_BITS,
    SCORE_LIMIT,
)
from coder.kernels import njit

CDF_BITS = 24
CDF_TOTAL = 1 << CDF_BITS
"""The total of a CDF that the range coder codes a symbol with."""

MAX_CDF_BITS = 30
"""A larger total is for sums of counts only, not for the range coder."""

_LOGIT_TO_SCORE = LOG2_E * (1 << SCORE_FRACTION_BITS)
_INDEX_SHIFT = SCORE_FRACTION_BITS - EXP2_INDEX_BITS
_INDEX_MASK = (1 << EXP2_INDEX_BITS) - 1


class ScoreError(ArithmeticError):
    """A language model returned a logit that is not a finite number."""


NOT_FINITE = (
    "the language model returned a logit that is not a finite number; "
    "the model file is damaged or not supported by this backend"
)
"""What a `ScoreError` says."""


@njit(cache=True, nogil=True)
def _scores_from_logits(logits, token_of_symbol, offsets, scores):
    finite = True
    limit = float(SCORE_LIMIT)
    of_token = np.empty(len(logits), dtype=np.int32)
    # A loop without the lookup first: the compiler makes vector instructions of it.
    for token in range(len(logits)):
        x = np.float64(logits[token]) * _LOGIT_TO_SCORE
        # False for NaN and the infinities too.
        finite &= abs(x) < np.inf
        x = min(max(x, -limit), limit)
        # Floor of x + 0.5 by truncation: the shift makes the operand positive.
        of_token[token] = np.int32(x + (limit + 0.5)) - np.int32(SCORE_LIMIT)
    for i in range(len(scores)):
        scores[i] = of_token[np.uint32(token_of_symbol[i])] + offsets[i]
    return finite


def scores_from_logits(
    logits: np.ndarray, token_of_symbol: np.ndarray, offsets: np.ndarray, scores: np.ndarray
) -> None:
    """Write the fixed-point score of every symbol, in vocabulary byte order.

    Args:
        logits: [V] float32, one per token of the language model, in nats.
        token_of_symbol: [A] int32, the token whose logit a symbol uses.
        offsets: [A] int32, added to the score (2**-16 bit).
        scores: [A] int32, output, in 2**-16 bit.

    Raises:
        ScoreError: a logit is NaN or infinite.
    """
    if not _scores_from_logits(logits, token_of_symbol, offsets, scores):
        raise ScoreError(NOT_FINITE)


@njit(cache=True, nogil=True)
def cdf_from_scores(scores, cdf, bits=CDF_BITS):
    """Turn scores into a cumulative distribution with total 2**bits.

    Every count is 1 + floor(share of the remaining total); what the floors
    leave over goes to the most probable symbol (the first of equals). The
    remaining total is positive, so counts ≥ 1 and their sum hold for all input.

    Args:
        scores: [A] int32, in 2**-16 bit, A < 2**bits.
        cdf: [A + 1] uint32, output: cdf[0] = 0, cdf[A] = 2**bits, strictly
            increasing. Symbol i has the interval cdf[i] .. cdf[i + 1].
        bits: binary logarithm of the total, at most `MAX_CDF_BITS`.
    """
    n = len(scores)
    best = 0
    top = scores[0]
    for i in range(n):
        top = max(top, scores[i])
    weight_sum = np.int64(0)
    for i in range(n):
        distance = np.uint32(top - scores[i])
        shift = min(distance >> np.uint32(SCORE_FRACTION_BITS), np.uint32(31))
        index = (distance >> np.uint32(_INDEX_SHIFT)) & np.uint32(_INDEX_MASK)
        weight = EXP2_TABLE[index] >> shift
        # The output array holds the weights until the second pass.
        cdf[i + 1] = weight
        weight_sum += np.int64(weight)
    while scores[best] != top:
        best += 1
    # weight_sum ≥ 2**30 (the top symbol's weight), hence scale < 2**32 and the
    # product below, with a weight ≤ 2**30, stays under 2**62.
    total = np.int64(1) << np.int64(bits)
    scale_bits = 62 - np.int64(bits)
    scale = ((total - n) << scale_bits) // weight_sum
    used = np.int64(n)
    for i in range(n):
        share = (np.int64(cdf[i + 1]) * scale) >> scale_bits
        used += share
        cdf[i + 1] = np.uint32(share + 1)
    cdf[best + 1] += np.uint32(total - used)
    cumulative = np.uint32(0)
    cdf[0] = 0
    for i in range(n):
        cumulative += cdf[i + 1]
        cdf[i + 1] = cumulative
