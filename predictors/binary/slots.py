"""What followed contexts, in a hash table: a slot for the 15 decisions of half a byte.

For each decision a slot holds two records of the same history: a probability that is the mean
of what it has seen (`rate_map`), slow, and a bit history (`bit_states`), which forgets. The
first entry of a slot is a check, the byte that was last seen in the context (in slots of a
byte's first half) and how often it came in a row. The table is bounded: a new context takes the
place of the one of three that has seen least (Mahoney 2007, lpaq).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.mixing import rate_map

SLOT = 16
"""Entries of a slot: check and run, then decisions by the known bits behind a leading 1."""

_MIN_SLOT_BITS, _MAX_SLOT_BITS = 12, 21
"""Probabilities and states take from 320 KiB to 160 MiB."""

UNSEEN = np.uint32((rate_map.ONE >> 1) << 10)
"""The entry of a decision that was never made: 1/2, seen 0 times."""

_CACHE_LINE = 64
_COUNT_MASK = 1023
_CHECK_SHIFT = 16
_RUN_LIMIT = 255


def slot_bits(size: int, kinds: int) -> int:
    """Binary logarithm of the number of slots for `size` bytes in so many kinds of context.

    There is one for two halves of bytes.
    """
    return min(max((size * kinds).bit_length() - 1, _MIN_SLOT_BITS), _MAX_SLOT_BITS)


def new_probabilities(bits: int) -> npt.NDArray[np.uint32]:
    """2**bits slots, [2**bits * SLOT] uint32, each on a line of the cache."""
    n = SLOT << bits
    memory = np.empty(n + _CACHE_LINE // 4, dtype=np.uint32)
    begin = -memory.ctypes.data % _CACHE_LINE // 4
    table = memory[begin : begin + n]
    table[:] = UNSEEN
    table[::SLOT] = 0
    return table


def new_states(bits: int) -> npt.NDArray[np.uint8]:
    """Their bit histories, [2**bits * SLOT] uint8."""
    return np.zeros(SLOT << bits, dtype=np.uint8)


@inlined
def find(table: npt.NDArray[np.uint32], states: npt.NDArray[np.uint8], h: int) -> Any:
    """Place of the slot of a context; may claim a new one.

    Args:
        table, states: from `new_probabilities` and `new_states`.
        h: int64 hash: upper bits select, the lowest 16 check.

    Returns:
        int64, place of the slot's first entry.
    """
    check = np.int64(h & 0xFFFF)
    mask = (len(table) >> 4) - 1
    first = ((h >> 20) & mask) << 4
    if np.int64(table[first]) >> _CHECK_SHIFT == check:
        return first
    second = first ^ SLOT
    if np.int64(table[second]) >> _CHECK_SHIFT == check:
        return second
    third = first ^ (2 * SLOT)
    if np.int64(table[third]) >> _CHECK_SHIFT == check:
        return third
    least = first
    if table[second + 1] & _COUNT_MASK < table[least + 1] & _COUNT_MASK:
        least = second
    if table[third + 1] & _COUNT_MASK < table[least + 1] & _COUNT_MASK:
        least = third
    table[least] = np.uint32(check << _CHECK_SHIFT)
    for i in range(1, SLOT):
        table[least + i] = UNSEEN
        states[least + i] = 0
    return least


@inlined
def run_of(entry: int) -> Any:
    """(byte, how often in a row, 0 = never) of a slot's first entry; int64."""
    return (np.int64(entry) >> 8) & 255, np.int64(entry) & 255


@inlined
def extend_run(table: npt.NDArray[np.uint32], place: int, byte: int) -> None:
    """Take note of the byte that followed the context of the slot at a place."""
    entry = np.int64(table[place])
    before, count = run_of(entry)
    count = min(count + 1, _RUN_LIMIT) if count > 0 and before == byte else np.int64(1)
    table[place] = np.uint32(entry >> _CHECK_SHIFT << _CHECK_SHIFT | byte << 8 | count)
