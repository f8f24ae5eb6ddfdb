"""Which indentation the next line of a paragraph has, from the lines before.

A paragraph is what stands between blank lines. Its lines after the first are expected
to be indented as the last such line of a paragraph that began alike was: with the same
indentation, and both with a letter or a digit or both with another character (items of
lists). Before there was one, as the first line is.

`state` is [2] int64, `table` [KEYS, 2] int64: places and lengths in the text.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit

MAX_INDENTATION = 63
"""Longer ones are never expected."""

KEYS = 2 * (MAX_INDENTATION + 1)
_KEY, _INSIDE = range(2)
_SPACE, _TAB = 32, 9


def no_lines() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """State, [2] int64, and table, [KEYS, 2] int64, before the first line."""
    return np.zeros(2, dtype=np.int64), np.full((KEYS, 2), -1, dtype=np.int64)


@njit(cache=True)
def is_blank(byte: int) -> Any:
    return byte == _SPACE or 9 <= byte <= 13


@njit(cache=True)
def begin_line(
    state: npt.NDArray[np.int64],
    table: npt.NDArray[np.int64],
    text: npt.NDArray[np.uint8],
    begin: int,
) -> Any:
    """Read the line that begins at `begin`; return where its indentation ends."""
    end = begin
    while end < len(text) and (text[end] == _SPACE or text[end] == _TAB):
        end += 1
    if end == len(text) or is_blank(text[end]):
        state[_INSIDE] = 0
        return end
    length = min(end - begin, MAX_INDENTATION)
    if state[_INSIDE]:
        key = state[_KEY]
    else:
        first = text[end]
        letter = first >= 128 or 48 <= first <= 57 or 65 <= (first & 0xDF) <= 90
        key = 2 * length + letter
        state[_INSIDE] = 1
        state[_KEY] = key
        if table[key, 1] >= 0:
            return end
    table[key, 0] = begin
    table[key, 1] = length
    return end


@njit(cache=True)
def expected(state: npt.NDArray[np.int64], table: npt.NDArray[np.int64]) -> Any:
    """Place and length of the indentation that a next line of this paragraph is to have."""
    key = state[_KEY]
    return table[key, 0], table[key, 1]


@njit(cache=True)
def is_inside(state: npt.NDArray[np.int64]) -> Any:
    """Is the last line that was begun not blank?"""
    return state[_INSIDE] != 0
