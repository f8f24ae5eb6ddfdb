"""Probabilities that learn fast at first and slowly in the end (Mahoney 2007, lpaq's StateMap).

An entry is a uint32: the probability of a one in its upper 22 bits, and how often it was updated
in the lower 10. It moves by 1/(n + 1.5) of its error: to the mean of what it has seen, until n
reaches a limit.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.mixing.logistic import PROBABILITY_BITS, stretch

BITS = 22
"""Of a probability."""

ONE = 1 << BITS
HALF = ONE >> 1
_TO_PROBABILITY = PROBABILITY_BITS - BITS
_DISTANCE_SHIFT = 7
"""A probability's distance from 1/2 becomes an input of up to 4 bits."""

# Behind the probability, how often the entry was seen.
_COUNT_BITS = 10
_COUNT_MASK = (1 << _COUNT_BITS) - 1

_SHARES = np.array([2 * 65536 // (2 * n + 3) for n in range(1 << _COUNT_BITS)], dtype=np.int32)
"""1 / (n + 1.5) in 2**-16."""


def new_entries(probabilities: np.ndarray) -> np.ndarray:
    """[n] uint32 entries that have seen nothing yet, of [n] probabilities of a one in 2**-22."""
    return (probabilities.astype(np.int64) << _COUNT_BITS).astype(np.uint32)


@njit(cache=True, forceinline=True, _nrt=False)
def probability(entry: int) -> Any:
    """The probability of a one, int64 in 2**-22."""
    return np.int64(entry) >> _COUNT_BITS


@njit(cache=True, forceinline=True, _nrt=False)
def log_odds(p: int) -> Any:
    """An input of the mixer: the log-odds of `probability`."""
    return stretch(p << _TO_PROBABILITY)


@njit(cache=True, forceinline=True, _nrt=False)
def distance(p: int) -> Any:
    """Another one: how far `probability` is from one half."""
    return (p - HALF) >> _DISTANCE_SHIFT


@njit(cache=True, forceinline=True, _nrt=False)
def learn(table: npt.NDArray[np.uint32], i: int, bit: int, limit: int) -> None:
    """Move table[i] towards the bit; its count stops at the limit, at most 1,023."""
    entry = np.int64(table[i])
    n = entry & _COUNT_MASK
    p = entry >> _COUNT_BITS
    p += ((bit * (ONE - 1) - p) * np.int64(_SHARES[n])) >> 16
    if n < limit:
        n += 1
    table[i] = np.uint32(p << _COUNT_BITS | n)
