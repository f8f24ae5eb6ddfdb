"""Output head: an online correction of the model's output matrix.

The logit of symbol i gets R_i · x, where x is the model's last hidden state,
normalized per dimension by its running mean and variance, and R starts at zero.
R learns by gradient descent on the code length: R_i moves along
([i is the coded symbol] - p_i) x, with Adagrad's rate for the row. It is dynamic
evaluation (Krause et al. 2018) of the output layer alone, and acts like a cache
of past states (Grave et al. 2017): symbols that followed similar states gain.

Only the candidates are computed, the symbols not far below the most probable
one; the others' share is too small to matter.

The normalization is float64, each operation a single correctly rounded one of
IEEE 754 (the compiler neither fuses nor reorders them), and ends in a rounding
to integers; everything after that is integer arithmetic.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.fixed_point import SCORE_FRACTION_BITS
from coder.kernels import njit
from predictors.base import FloatArray, IntArray
from predictors.heads.adagrad import GRADIENT_BITS, RATE_UNIT, descent, scaled
from predictors.heads.running_mean import center, share_of_newest

_REACH = 12
"""Candidates are at most so many bits below the most probable symbol."""

MAX_CANDIDATES = 512
"""Where there are more, the reach shrinks: this bounds the time of a token."""

_BLOCK = 64
"""Symbols that are passed over together if none of them is within reach."""

_EPSILON = 1e-6
"""Added to variances, so that a dimension that never changes divides by no zero."""

_FEATURE_ONE = 64.0
"""Features have 6 fraction bits."""

_FEATURE_LIMIT = 511.0
"""They are clipped at 8 standard deviations."""

# R is in 2**-20 bit; with features in 2**-6 and a scale of 1/32 for x, the dot
# product is in 2**-31 bit.
_TO_SCORE = 31 - SCORE_FRACTION_BITS
_WEIGHT_LIMIT = np.int64(1) << 30
_SCORE_LIMIT = np.int64(1) << 22
_DAMPING = 3.0
"""What Adagrad's sum of squared gradients starts with."""

# gradient (2**-30) * feature (2**-11, with the scale) -> weight (2**-20).
_TO_WEIGHT = GRADIENT_BITS + 11 - 20


@njit(cache=True)
def _normalize(
    hidden: FloatArray,
    mean: npt.NDArray[np.float64],
    variance: npt.NDArray[np.float64],
    share: float,
    features: npt.NDArray[np.int64],
) -> None:
    """Write the features of a hidden state, and update its mean and variance.

    Args:
        hidden: [E] float32.
        mean, variance: [E] float64, updated.
        share: float64, see `share_of_newest`.
        features: [E] int64 in 2**-6 standard deviations, written.
    """
    for j in range(len(features)):
        x = center(hidden, mean, j, share)
        variance[j] = variance[j] + share * (x * x - variance[j])
        y = x / np.sqrt(variance[j] + _EPSILON) * _FEATURE_ONE
        features[j] = np.int64(np.floor(min(max(y, -_FEATURE_LIMIT), _FEATURE_LIMIT) + 0.5))


