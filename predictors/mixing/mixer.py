"""Gated logistic mixing (Mahoney 2005, PAQ7; Mattern 2013).

A weight set maps the inputs, log-odds of the next bit, to one log-odds: their
weighted sum. In a layer several contexts each select one set; a second layer mixes what
the selected sets say, and the average of what its own sets say is the result. Every set
learns by gradient descent on the code length of its own prediction, at a rate that falls
with its experience.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.mixing.logistic import PROBABILITY_BITS, clamp_odds, squash

WEIGHT_BITS = 16
WEIGHT_ONE = 1 << WEIGHT_BITS
"""A weight is an int64 in units of 2**-16."""

CONSTANT_INPUT = 256
"""The input that is always the same, for a bias: 1/16 bit of log-odds."""

# Errors are used with 16 bits; a rate of 1 then moves a weight by 2**-30 of
# error (2**-16) times input (2**-12 bit), in units of 2**-16.
_ERROR_SHIFT = PROBABILITY_BITS - 16
_RATE_SHIFT = 30
_HALF = 1 << (_RATE_SHIFT - 1)


@njit(cache=True)
def dot(weights: npt.NDArray[np.int64], inputs: npt.NDArray[np.int64], n: int) -> Any:
    """Mixed log-odds, clamped: the first n inputs weighted.

    Args:
        weights: [≥ n] int64, in 2**-16.
        inputs: [≥ n] int64, log-odds in 2**-12 bit.
        n: int.

    Returns:
        int64 log-odds in 2**-12 bit.
    """
    total = np.int64(0)
    for i in range(n):
        total += weights[i] * inputs[i]
    return clamp_odds(total >> WEIGHT_BITS)


@njit(cache=True)
def train(
    weights: npt.NDArray[np.int64],
    inputs: npt.NDArray[np.int64],
    n: int,
    odds: int,
    bit: int,
    rate: int,
) -> None:
    """One step down the gradient of the code length of `bit` under `odds`.

    Args:
        weights: [≥ n] int64, updated.
        inputs, n, odds: what `dot` was given and returned.
        bit: int64.
        rate: int; a rate of 1 moves a weight by 2**-30 of error times input.
    """
    error = ((bit << PROBABILITY_BITS) - squash(odds)) >> _ERROR_SHIFT
    step = error * rate
    for i in range(n):
        weights[i] += (step * inputs[i] + _HALF) >> _RATE_SHIFT


Layer = namedtuple("Layer", "weights experience selected mixed")
Layer.__doc__ = """Weight sets, of which each selector selects one.

weights: [selectors, sets, inputs] int64. experience: [selectors, sets] int64, how often each
was used. selected: [selectors] int64, the sets for the next decision; mixed: [selectors]
int64, what they said of it.
"""


def new_layer(selectors: int, sets: int, weights: npt.ArrayLike) -> Layer:
    """An untrained layer; `weights` are those that every set starts with, one per input."""
    first = np.asarray(weights, dtype=np.int64)
    return Layer(
        weights=np.tile(first, (selectors, sets, 1)),
        experience=np.zeros((selectors, sets), dtype=np.int64),
        selected=np.zeros(selectors, dtype=np.int64),
        mixed=np.zeros(selectors, dtype=np.int64),
    )


@njit(cache=True)
def mix(layer: Layer, inputs: npt.NDArray[np.int64]) -> Any:
    """Ask the selected sets, [inputs] int64; return the average of what they say, int64.

    Log-odds in 2**-12 bit everywhere.
    """
    total = np.int64(0)
    for i in range(len(layer.mixed)):
        odds = dot(layer.weights[i, layer.selected[i]], inputs, len(inputs))
        layer.mixed[i] = odds
        total += odds
    return total // len(layer.mixed)


@njit(cache=True)
def learn(
    layer: Layer, inputs: npt.NDArray[np.int64], bit: int, rate: int, extra: int, decay: int
) -> None:
    """Train the selected sets on what `mix` was given.

    The rate is `rate` + `extra` × decay / (decay + experience), in the unit of `train`.
    """
    for i in range(len(layer.mixed)):
        selected = layer.selected[i]
        count = layer.experience[i, selected]
        layer.experience[i, selected] = count + 1
        fast = rate + extra * decay // (decay + count)
        train(layer.weights[i, selected], inputs, len(inputs), layer.mixed[i], bit, fast)
