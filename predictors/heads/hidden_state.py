"""Hidden states, centered and scaled by what their dimensions have been so far.

Means and variances are over the whole past at first, then exponentially weighted. They are
float64, each operation a single correctly rounded one of IEEE 754 (the compiler neither
fuses nor reorders them), and end in a rounding to integers.
"""

from collections import namedtuple
from typing import Any

import numpy as np

from coder.kernels import inlined, njit
from predictors.base import FloatArray

_MIN_SHARE = 0.001
"""In the end means are over the last 1,000 states or so."""

# Half a state more than there are: the first moves a mean by 2/3 of its difference.
_HEAD_START = 1.5

_EPSILON = 1e-6
"""Added to variances, so that a dimension that never changes divides by no zero."""

FEATURE_BITS = 4
"""Features are in 2**-4 standard deviations."""

FEATURE_LIMIT = 127
"""They are clipped at 8 standard deviations."""

HiddenState = namedtuple("HiddenState", "mean variance centered features signs steps")
HiddenState.__doc__ = """The last hidden state, and the moments of all.

mean, variance: [E] float64. centered: [E] float64, without the mean of those before.
features: [E] int16, in 2**-4 standard deviations. signs: [E / 64 rounded up] uint64, a bit
a dimension: whether it is at least the mean. steps: [1] int64, how many there were.
"""


def new_hidden_state(dimensions: int) -> HiddenState:
    """Before the first state."""
    return HiddenState(
        mean=np.zeros(dimensions),
        variance=np.ones(dimensions),
        centered=np.zeros(dimensions),
        features=np.zeros(dimensions, dtype=np.int16),
        signs=np.zeros(-(-dimensions // 64), dtype=np.uint64),
        steps=np.zeros(1, dtype=np.int64),
    )


@inlined
def share_of_newest(n: int) -> Any:
    """How much of its difference from the mean the state after n others moves it by."""
    return max(1.0 / (np.float64(n) + _HEAD_START), _MIN_SHARE)


@njit(cache=True)
def observe(h: HiddenState, hidden: FloatArray) -> None:
    """Take the next hidden state, [E] float32."""
    share = share_of_newest(h.steps[0])
    h.steps[0] += 1
    mean, variance, centered, features = h.mean, h.variance, h.centered, h.features
    limit = np.float64(FEATURE_LIMIT)
    for j in range(len(mean)):
        x = np.float64(hidden[j]) - mean[j]
        centered[j] = x
        mean[j] = mean[j] + share * x
        variance[j] = variance[j] + share * (x * x - variance[j])
    for j in range(len(mean)):
        y = centered[j] / np.sqrt(variance[j] + _EPSILON) * np.float64(1 << FEATURE_BITS)
        # Floor of y + 0.5 by truncation: the shift makes the operand positive.
        y = min(max(y, -limit), limit)
        features[j] = np.int16(np.int32(y + (limit + 0.5)) - np.int32(FEATURE_LIMIT))
    for k in range(len(h.signs)):
        word = np.uint64(0)
        part = centered[k << 6 : (k << 6) + 64]
        for j in range(len(part)):
            word |= np.uint64(part[j] >= 0.0) << np.uint64(j)
        h.signs[k] = word
