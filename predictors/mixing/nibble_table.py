"""Bit histories in a hash table, one slot for the 15 decisions of half a byte.

A slot of 16 bytes holds a check and the states (`bit_states`) of the decisions that may follow
in one context while four bits are coded; four slots share a line of a processor's cache, so
that a context costs two accesses to memory for a byte (Mahoney 2007, lpaq). The table is
bounded: a new context takes the place of the one of three that has seen least.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit

SLOT = 16
"""Bytes of a slot: the check, then the states by the known bits behind a leading 1."""

_CACHE_LINE = 64


def new_table(bits: int) -> np.ndarray:
    """An empty table of 2**bits slots, [2**bits * SLOT] uint8, on a line of the cache."""
    size = SLOT << bits
    memory = np.zeros(size + _CACHE_LINE, dtype=np.uint8)
    begin = -memory.ctypes.data % _CACHE_LINE
    return memory[begin : begin + size]


@njit(cache=True, forceinline=True, _nrt=False)
def find(table: npt.NDArray[np.uint8], h: int) -> Any:
    """Place of the slot of a context; may claim a new one.

    Args:
        table: from `new_table`.
        h: int64 hash: upper bits select, the lowest 8 check.

    Returns:
        int64, place of the check in the table.
    """
    check = np.uint8(h & 255)
    first = ((h >> 20) & ((len(table) >> 4) - 1)) << 4
    if table[first] == check:
        return first
    second = first ^ SLOT
    if table[second] == check:
        return second
    third = first ^ (2 * SLOT)
    if table[third] == check:
        return third
    # States are numbered by how much they have seen.
    least = first
    if table[second + 1] < table[least + 1]:
        least = second
    if table[third + 1] < table[least + 1]:
        least = third
    for i in range(1, SLOT):
        table[least + i] = 0
    table[least] = check
    return least
