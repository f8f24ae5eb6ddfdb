"""What followed a context: bit counts in a hash table, and the probability they stand for.

A slot counts the zeros and ones that a decision in some context has had, with
the recent ones weighing more: a bit halves a larger count of its opposite.
(n0, n1, last bit) is the *bit history*; an adaptive table per kind of context, the
*state map*, says how often a one followed each history ("indirect" modeling, Mahoney
2005, PAQ, where histories are the states of an automaton instead of counts).

The hash table is bounded: slots carry a check, and where two contexts fall on
the same pair of slots the one with fewer observations is replaced. So memory
does not depend on the input.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.mixing.logistic import PROBABILITY_ONE

# A slot is an int64: n0 (8 bits), n1 (8 bits), last bit, then the check from bit 24.
_N1 = 8
_LAST = 16
_CHECK = 24
_CHECK_BITS = 20
_MAX_COUNT = 255

# Counts in twelve steps: 0 to 4 exactly, then coarser.
_STEPS = (0, 1, 2, 3, 4, 5, 7, 10, 16, 32, 64, 128)
LEVELS = len(_STEPS)
HISTORIES = LEVELS * LEVELS * 2


def level_of_count(n: int) -> int:
    """The number of the highest step that a count reaches."""
    return max(i for i, step in enumerate(_STEPS) if step <= n)


_LEVEL_OF_COUNT = np.array([level_of_count(n) for n in range(_MAX_COUNT + 1)], dtype=np.int64)

RATE_SHIFT = 6
"""A history's probability moves by 1/64 of its error."""


def new_slots(bits: int) -> np.ndarray:
    """An empty hash table of 2**bits slots, [2**bits] int64."""
    return np.zeros(1 << bits, dtype=np.int64)


def new_state_map(kinds: int) -> np.ndarray:
    """[kinds, HISTORIES] int64 probabilities of a one in 2**-24, by the counts at first."""
    counts = [2 * step + (step > 4) * (step // 2) for step in _STEPS]
    table = np.empty((kinds, LEVELS, LEVELS, 2), dtype=np.int64)
    for i, n0 in enumerate(counts):
        for j, n1 in enumerate(counts):
            # (n1 + 0.3) / (n0 + n1 + 0.6) of the doubled counts, in integers.
            table[:, i, j, :] = PROBABILITY_ONE * (10 * n1 + 6) // (10 * (n0 + n1) + 12)
    return table.reshape(kinds, HISTORIES)


@inlined
def find_slot(slots: npt.NDArray[np.int64], h: int) -> Any:
    """Index of the slot of a decision in a context; may claim a new one.

    Args:
        slots: [2**bits] int64.
        h: int64 hash of context and decision: upper bits select, the lowest 20 check.
    """
    index = (h >> 20) & (len(slots) - 1)
    check = (h & ((1 << _CHECK_BITS) - 1)) | (1 << _CHECK_BITS)
    if slots[index] >> _CHECK == check:
        return index
    other = index ^ 1
    if slots[other] >> _CHECK == check:
        return other
    if _total(slots[other]) < _total(slots[index]):
        index = other
    slots[index] = check << _CHECK
    return index


@inlined
def _total(slot: int) -> Any:
    return (slot & 255) + ((slot >> _N1) & 255)


@inlined
def history_of(slot: int) -> Any:
    """The number of a slot's history, 0 .. HISTORIES - 1; -1 if nothing was seen."""
    n0 = slot & 255
    n1 = (slot >> _N1) & 255
    if n0 + n1 == 0:
        return np.int64(-1)
    return (_LEVEL_OF_COUNT[n0] * LEVELS + _LEVEL_OF_COUNT[n1]) * 2 + ((slot >> _LAST) & 1)


@inlined
def observe(slot: int, bit: int) -> Any:
    """The slot after one more bit, int64."""
    n0 = slot & 255
    n1 = (slot >> _N1) & 255
    if bit:
        n1 = min(n1 + 1, _MAX_COUNT)
        if n0 > 2:
            n0 = (n0 >> 1) + 1
    else:
        n0 = min(n0 + 1, _MAX_COUNT)
        if n1 > 2:
            n1 = (n1 >> 1) + 1
    return (slot >> _CHECK << _CHECK) | n0 | (n1 << _N1) | (bit << _LAST)
