"""Guesses of the next symbols, so that a decoder can evaluate several of them at once.

What has followed the last symbols before is expected again (prompt lookup decoding, Saxena
2023). A wrong guess costs time, and no guess changes a bit: only a decoder makes them, and the
results of a backend that heeds them do not depend on what is evaluated together.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.base import IntArray

_ORDERS = np.array([8, 4, 2, 1], dtype=np.int64)
"""So many last symbols are looked up, the most first."""

_MAX_TABLE_BITS = 20
"""The tables have at most 2**20 slots of 4 bytes."""

_MOST = 16
"""Symbols of a guess, at most."""

_ROW_COST = 0.16
"""What a further row costs, as a share of a step of one row (measured: 0.10 to 0.16)."""

_SYMBOL_COST = 0.06
"""What coding a symbol costs, in the same unit."""

_LENGTHS = 32
"""Lengths of a match that are told apart."""

_RATE = 0.02
"""How fast the share of right guesses follows what happens."""

_MULTIPLIER = 0x9E3779B1
_MASK = 0xFFFFFFFF


@njit(cache=True)
def _look_up(symbols: IntArray, n: int, tables: IntArray, bits: int) -> Any:
    """Find where the longest context stood before, and note where it stands now.

    Args:
        symbols: [≥ n] int32. n: how many are known.
        tables: [orders, 2**bits] int32, updated: the place behind a context, 0 = none.
        bits: int64.

    Returns:
        (place, length): what may follow is at `place`; as many symbols before it as `length`,
        at most `_LENGTHS`, are those before n. (0, 0) = there is none.
    """
    place = length = np.int64(0)
    for i in range(len(_ORDERS)):
        order = _ORDERS[i]
        if order > n:
            continue
        h = np.int64(0)
        for j in range(n - order, n):
            h = ((h + np.int64(symbols[j]) + 1) * _MULTIPLIER) & _MASK
        slot = h >> (32 - bits)
        if not length:
            found = np.int64(tables[i, slot])
            same = np.int64(0)
            most = min(found, _LENGTHS)
            while same < most and symbols[found - 1 - same] == symbols[n - 1 - same]:
                same += 1
            if same >= order:
                place, length = found, same
        tables[i, slot] = n
    return place, length


class Guesser:
    """Learns from the symbols of one stream."""

    def __init__(self, n_symbols: int) -> None:
        """
        Args:
            n_symbols: of the stream.
        """
        self._symbols = np.zeros(n_symbols, dtype=np.int32)
        self._n = 0
        self._bits = min(max(8, n_symbols.bit_length()), _MAX_TABLE_BITS)
        self._tables = np.zeros((len(_ORDERS), 1 << self._bits), dtype=np.int32)
        self._place = self._length = 0
        # So many steps have been guessed, and rightly so far.
        self._ready = 0
        # The share of guesses that were right, by the length of the match.
        self._right: npt.NDArray[np.float64] = np.arange(_LENGTHS + 1) / np.arange(2, _LENGTHS + 3)

    def guess(self) -> IntArray:
        """The symbols of the next steps, [k] int32; none if the last guess reaches so far."""
        if self._ready:
            self._ready -= 1
            return self._symbols[:0]
        if not self._length:
            return self._symbols[:0]
        end = min(self._place + self._best_number(), self._n)
        self._ready = end - self._place
        return self._symbols[self._place : end]

    def update(self, symbol: int) -> None:
        """The next symbol is known."""
        if self._length:
            hit = int(self._symbols[self._place]) == symbol
            self._right[self._length] += _RATE * (hit - self._right[self._length])
            self._place, self._length = self._place + 1, min(self._length + 1, _LENGTHS)
            if not hit:
                self._ready = self._length = 0
        self._symbols[self._n] = symbol
        self._n += 1
        place, length = _look_up(self._symbols, self._n, self._tables, self._bits)
        if not self._length:
            self._place, self._length = int(place), int(length)

    def _best_number(self) -> int:
        """How many symbols to guess, for the most right ones in a time."""
        best, best_rate = 0, 1 / (1 + _SYMBOL_COST)
        all_right = symbols = 1.0
        for k in range(1, _MOST):
            all_right *= self._right[min(self._length + k - 1, _LENGTHS)]
            symbols += all_right
            rate = symbols / (1 + k * _ROW_COST + symbols * _SYMBOL_COST)
            if rate > best_rate:
                best, best_rate = k, rate
        return best
