"""Running means of the dimensions of hidden states.

A mean is one over the whole past at first, then an exponentially weighted one. float64,
each operation a single correctly rounded one of IEEE 754.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit

_MIN_SHARE = 0.001
"""In the end a mean is over the last 1,000 states or so."""

# Half a state more than there are: the first moves a mean by 2/3 of its difference.
_HEAD_START = 1.5


def share_of_newest(n: int) -> float:
    """How much of its difference from the mean the state after n others moves it by."""
    return max(1.0 / (n + _HEAD_START), _MIN_SHARE)


@njit(cache=True)
def center(
    hidden: npt.NDArray[np.float32], mean: npt.NDArray[np.float64], j: int, share: float
) -> Any:
    """The difference of dimension j from its mean, float64; then the mean moves by `share`.

    Args:
        hidden: [E] float32.
        mean: [E] float64, updated at j.
        j: int.
        share: float64, see `share_of_newest`.
    """
    x = np.float64(hidden[j]) - mean[j]
    mean[j] = mean[j] + share * x
    return x
