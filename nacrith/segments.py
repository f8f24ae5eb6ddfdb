"""Bytes → runs of text and of binary data, by estimated cost.

A two-state Viterbi pass: each byte costs something in either kind of segment,
and changing the kind costs `SWITCH`. A stray control byte or a Latin-1 letter
therefore stays in its text (whose vocabulary can spell any byte), and a few
readable characters stay in the binary data around them. Linear, whatever the
input.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit

# Estimated bits per byte. Text bytes are valid UTF-8 without most control
# characters. Binary data costs about what LZMA makes of an executable.
TEXT_AS_TEXT = 2
OTHER_AS_TEXT = 12
AS_BINARY = 5
SWITCH = 768


class Segment(NamedTuple):
    """A run of bytes of one kind."""

    is_text: bool
    length: int


@njit(cache=True)
def _mark_text(data, marks):
    """marks[i] = 1 where data[i] is part of valid UTF-8 and no control character."""
    n = len(data)
    i = 0
    while i < n:
        b = data[i]
        length = 0
        low, high = 0x80, 0xBF
        if b < 0x80:
            if (b >= 0x20 and b != 0x7F) or (9 <= b <= 13 and b != 11) or b == 0x1B:
                marks[i] = 1
            i += 1
            continue
        if 0xC2 <= b <= 0xDF:
            length = 1
        elif 0xE0 <= b <= 0xEF:
            length = 2
            if b == 0xE0:
                low = 0xA0  # no overlong forms
            elif b == 0xED:
                high = 0x9F  # no surrogates
        elif 0xF0 <= b <= 0xF4:
            length = 3
            if b == 0xF0:
                low = 0x90
            elif b == 0xF4:
                high = 0x8F
        valid = length > 0 and i + length < n and low <= data[i + 1] <= high
        for k in range(2, length + 1):
            valid = valid and data[i + k] & 0xC0 == 0x80
        if valid:
            for k in range(length + 1):
                marks[i + k] = 1
            i += length + 1
        else:
            i += 1


@njit(cache=True)
def _cheapest_path(marks, kinds):
    """Overwrite `kinds` with the kind of each byte (1 = text) on the cheapest path."""
    n = len(marks)
    text = np.int64(0)
    binary = np.int64(0)
    # Bit 0: the best way into "binary" came from text; bit 1: into text from binary.
    for i in range(n):
        came = 0
        if i > 0:
            if text + SWITCH < binary:
                came |= 1
            if binary + SWITCH < text:
                came |= 2
        into_binary = text + SWITCH if came & 1 else binary
        into_text = binary + SWITCH if came & 2 else text
        binary = into_binary + AS_BINARY
        text = into_text + (TEXT_AS_TEXT if marks[i] else OTHER_AS_TEXT)
        kinds[i] = came
    kind = 1 if text < binary else 0
    for i in range(n - 1, -1, -1):
        came = kinds[i]
        kinds[i] = kind
        if kind == 0 and came & 1:
            kind = 1
        elif kind == 1 and came & 2:
            kind = 0


def find_segments(data: bytes) -> list[Segment]:
    """Cut `data` into segments of alternating kind that add up to its length."""
    if not data:
        return []
    marks = np.zeros(len(data), dtype=np.uint8)
    _mark_text(np.frombuffer(data, dtype=np.uint8), marks)
    kinds = np.empty(len(data), dtype=np.uint8)
    _cheapest_path(marks, kinds)
    edges = np.flatnonzero(np.diff(kinds)) + 1
    bounds = [0, *edges.tolist(), len(data)]
    return [Segment(bool(kinds[begin]), end - begin) for begin, end in pairwise(bounds)]
