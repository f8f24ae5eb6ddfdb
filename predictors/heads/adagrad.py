"""Gradient descent on the code length, at the rates of Adagrad (Duchi, Hazan & Singer 2011).

The rate of a weight falls with the gradients it has had.

So a frequent symbol's weights settle, while a rare symbol's still learn fast.

The rate is float64: a sum, a square root and a division, each a single correctly
rounded operation of IEEE 754, then a rounding to an integer.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit

RATE_UNIT = 1000
"""Rates are given in thousandths, as integers, so that a file can store them."""

GRADIENT_BITS = 30
"""Gradients are int64 in units of 2**-30, of a magnitude ≤ 1."""

_SQUARE_ONE = float(1 << (2 * GRADIENT_BITS))


@njit(cache=True)
def descent(cdf: npt.NDArray[np.uint32], i: int, symbol: int, bits: int) -> np.int64:
    """By how much the code length in nats falls with the logit of symbol i.

    Args:
        cdf: [A + 1] uint32, what `symbol` was coded with.
        i, symbol: int.
        bits: binary logarithm of the CDF's total, at most GRADIENT_BITS.

    Returns:
        [i is the symbol] - p_i, int64 in 2**-30.
    """
    count = np.int64(cdf[i + 1]) - np.int64(cdf[i])
    return (np.int64(i == symbol) << GRADIENT_BITS) - (count << (GRADIENT_BITS - bits))


@njit(cache=True)
def scaled(
    gradient: int, squares: npt.NDArray[np.float64], i: int, rate: float, damping: float
) -> Any:
    """gradient * rate / sqrt(damping + sum of the squares of i's gradients so far).

    Args:
        gradient: int64, in 2**-30.
        squares: [n] float64, the sums; this gradient's square is added to squares[i].
        rate, damping: float64.

    Returns:
        int64 in 2**-30.
    """
    g = np.float64(gradient)
    squares[i] = squares[i] + (g * g) / _SQUARE_ONE
    return np.int64(np.floor(g * (rate / np.sqrt(damping + squares[i])) + 0.5))
