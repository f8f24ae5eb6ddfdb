"""Gated logistic mixing as in `mixer`, in 32 bits and for kernels without reference counts.

Weights and inputs are int32, so that the compiler makes vector instructions of the products,
and no set is a view of its own. Errors and rates come from tables instead of divisions.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.mixing.logistic import (
    ODDS_LIMIT,
    PROBABILITY_BITS,
    clamp_odds,
    odds_up_to_limit,
    squash_array,
)

WEIGHT_BITS = 16
WEIGHT_ONE = 1 << WEIGHT_BITS
"""A weight is an int32 in units of 2**-16, which wraps."""

CONSTANT_INPUT = 256
"""The input that is always the same, for a bias: 1/16 bit of log-odds."""

_LANES = 8
"""Inputs are padded with zeros to a multiple of this."""

# A rate of 1 moves a weight by 2**-30 of error (2**-16) times input (2**-12 bit), in units of
# 2**-16.
_ERROR_BITS = 16
_RATE_SHIFT = 30
_HALF = 1 << (_RATE_SHIFT - 1)

_SQUASH_SHIFT = 5
"""The table of probabilities has one for each 1/128 bit of log-odds."""

_SQUASHED = (
    squash_array(odds_up_to_limit(_SQUASH_SHIFT)) >> (PROBABILITY_BITS - _ERROR_BITS)
).astype(np.uint16)

_RATES = 1 << 14
"""A set's rate falls until it has been used so often."""

Layer = namedtuple("Layer", "weights experience rates selected mixed")
Layer.__doc__ = """Weight sets, of which each selector selects one.

weights: [selectors, sets, inputs] int32, inputs in whole lanes. experience: [selectors, sets]
int32, how often each was used, up to the length of rates. rates: int32, by experience.
selected: [selectors] int64, the sets for the next decision. mixed: [selectors in whole lanes]
int32, what they said of it.
"""


def new_inputs(n: int) -> npt.NDArray[np.int32]:
    """[≥ n] int32, room for n inputs, in whole lanes; those behind the nth stay 0."""
    return np.zeros(-(-n // _LANES) * _LANES, dtype=np.int32)


def new_layer(
    selectors: int, sets: int, weights: npt.ArrayLike, rate: int, extra: int, decay: int
) -> Layer:
    """An untrained layer.

    Args:
        weights: those that every set starts with, one per input.
        rate, extra, decay: a set that was used n times learns at
            rate + extra × decay / (decay + n), at most 2**15.
    """
    given = np.asarray(weights, dtype=np.int32)
    first = new_inputs(len(given))
    first[: len(given)] = given
    rates = [rate + extra * decay // (decay + n) for n in range(_RATES)]
    return Layer(
        weights=np.tile(first, (selectors, sets, 1)),
        experience=np.zeros((selectors, sets), dtype=np.int32),
        rates=np.array(rates, dtype=np.int32),
        selected=np.zeros(selectors, dtype=np.int64),
        mixed=new_inputs(selectors),
    )


@njit(cache=True, forceinline=True, counted=False)
def mix(layer: Layer, inputs: npt.NDArray[np.int32]) -> Any:
    """Ask the selected sets about inputs in whole lanes; return the average answer, int64.

    Log-odds in 2**-12 bit everywhere.
    """
    total = np.int64(0)
    for i in range(len(layer.selected)):
        selected = layer.selected[i]
        odds = np.int64(0)
        for j in range(len(inputs)):
            odds += np.int64(layer.weights[i, selected, j]) * np.int64(inputs[j])
        odds = clamp_odds(odds >> WEIGHT_BITS)
        layer.mixed[i] = odds
        total += odds
    return total // len(layer.selected)


@njit(cache=True, forceinline=True, counted=False)
def learn(layer: Layer, inputs: npt.NDArray[np.int32], bit: int) -> None:
    """Train the selected sets on the bit that followed what `mix` was given."""
    for i in range(len(layer.selected)):
        selected = layer.selected[i]
        count = layer.experience[i, selected]
        rate = np.int64(layer.rates[count])
        if count + 1 < len(layer.rates):
            layer.experience[i, selected] = count + 1
        p = np.int64(_SQUASHED[(np.int64(layer.mixed[i]) + ODDS_LIMIT) >> _SQUASH_SHIFT])
        # Known to fit, which makes the products below narrow ones.
        step = np.int64(np.int32(((bit << _ERROR_BITS) - p) * rate))
        for j in range(len(inputs)):
            change = (step * np.int64(inputs[j]) + _HALF) >> _RATE_SHIFT
            layer.weights[i, selected, j] += np.int32(change)
