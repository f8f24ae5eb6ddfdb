"""Gradient descent on the code length, at the rates of Adagrad (Duchi, Hazan & Singer 2011).

The rate of a weight falls with the gradients it has had.

So a frequent symbol's weights settle, while a rare symbol's still learn fast.

The rate is float64: a sum, a square root and a division, each a single correctly
rounded operation of IEEE 754, then a rounding to an integer.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined

RATE_UNIT = 1000
"""Rates are given in thousandths, as integers, so that a file can store them."""

GRADIENT_BITS = 30
"""Gradients are int64 in units of 2**-30, of a magnitude ≤ 1."""

_SQUARE_ONE = float(1 << (2 * GRADIENT_BITS))


@inlined
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
