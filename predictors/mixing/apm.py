"""Adaptive probability maps (APM), or secondary symbol estimation (SSE) (Mahoney 2005, PAQ).

A map corrects a probability by what really followed, given a small context: per
context a piecewise linear function of the log-odds, with one knot per bit.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.mixing.logistic import (
    ODDS_BITS,
    ODDS_ONE,
    adapt,
    squash,
)

_REACH = 12
"""Knots are at -12 .. 12 bits of log-odds."""

KNOTS = 2 * _REACH + 1


def new_maps(contexts: int) -> np.ndarray:
    """[contexts, KNOTS] int32 probabilities in 2**-24: each map is the identity."""
    knots = [squash((i - _REACH) * ODDS_ONE) for i in range(KNOTS)]
    return np.tile(np.array(knots, dtype=np.int32), (contexts, 1))


@inlined
def place(odds: int) -> Any:
    """Where log-odds in 2**-12 bit fall between the knots: int64 in 2**-12 knot."""
    return min(max(odds + _REACH * ODDS_ONE, np.int64(0)), 2 * _REACH * ODDS_ONE - 1)


@inlined
def refine(knots: npt.NDArray[np.int32], position: int) -> Any:
    """The corrected probability, int64 in 2**-24, of a map ([KNOTS] int32) at a place."""
    i = position >> ODDS_BITS
    fraction = position & (ODDS_ONE - 1)
    below, above = np.int64(knots[i]), np.int64(knots[i + 1])
    return (below * (ODDS_ONE - fraction) + above * fraction) >> ODDS_BITS


@inlined
def learn(knots: npt.NDArray[np.int32], position: int, bit: int, shift: int) -> None:
    """Move the nearer knot by 2**-shift of its error."""
    i = (position + ODDS_ONE // 2) >> ODDS_BITS
    knots[i] = adapt(np.int64(knots[i]), bit, shift)
