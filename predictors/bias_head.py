"""Bias head: one bias per symbol, learned online by gradient descent.

The gradient of the code length in nats by the bias of symbol i is
p_i - [i is the coded symbol]; each step moves every bias against it. The method
is the reference's "adaptive head" (Nacrith, 2026) in log space and with a rate
a hundred times higher and falling: the rate matters more than the method.

Everything is integer arithmetic: p_i is a count of the CDF.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from coder.fixed_point import LOG2_E, SCORE_FRACTION_BITS
from predictors.base import FloatArray, IntArray
from predictors.learning_rate import decayed

RATE_UNIT = 1000
"""Rates are given in thousandths, as integers, so that a file can store them."""

FIRST_RATE = 400
"""The rate starts here, unless the given one is higher."""

_FRACTION_BITS = 40
_TO_SCORE = _FRACTION_BITS - SCORE_FRACTION_BITS
# ± 1024 bits: the sum with a score stays inside int32 whatever the input.
_LIMIT = np.int64(1) << np.int64(_FRACTION_BITS + 10)


@njit(cache=True)
def _predict(bias, scores):
    for i in range(len(scores)):
        scores[i] += np.int32(bias[i] >> _TO_SCORE)


@njit(cache=True)
def _update(bias, cdf, symbol, step, bits):
    for i in range(len(bias)):
        count = np.int64(cdf[i + 1]) - np.int64(cdf[i])
        bias[i] = max(bias[i] - step * count, -_LIMIT)
    bias[symbol] = min(bias[symbol] + (step << bits), _LIMIT)


class BiasHead:
    """A `TokenPredictor` that corrects the model's logits by a bias per symbol."""

    def __init__(self, n_symbols: int, rate: int, cdf_bits: int) -> None:
        """
        Args:
            n_symbols: size of the alphabet.
            rate: learning rate in the end, in thousandths (100 = 0.1 nats per unit
                gradient).
            cdf_bits: binary logarithm of the total of the CDFs given to `update`.
        """
        self._bias = np.zeros(n_symbols, dtype=np.int64)
        self._rate = rate
        self._first_rate = max(FIRST_RATE, rate)
        self._cdf_bits = cdf_bits
        # A change of one count at rate 1, in 2**-40 bit.
        self._per_count = int(LOG2_E * (1 << (_FRACTION_BITS - cdf_bits)))
        self._steps = 0

    def predict(self, scores: IntArray, hidden: FloatArray | None) -> None:
        _predict(self._bias, scores)

    def update(self, cdf: npt.NDArray[np.uint32], symbol: int) -> None:
        rate = decayed(self._first_rate, self._rate, self._steps)
        step = np.int64(self._per_count * rate // RATE_UNIT)
        _update(self._bias, cdf, symbol, step, self._cdf_bits)
        self._steps += 1
