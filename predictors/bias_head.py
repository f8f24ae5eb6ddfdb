"""Bias head: one bias per symbol, learned online by gradient descent.

The gradient of the code length in nats by the bias of symbol i is
p_i - [i is the coded symbol]; each step moves every bias against it. The method
is the reference's "adaptive head" (Nacrith, 2026) in log space and with a rate
a hundred times higher: the rate matters more than the method.

Everything is integer arithmetic: p_i is a count of the CDF.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from coder.cdf import CDF_BITS
from coder.fixed_point import LOG2_E, SCORE_FRACTION_BITS
from predictors.base import IntArray

RATE_UNIT = 1000
"""Rates are given in thousandths, as integers, so that a file can store them."""

_FRACTION_BITS = 40
# A change of one count at rate 1, in 2**-40 bit.
_PER_COUNT = int(LOG2_E * (1 << (_FRACTION_BITS - CDF_BITS)))
_TO_SCORE = _FRACTION_BITS - SCORE_FRACTION_BITS
# ± 1024 bits: the sum with a score stays inside int32 whatever the input.
_LIMIT = np.int64(1) << np.int64(_FRACTION_BITS + 10)


@njit(cache=True)
def _predict(bias, scores):
    for i in range(len(scores)):
        scores[i] += np.int32(bias[i] >> _TO_SCORE)


@njit(cache=True)
def _update(bias, cdf, symbol, step):
    for i in range(len(bias)):
        count = np.int64(cdf[i + 1]) - np.int64(cdf[i])
        bias[i] = max(bias[i] - step * count, -_LIMIT)
    bias[symbol] = min(bias[symbol] + (step << CDF_BITS), _LIMIT)


class BiasHead:
    """A `TokenPredictor` that corrects the model's logits by a bias per symbol.

    The cdf given to `update` must have the total 2**24.
    """

    def __init__(self, n_symbols: int, rate: int) -> None:
        """
        Args:
            n_symbols: size of the alphabet.
            rate: learning rate in thousandths (100 = 0.1 nats per unit gradient).
        """
        self._bias = np.zeros(n_symbols, dtype=np.int64)
        self._step = np.int64(_PER_COUNT * rate // RATE_UNIT)

    def predict(self, stream: int, scores: IntArray) -> None:
        _predict(self._bias, scores)

    def update(self, stream: int, cdf: npt.NDArray[np.uint32], symbol: int) -> None:
        _update(self._bias, cdf, symbol, self._step)
