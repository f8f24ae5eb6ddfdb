"""Offsets of names in a table of strings: what the next field of a symbol table will say.

Symbol tables (ELF's, a.out's, the stabs of debuggers) name a symbol by the offset of a string that
ends with a zero, and mostly the names are stored in the order of the symbols. So the difference of
two offsets is the length of a string. Where the strings are known before the tables, the offset
that follows is known too, once it has been found out where in the strings a table begins: there
the lengths of two strings in a row agree with two differences.

Fields are words of four bytes in either order of bytes, at the same place of records of several
lengths: these are the *readings*.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from predictors.binary.record_length import MAX_FOUND
from predictors.mixing import match_model
from predictors.mixing.hashing import bucket

Bytes = npt.NDArray[np.uint8]

MAX_HITS = 15
"""More in a row are not told apart."""

_SYMBOLS = (16, 24)
"""Bytes of a symbol in ELF files of 32 and of 64 bits, whose tables are often too short to find
their record length."""

READINGS = 8
"""Those of the data, those near, and these, each in both orders."""

_MOST_TEXT = 1 << 22
"""Bytes of strings that are looked at; four times as many of memory."""

_PAIRS = 1 << 14
_COLUMNS = MAX_FOUND

# What is kept of a column of a reading: the last two offsets, which differ, and the highest one;
# where in the strings offset 0 is; how many offsets in a row were the one behind the last, and
# behind the highest.
_LAST, _SECOND, _TOP, _BASE, _AFTER_LAST, _AFTER_TOP = range(6)

# What is expected of a byte: it, or -1; and the hits of the reading that says so.
BYTE, HITS = range(2)

Strings = namedtuple("Strings", "lengths pairs columns expected")
Strings.__doc__ = """Known strings and the tables that point to them.

lengths: [n + 1] int32, where a string begins its length with the zero, else 0. pairs: [_PAIRS]
int64, by the lengths of two strings in a row the place behind them, 0 = none. columns: [READINGS,
_COLUMNS, 6] int64. expected: [2] int64.
"""


def new_strings(text: Bytes) -> Strings:
    """Of [n] uint8, strings of which most end with a zero; n may be 0."""
    text = text[:_MOST_TEXT]
    lengths = np.zeros(len(text) + 1, dtype=np.int32)
    pairs = np.zeros(_PAIRS, dtype=np.int64)
    _find_strings(text, lengths, pairs)
    return Strings(
        lengths=lengths,
        pairs=pairs,
        columns=np.zeros((READINGS, _COLUMNS, 6), dtype=np.int64),
        expected=np.array([-1, 0], dtype=np.int64),
    )


@njit(cache=True)
def _find_strings(
    text: Bytes, lengths: npt.NDArray[np.int32], pairs: npt.NDArray[np.int64]
) -> None:
    begin = np.int64(0)
    before = np.int64(0)
    for i in range(len(text)):
        if text[i]:
            continue
        length = np.int64(i + 1 - begin)
        lengths[begin] = length
        begin = np.int64(i + 1)
        at = bucket(before, length, _PAIRS)
        if pairs[at] == 0:
            pairs[at] = begin
        before = length


@inlined
def _word(data: Bytes, i: int, n: int, reading: int) -> Any:
    """n ≤ 4 bytes from place i on as a number; in odd readings the first byte is the lowest."""
    word = np.int64(0)
    for j in range(n):
        byte = np.int64(data[i + j])
        word = word | byte << (8 * j) if reading & 1 else word << 8 | byte
    return word


@inlined
def _length_at(s: Strings, place: int) -> Any:
    """Of the string that begins at a place, 0 if none does."""
    if 0 <= place < len(s.lengths):
        return np.int64(s.lengths[place])
    return np.int64(0)


@inlined
def _width(reading: int, record: int, near: int) -> Any:
    """The length of the records of a reading; that near, if that of the data is too long."""
    if reading < 2 and record <= MAX_FOUND:
        return np.int64(record)
    if reading < 4:
        return np.int64(near)
    return np.int64(_SYMBOLS[0] if reading < 6 else _SYMBOLS[1])


@inlined
def follow(s: Strings, data: Bytes, end: int, record: int, near: int) -> None:
    """Take note of the word that ends before place `end`.

    record, near: the record lengths of the data, and near that place.
    """
    if len(s.lengths) == 1:
        return
    for reading in range(READINGS):
        c = s.columns[reading, (end - 4) % _width(reading, record, near)]
        word = _word(data, end - 4, 4, reading)
        last = c[_LAST]
        if word == 0 or word == last:
            continue
        top = c[_TOP]
        length = _length_at(s, c[_BASE] + last)
        top_length = _length_at(s, c[_BASE] + top)
        follows = length > 0 and word == last + length
        c[_AFTER_LAST] = min(c[_AFTER_LAST] + 1, MAX_HITS) if follows else 0
        if top_length > 0 and word == top + top_length:
            c[_AFTER_TOP] = min(c[_AFTER_TOP] + 1, MAX_HITS)
            c[_TOP] = word
        elif (
            word < top
            and c[_AFTER_TOP] > 0
            and _length_at(s, c[_BASE] + word) == 0
            and _length_at(s, c[_BASE] + top + top_length + word) > 0
        ):
            # The strings of the next file follow those of the last one.
            c[_BASE] += top + top_length
            c[_TOP] = word
        elif word > top or c[_AFTER_TOP] == 0:
            c[_AFTER_TOP] = 0
            c[_TOP] = word
            if c[_SECOND] < last < word and not follows:
                found = s.pairs[bucket(last - c[_SECOND], word - last, _PAIRS)]
                if found > 0:
                    c[_BASE] = found - word
                    c[_AFTER_TOP] = 1
        elif _length_at(s, c[_BASE] + word) == 0:
            c[_AFTER_TOP] = c[_AFTER_TOP] >> 1
        c[_SECOND] = last
        c[_LAST] = word


@inlined
def expect(s: Strings, data: Bytes, i: int, record: int, near: int) -> None:
    """Write what is expected of the byte at place i."""
    s.expected[BYTE] = -1
    s.expected[HITS] = 0
    if len(s.lengths) == 1:
        return
    known = i & 3
    for reading in range(READINGS):
        c = s.columns[reading, (i - known) % _width(reading, record, near)]
        hits = max(c[_AFTER_LAST], c[_AFTER_TOP])
        if hits <= s.expected[HITS]:
            continue
        last = c[_LAST] if c[_AFTER_LAST] >= c[_AFTER_TOP] else c[_TOP]
        word = last + _length_at(s, c[_BASE] + last)
        if word == last:
            continue
        part = _word(data, i - known, known, reading)
        if reading & 1:
            agrees = part == word & ((1 << 8 * known) - 1)
            byte = word >> (8 * known) & 255
        else:
            agrees = part == word >> (32 - 8 * known)
            byte = word >> (24 - 8 * known) & 255
        if agrees:
            s.expected[BYTE] = byte
            s.expected[HITS] = hits


@inlined
def expected_bit(s: Strings, partial: int) -> Any:
    """(hits, the bit that `expect` speaks for, given the known ones); (0, -1) without one."""
    if s.expected[HITS] == 0:
        return np.int64(0), np.int64(-1)
    bit = match_model.expected_bit(s.expected[BYTE], partial)
    return (s.expected[HITS] if bit >= 0 else np.int64(0)), bit