@njit(cache=True)
def _find_candidates(scores: IntArray, candidates: npt.NDArray[np.int64]) -> Any:
    """Write the candidates' symbols in ascending order; return how many.

    Args:
        scores: [A] int32 in 2**-16 bit.
        candidates: [MAX_CANDIDATES] int64, written.
    """
    tops = np.empty(-(-len(scores) // _BLOCK), dtype=np.int32)
    top = scores[0]
    for b in range(len(tops)):
        block = scores[b * _BLOCK : min((b + 1) * _BLOCK, len(scores))]
        tops[b] = block[0]
        for i in range(len(block)):
            tops[b] = max(tops[b], block[i])
        top = max(top, tops[b])
    floor = np.int64(top) - (_REACH << SCORE_FRACTION_BITS)
    # Those within reach, in the blocks that have any. Without a branch there, which would
    # often be mispredicted: what is not within is overwritten.
    near = np.empty(len(scores) + 1, dtype=np.int32)
    n_near = 0
    for b in range(len(tops)):
        if tops[b] <= floor:
            continue
        for i in range(b * _BLOCK, min((b + 1) * _BLOCK, len(scores))):
            near[n_near] = i
            n_near += scores[i] > floor
    within = np.zeros(_REACH, dtype=np.int64)
    for i in near[:n_near]:
        within[(np.int64(top) - scores[i]) >> SCORE_FRACTION_BITS] += 1
    reach = 0
    total = np.int64(0)
    while reach < _REACH and total + within[reach] <= len(candidates):
        total += within[reach]
        reach += 1
    n = 0
    for i in near[:n_near]:
        if (np.int64(top) - scores[i]) >> SCORE_FRACTION_BITS < reach:
            candidates[n] = i
            n += 1
    return n


@njit(cache=True)
def _predict(
    weights: npt.NDArray[np.int32],
    features: npt.NDArray[np.int64],
    candidates: npt.NDArray[np.int64],
    n: int,
    scores: IntArray,
) -> None:
    """Add R x to the scores of the candidates.

    Args:
        weights: R, [A, E] int32 in 2**-20 bit.
        features: x, [E] int64 in 2**-6.
        candidates: [≥ n] int64.
        n: their number.
        scores: [A] int32 in 2**-16 bit, updated.
    """
    for c in range(n):
        row = weights[candidates[c]]
        total = np.int64(0)
        for j in range(len(features)):
            total += np.int64(row[j]) * features[j]
        change = min(max(total >> _TO_SCORE, -_SCORE_LIMIT), _SCORE_LIMIT)
        scores[candidates[c]] += np.int32(change)


@njit(cache=True)
def _learn(row: npt.NDArray[np.int32], features: npt.NDArray[np.int64], step: int) -> None:
    """Move a row of R, [E] int32, along the features, [E] int64, by int64 `step` in 2**-30."""
    half = np.int64(1) << (_TO_WEIGHT - 1)
    for j in range(len(features)):
        w = np.int64(row[j]) + ((step * features[j] + half) >> _TO_WEIGHT)
        row[j] = np.int32(min(max(w, -_WEIGHT_LIMIT), _WEIGHT_LIMIT))


@njit(cache=True)
def _update(
    weights: npt.NDArray[np.int32],
    squares: npt.NDArray[np.float64],
    features: npt.NDArray[np.int64],
    candidates: npt.NDArray[np.int64],
    n: int,
    cdf: npt.NDArray[np.uint32],
    symbol: int,
    rate: float,
    bits: int,
) -> None:
    """Learn the rows of the candidates and of the coded symbol.

    Args:
        weights, features, candidates, n: as in `_predict`; the weights are updated.
        squares: [A] float64, of `scaled`.
        cdf: [A + 1] uint32.
        symbol: int.
        rate: float64.
        bits: binary logarithm of the CDF's total.
    """
    is_candidate = False
    for c in range(n):
        i = candidates[c]
        is_candidate |= i == symbol
        step = scaled(descent(cdf, i, symbol, bits), squares, i, rate, _DAMPING)
        _learn(weights[i], features, step)
    if not is_candidate:
        gradient = np.int64(1) << GRADIENT_BITS
        _learn(weights[symbol], features, scaled(gradient, squares, symbol, rate, _DAMPING))


class OutputHead:
    """A `TokenPredictor` that corrects the logits of the probable symbols."""

    def __init__(self, n_symbols: int, rate: int, cdf_bits: int) -> None:
        """
        Args:
            n_symbols: size of the alphabet.
            rate: learning rate in thousandths.
            cdf_bits: binary logarithm of the total of the CDFs given to `update`.
        """
        self._n_symbols = n_symbols
        self._rate = rate / RATE_UNIT
        self._squares = np.zeros(n_symbols)
        self._cdf_bits = cdf_bits
        self._steps = 0
        self._candidates = np.empty(MAX_CANDIDATES, dtype=np.int64)
        self._n = 0
        self._weights: npt.NDArray[np.int32] | None = None

    def predict(self, scores: IntArray, hidden: FloatArray | None) -> None:
        if hidden is None:
            return
        if self._weights is None:
            n = len(hidden)
            # Pages of rows that are never touched take no memory.
            self._weights = np.zeros((self._n_symbols, n), dtype=np.int32)
            self._mean = np.zeros(n)
            self._variance = np.ones(n)
            self._features = np.zeros(n, dtype=np.int64)
        share = share_of_newest(self._steps)
        _normalize(hidden, self._mean, self._variance, share, self._features)
        self._n = _find_candidates(scores, self._candidates)
        _predict(self._weights, self._features, self._candidates, self._n, scores)

    def update(self, cdf: npt.NDArray[np.uint32], symbol: int) -> None:
        if self._weights is None:
            return
        _update(
            self._weights, self._squares, self._features, self._candidates, self._n, cdf, symbol,
            self._rate, self._cdf_bits,
        )  # fmt: skip
        self._steps += 1
