"""Gated logistic mixing (Mahoney 2005, PAQ7; Mattern 2013).

A weight set maps the inputs, log-odds of the next bit, to one log-odds: their
weighted sum. In a layer several contexts each select one set; a second layer mixes what
the selected sets say, and the average of what its own sets say is the result. Every set
learns by gradient descent on the code length of its own prediction, at a rate that falls
with its experience.

Inputs and weights are 32 bits wide and come in whole lanes, so that the compiler makes
vector instructions of a set.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.mixing.logistic import PROBABILITY_BITS, clamp_odds, squash_coarse

WEIGHT_BITS = 16
WEIGHT_ONE = 1 << WEIGHT_BITS
"""A weight is in units of 2**-16."""

CONSTANT_INPUT = 256
"""The input that is always the same, for a bias: 1/16 bit of log-odds."""

_LANES = 32
"""Inputs are padded with zeros to a multiple of this, as many as a vector loop takes at once."""

# Errors are used with 16 bits; a rate of 1 then moves a weight by 2**-30 of
# error (2**-16) times input (2**-12 bit), in units of 2**-16.
_ERROR_SHIFT = PROBABILITY_BITS - 16
_RATE_SHIFT = 30
_HALF = 1 << (_RATE_SHIFT - 1)

_EXTRA_BITS = 16
"""Fraction bits of what a rate has more than in the end."""

_EXTRA_SHIFT = 20
"""An extra rate r falls by r**2 / 2**20 with each decision, that is, as 2**20 / n."""

Layer = namedtuple("Layer", "weights extra selected mixed shape")
Layer.__doc__ = """Weight sets, of which each selector selects one.

weights: [selectors * sets * lanes] int32 in 2**-16, lanes the inputs in whole lanes.
extra: [selectors * sets] int32 in 2**-16, how much faster than in the end each learns.
selected: [selectors] int64, the sets for the next decision; mixed: [selectors in whole lanes]
int32, what they said of it. shape: (selectors, sets, lanes), int64.
"""


def whole_lanes(n: int) -> int:
    """The least multiple of a lane's width that is at least n."""
    return -(-n // _LANES) * _LANES


def new_inputs(n: int) -> npt.NDArray[np.int32]:
    """[≥ n] int32, room for n inputs, in whole lanes; those behind the nth stay 0."""
    return np.zeros(whole_lanes(n), dtype=np.int32)


def new_layer(selectors: int, sets: int, weights: npt.ArrayLike, extra_rate: int) -> Layer:
    """An untrained layer.

    Args:
        selectors, sets: their numbers.
        weights: that every set starts with, one per input.
        extra_rate: how much faster than in the end a set learns at first, < 2**15.
    """
    given = np.asarray(weights, dtype=np.int32)
    first = new_inputs(len(given))
    first[: len(given)] = given
    return Layer(
        weights=np.tile(first, selectors * sets),
        extra=np.full(selectors * sets, extra_rate << _EXTRA_BITS, dtype=np.int32),
        selected=np.zeros(selectors, dtype=np.int64),
        mixed=new_inputs(selectors),
        shape=(np.int64(selectors), np.int64(sets), np.int64(len(first))),
    )


@inlined
def dot(weights: npt.NDArray[np.int32], begin: int, inputs: npt.NDArray[np.int32]) -> Any:
    """Mixed log-odds, clamped: the inputs weighted.

    Args:
        weights: int32 in 2**-16.
        begin: where there the set begins.
        inputs: [whole lanes] int32, log-odds in 2**-12 bit.

    Returns:
        int64 log-odds in 2**-12 bit.
    """
    total = np.int64(0)
    w = weights[begin : begin + len(inputs)]
    for i in range(len(inputs)):
        total += np.int64(w[i]) * np.int64(inputs[i])
    return clamp_odds(total >> WEIGHT_BITS)


@inlined
def train(
    weights: npt.NDArray[np.int32],
    begin: int,
    inputs: npt.NDArray[np.int32],
    odds: int,
    bit: int,
    rate: int,
) -> None:
    """One step down the gradient of the code length of `bit` under `odds`.

    Args:
        weights, begin: as for `dot`; updated, in 32 bits that wrap.
        inputs, odds: what `dot` was given and returned.
        bit: int64.
        rate: int; a rate of 1 moves a weight by 2**-30 of error times input.
    """
    error = ((bit << PROBABILITY_BITS) - squash_coarse(odds)) >> _ERROR_SHIFT
    step = np.int64(np.int32(error * rate))
    w = weights[begin : begin + len(inputs)]
    for i in range(len(inputs)):
        w[i] += np.int32((step * np.int64(inputs[i]) + _HALF) >> _RATE_SHIFT)


@inlined
def mix(layer: Layer, inputs: npt.NDArray[np.int32]) -> Any:
    """Ask the selected sets about inputs (`new_inputs`); return the average answer, int64.

    Log-odds in 2**-12 bit everywhere.
    """
    selectors, sets, lanes = layer.shape
    total = np.int64(0)
    for i in range(selectors):
        odds = dot(layer.weights, (i * sets + layer.selected[i]) * lanes, inputs)
        layer.mixed[i] = odds
        total += odds
    return total // selectors


@inlined
def learn(layer: Layer, inputs: npt.NDArray[np.int32], bit: int, rate: int) -> None:
    """Train the selected sets on what `mix` was given.

    Args:
        layer, inputs: see `mix`.
        bit: int64.
        rate: in the end, in the unit of `train`.
    """
    selectors, sets, lanes = layer.shape
    for i in range(selectors):
        place = np.uint64(i * sets + layer.selected[i])
        extra = np.int64(layer.extra[place])
        layer.extra[place] = np.int32(extra - ((extra >> 8) * (extra >> 8) >> _EXTRA_SHIFT))
        fast = rate + (extra >> _EXTRA_BITS)
        begin = np.int64(place) * lanes
        train(layer.weights, begin, inputs, np.int64(layer.mixed[i]), bit, fast)
