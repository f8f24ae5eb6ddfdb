"""Bias head: one bias per symbol, learned online by gradient descent.

The gradient of the code length in nats by the bias of symbol i is
p_i - [i is the coded symbol]; each step moves the biases against it, with
Adagrad's rates. The idea is the reference's "adaptive head" (Nacrith, 2026), in
log space and much faster: rates matter more than the method.

p_i is a count of the CDF; the biases are integers.
"""

import numpy as np
import numpy.typing as npt

from coder.fixed_point import LOG2_E, SCORE_FRACTION_BITS
from coder.kernels import njit
from predictors.base import FloatArray, IntArray
from predictors.heads.adagrad import GRADIENT_BITS, RATE_UNIT, descent, scaled

_DAMPING = 0.3
"""What Adagrad's sum of squared gradients starts with."""

_NEGLIGIBLE_BITS = 13
"""Symbols below p = 2**-13 stay as they are: their gradients add up to nothing."""

_BLOCK = 32
"""Symbols that are passed over together if they are negligible as a whole."""

# Biases are in 2**-30 bit, within ± 1024 bits: the sum with a score stays in int32.
_TO_SCORE = GRADIENT_BITS - SCORE_FRACTION_BITS
_LIMIT = np.int64(1) << np.int64(GRADIENT_BITS + 10)


@njit(cache=True)
def _predict(bias: npt.NDArray[np.int64], scores: IntArray) -> None:
    """Add the biases, [A] int64 in 2**-30 bit, to the scores, [A] int32 in 2**-16 bit."""
    for i in range(len(scores)):
        scores[i] += np.int32(bias[i] >> _TO_SCORE)


@njit(cache=True)
def _update(
    bias: npt.NDArray[np.int64],
    squares: npt.NDArray[np.float64],
    cdf: npt.NDArray[np.uint32],
    symbol: int,
    rate: float,
    bits: int,
) -> None:
    """Move the biases towards the coded symbol.

    Args:
        bias: [A] int64 in 2**-30 bit, updated.
        squares: [A] float64, of `scaled`.
        cdf: [A + 1] uint32.
        symbol: int.
        rate: float64, in bits.
        bits: binary logarithm of the CDF's total.
    """
    negligible = np.int64(1) << (bits - _NEGLIGIBLE_BITS)
    for begin in range(0, len(bias), _BLOCK):
        end = min(begin + _BLOCK, len(bias))
        total = np.int64(cdf[end]) - np.int64(cdf[begin])
        if total < negligible and not begin <= symbol < end:
            continue
        for i in range(begin, end):
            count = np.int64(cdf[i + 1]) - np.int64(cdf[i])
            if count < negligible and i != symbol:
                continue
            change = scaled(descent(cdf, i, symbol, bits), squares, i, rate, _DAMPING)
            bias[i] = min(max(bias[i] + change, -_LIMIT), _LIMIT)


class BiasHead:
    """A `TokenPredictor` that corrects the model's logits by a bias per symbol."""

    def __init__(self, n_symbols: int, rate: int, cdf_bits: int) -> None:
        """
        Args:
            n_symbols: size of the alphabet.
            rate: learning rate in thousandths: of a nat, for the first few gradients.
            cdf_bits: binary logarithm of the total of the CDFs given to `update`.
        """
        self._bias = np.zeros(n_symbols, dtype=np.int64)
        self._squares = np.zeros(n_symbols)
        self._cdf_bits = cdf_bits
        self._rate = rate / RATE_UNIT * LOG2_E

    def predict(self, scores: IntArray, hidden: FloatArray | None) -> None:
        _predict(self._bias, scores)

    def update(self, cdf: npt.NDArray[np.uint32], symbol: int) -> None:
        _update(self._bias, self._squares, cdf, symbol, self._rate, self._cdf_bits)
