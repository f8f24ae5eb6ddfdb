"""Bit histories of one byte: a small automaton in place of counts (Mahoney 2005, PAQ6).

A *state* stands for the zeros and ones that a decision in some context has had, (n0, n1), and
in some cases for the last of them. As in `context_lines` a bit takes away from a larger count of
its opposite, so that the recent past weighs more; but the counts are bounded, the more so the
smaller the other one is, until 255 states are enough. States are numbered by the sum of their
counts: a smaller number has seen less.
"""

import numpy as np
import numpy.typing as npt

from predictors.mixing import rate_map

_LIMITS = (44, 30, 14, 8, 6, 5)
"""The larger count is at most _LIMITS[the smaller one], and the smaller one is in this list."""

_OPPOSITE_LIMIT = 8
"""A bit leaves at most so much of the count of its opposite."""


def _is_kept(n0: int, n1: int) -> bool:
    return min(n0, n1) < len(_LIMITS) and max(n0, n1) <= _LIMITS[min(n0, n1)]


def _after(n: int, opposite: int) -> tuple[int, int]:
    """The count of the bit that came and of its opposite, afterwards."""
    n += 1
    if opposite > 2:
        opposite = min(opposite // 2 + 1, _OPPOSITE_LIMIT)
    while not _is_kept(n, opposite):
        if n > opposite:
            n -= 1
        else:
            opposite -= 1
    return n, opposite


def _automaton() -> tuple[list[tuple[int, int, int]], list[list[int]]]:
    """All (n0, n1, last bit) that can be reached, and the number of the next for either bit."""
    found = {(0, 0, 0)}
    todo = [(0, 0, 0)]
    follows = {}
    while todo:
        n0, n1, _ = state = todo.pop()
        zeros, left_of_ones = _after(n0, n1)
        ones, left_of_zeros = _after(n1, n0)
        follows[state] = [(zeros, left_of_ones, 0), (left_of_zeros, ones, 1)]
        for new in follows[state]:
            if new not in found:
                found.add(new)
                todo.append(new)
    states = sorted(found, key=lambda s: (s[0] + s[1], s))
    numbers = {state: i for i, state in enumerate(states)}
    return states, [[numbers[new] for new in follows[state]] for state in states]


_STATES, _FOLLOWS = _automaton()

NEXT = np.array(_FOLLOWS, dtype=np.uint8)
"""[states, 2] uint8: the state after a zero or a one. State 0 has seen nothing."""

COUNTS = np.array([state[:2] for state in _STATES], dtype=np.int64)
"""[states, 2] int64: how many zeros and ones each state stands for."""

ROOM = 1 << 8
"""Entries of a state map for each kind of context: one for each state."""


def new_state_map(kinds: int) -> npt.NDArray[np.uint32]:
    """[kinds * ROOM] entries of a `rate_map`: how often a one followed each state.

    At first by the counts that a state stands for: (n1 + 0.4) / (n0 + n1 + 0.8).
    """
    n0, n1 = COUNTS.T
    p = np.zeros(ROOM, dtype=np.int64)
    p[: len(COUNTS)] = rate_map.ONE * (10 * n1 + 4) // (10 * (n0 + n1) + 8)
    return np.tile(rate_map.new_entries(p), kinds)
