"""The contexts in which the bits of text are counted.

Orders, words, lines and what followed before ("indirect") are those of the PAQ series (Mahoney
2005 and later). A *shape* is a byte without which letter or digit it is.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.mixing.hashing import combine

ORDERS = (1, 2, 3, 4, 5, 6)
"""Lengths of the plain contexts, which are the first kinds."""

KINDS = 24

FRONT = 8
"""Zeros in front of the data, for the contexts of the first bytes."""

# Fields of `Past.state`. Words are hashes of their letters in lower case; WORD is the one that
# goes on, 0 = none, LENGTH its letters. LINE and LAST_LINE are the places where the line and the
# one before begin, INDENT is the number of blanks and FIRST the byte behind them (0 = none yet).
# SHAPES are the shapes of the last eight bytes, the last one lowest. FIELD counts the separators
# in the line.
(
    WORD, LAST_WORD, WORD_BEFORE, LENGTH, LINE, LAST_LINE, INDENT, FIRST, SHAPES, FIELD,
) = range(10)  # fmt: skip
_STATE = 10

Past = namedtuple("Past", "state after_1 after_2")
Past.__doc__ = """What the contexts need to know of the text beside its last bytes.

state: [_STATE] int64, see the constants. after_1: [2**8] int64, the last two bytes that followed
each byte. after_2: [2**16] int64, those that followed each pair of bytes.
"""

_NEWLINE, _TAB, _SPACE = 10, 9, 32
_CASE_BIT = 32


def new_past() -> Past:
    """Of a text that begins at place `FRONT`."""
    state = np.zeros(_STATE, dtype=np.int64)
    state[LINE] = FRONT
    return Past(state, np.zeros(1 << 8, dtype=np.int64), np.zeros(1 << 16, dtype=np.int64))


@njit(cache=True, counted=False)
def append(data: npt.NDArray[np.uint8], end: int, past: Past) -> None:
    """Take note of the byte before place `end`."""
    state = past.state
    c1, c2, c3 = _byte(data, end - 1), _byte(data, end - 2), _byte(data, end - 3)
    past.after_1[c2] = (past.after_1[c2] << 8 | c1) & 0xFFFF
    past.after_2[c3 << 8 | c2] = (past.after_2[c3 << 8 | c2] << 8 | c1) & 0xFFFF
    letter = c1 | _CASE_BIT
    is_letter = 97 <= letter <= 122 or c1 >= 128
    if is_letter:
        state[WORD] = combine(state[WORD], letter + 1)
        state[LENGTH] += 1
    elif state[WORD] != 0:
        state[WORD_BEFORE] = state[LAST_WORD]
        state[LAST_WORD] = state[WORD]
        state[WORD] = 0
        state[LENGTH] = 0
    shape = c1
    if is_letter:
        shape = np.int64(97) if c1 >= 97 else np.int64(65)
    elif 48 <= c1 <= 57:
        shape = np.int64(48)
    state[SHAPES] = state[SHAPES] << 8 | shape
    if c1 == _NEWLINE:
        state[LAST_LINE] = state[LINE]
        state[LINE] = end
        state[INDENT] = 0
        state[FIRST] = 0
        state[FIELD] = 0
    elif state[FIRST] == 0:
        if c1 in (_SPACE, _TAB):
            state[INDENT] += 1
        else:
            state[FIRST] = c1
    if c1 in (44, 59, 9, 124):
        state[FIELD] += 1


@njit(cache=True, forceinline=True, counted=False)
def _byte(data: npt.NDArray[np.uint8], i: int) -> Any:
    return np.int64(data[i])


@njit(cache=True, counted=False)
def hash_contexts(
    data: npt.NDArray[np.uint8], i: int, past: Past, hashes: npt.NDArray[np.int64]
) -> None:
    """Write the hash of every kind of context of a byte.

    Args:
        data: uint8, known up to place i ≥ FRONT.
        i: int64.
        past: of all bytes before i.
        hashes: [KINDS] int64, written.
    """
    state = past.state
    h = np.int64(0)
    for n in range(len(ORDERS)):
        h = combine(h, _byte(data, i - 1 - n) + 1)
        hashes[n] = h
    c1, c2, c3 = _byte(data, i - 1), _byte(data, i - 2), _byte(data, i - 3)
    word, last, before = state[WORD], state[LAST_WORD], state[WORD_BEFORE]
    column = i - state[LINE]
    place = state[LAST_LINE] + column
    above = _byte(data, place) if place < state[LINE] else np.int64(0)
    indent, first, shapes = state[INDENT], state[FIRST], state[SHAPES]
    after_2 = past.after_2[c2 << 8 | c1]
    hashes[6] = combine(word, c1)
    hashes[7] = combine(combine(word, last), c1)
    hashes[8] = combine(combine(word, before), c1)
    hashes[9] = combine(combine(state[FIELD], word), c1)
    hashes[10] = combine(c2, c3)
    hashes[11] = combine(min(column, 255), c1)
    hashes[12] = combine(past.after_1[c1], c1)
    hashes[13] = combine(combine(shapes & 0xFFFF, min(column, 255)), state[LENGTH])
    hashes[14] = combine(above, c1)
    hashes[15] = combine(combine(above, min(column, 255)), first)
    hashes[16] = combine(combine(indent, first), c1)
    hashes[17] = combine(shapes & 0xFFFFFFFF, c1)
    hashes[18] = combine(shapes, c1)
    hashes[19] = combine(combine(h, _byte(data, i - 7)), _byte(data, i - 8))
    hashes[20] = 0
    hashes[21] = combine(combine(word, first), indent)
    hashes[22] = combine(after_2, past.after_1[c1])
    hashes[23] = combine(last, combine(c1, c2 if word == 0 else np.int64(0)))
    for k in range(KINDS):
        hashes[k] = combine(hashes[k], k)
