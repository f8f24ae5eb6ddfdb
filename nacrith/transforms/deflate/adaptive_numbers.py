"""Bits and numbers with probabilities that adapt, for what is seldom and mostly the same."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from coder.range_coder import Coder, code_bit
from predictors.mixing.rate_map import BITS, ONE, learn, new_entries, probability

Table = npt.NDArray[np.uint32]

_LIMIT = 1023
"""Times that a probability has been seen before it stops to slow down: most never change."""

MOST_BITS = 32
"""A number has at most so many binary digits."""

NUMBER = 5 * (MOST_BITS + 1)
"""Contexts of a number: of how many digits it has, and for each of these four of its digits."""

NUMBER_CODE_BITS = 2 * MOST_BITS
"""A number takes at most so many coded bits."""


def new_table(n: int) -> Table:
    """[n] uint32 entries of a `rate_map`: contexts of which nothing is known."""
    return new_entries(np.full(n, ONE >> 1))


@njit(cache=True, counted=False)
def code_flag(coder: Any, table: Table, context: int, flag: int) -> Any:
    """Code a bit, given when encoding; return it. `coder`: state and buffer of a coder."""
    p = min(max(probability(table[context]), np.int64(1)), np.int64(ONE - 1))
    flag = code_bit(coder[0], coder[1], p, BITS, np.int64(flag))
    learn(table, context, flag, _LIMIT)
    return flag


@njit(cache=True, counted=False)
def code_number(coder: Any, table: Table, context: int, number: int) -> Any:
    """Code a number from 0 to 2**32 - 2 in the `NUMBER` contexts from `context` on; return it.

    As Elias' gamma code: the digits of number + 1, as many as there are in unary first.
    """
    value = np.int64(number) + 1
    n = np.int64(0)
    while n < MOST_BITS - 1 and code_flag(coder, table, context + n, value >> (n + 1) > 0):
        n += 1
    found = np.int64(1)
    for i in range(n):
        place = context + MOST_BITS + 4 * n + min(i, 3)
        found = found << 1 | code_flag(coder, table, place, value >> (n - 1 - i) & 1)
    return found - 1


@njit(cache=True, counted=False)
def code_choice(coder: Any, table: Table, context: int, bits: int, choice: int) -> Any:
    """Code a number below 2**bits in as many contexts from `context` on; return it."""
    found = np.int64(1)
    for i in range(bits):
        bit = np.int64(choice) >> (bits - 1 - i) & 1
        found = found << 1 | code_flag(coder, table, context + found, bit)
    return found - (np.int64(1) << bits)


class Numbers:
    """Codes flags and numbers by the name of what they say, each name with contexts of its own."""

    def __init__(self, coder: Coder) -> None:
        self._coder = coder
        self._tables: dict[str, Table] = {}

    def number(self, name: str, number: int = 0) -> int:
        """Code a number from 0 to 2**32 - 2, given when encoding; return it."""
        table = self._table(name)
        return int(code_number(self._coder.kernel_state(NUMBER_CODE_BITS), table, 0, number))

    def flag(self, name: str, flag: bool = False) -> bool:
        """Code a flag, given when encoding; return it."""
        table = self._table(name)
        return bool(code_flag(self._coder.kernel_state(1), table, 0, int(flag)))

    def _table(self, name: str) -> Table:
        if name not in self._tables:
            self._tables[name] = new_table(NUMBER)
        return self._tables[name]
