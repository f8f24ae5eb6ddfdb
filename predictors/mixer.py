"""Gated logistic mixing (Mahoney, PAQ; Mattern 2013).

A weight set maps the inputs, log-odds of the next bit, to one log-odds: their
weighted sum. Several contexts each select one set; a second layer mixes what
the selected sets say. Every set learns by gradient descent on the code length
of its own prediction, at a rate that falls with its experience.
"""

import numpy as np
from numba import njit

from predictors.logistic import PROBABILITY_BITS, clamp_odds, squash

WEIGHT_BITS = 16
WEIGHT_ONE = 1 << WEIGHT_BITS

# Errors are used with 16 bits; a rate of 1 then moves a weight by 2**-30 of
# error (2**-16) times input (2**-12 bit), in units of 2**-16.
_ERROR_SHIFT = PROBABILITY_BITS - 16
_RATE_SHIFT = 30
_HALF = 1 << (_RATE_SHIFT - 1)


@njit(cache=True)
def dot(weights, inputs, n):
    """Mixed log-odds, clamped: the first n inputs ([n] int64, 2**-12 bit) weighted."""
    total = np.int64(0)
    for i in range(n):
        total += weights[i] * inputs[i]
    return clamp_odds(total >> WEIGHT_BITS)


@njit(cache=True)
def train(weights, inputs, n, odds, bit, rate):
    """One step down the gradient of the code length of `bit` under `odds`."""
    error = ((bit << PROBABILITY_BITS) - squash(odds)) >> _ERROR_SHIFT
    step = error * rate
    for i in range(n):
        weights[i] += (step * inputs[i] + _HALF) >> _RATE_SHIFT
