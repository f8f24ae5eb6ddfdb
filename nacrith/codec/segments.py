"""Bytes → runs of text, of binary data and of what is compressed already, by estimated cost.

A two-state Viterbi pass: each byte costs something in either kind of segment,
and changing the kind costs `SWITCH`. A stray control byte or a Latin-1 letter
therefore stays in its text (whose vocabulary can spell any byte), and a few
readable characters stay in the binary data around them. Base64 and the like are
text that is cheaper as binary data. Linear, whatever the input.

Of the binary runs, the parts that nothing can compress are cut out.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.codec.kinds import merged
from nacrith.codec.media import Media, find_media
from nacrith.format.frame import Kind, Segment
from nacrith.transforms.charset import utf16_order
from nacrith.transforms.charset_detection import is_convincing

Bytes = npt.NDArray[np.uint8]

OTHER, TEXT, OPAQUE = 0, 1, 2
# Estimated bits per byte of these. Text bytes are valid UTF-8 without most control
# characters, or in a run of text in another charset. Opaque ones are letters and digits in
# words of no language: base64, DNA.
# Binary data costs about what LZMA makes of an executable.
AS_TEXT = np.array([12, 2, 7], dtype=np.int64)
AS_BINARY = np.array([5, 5, 6], dtype=np.int64)
SWITCH = 768
# No word of a language is as long.
OPAQUE_WORD = 40

# Binary data is looked at in pieces of this size. One whose bytes are as evenly
# distributed as random ones can't be compressed, unless some of it occurs again.
PIECE = 1 << 14
RANDOM_ENTROPY = 7.95
# Runs in which one byte in so many is not ASCII or UTF-8 may be in another charset. The least
# run can outweigh two changes of the kind.
_UNEXPLAINED = 20
_LEAST_RUN = 256
_LEAST_TEXT = 16
# Control bytes in text are at least so far from each other.
_CONTROL_GAP = 64

# Binary data of so many bytes takes a few bytes of a text of so many, to hold whole words.
_WORD = 4
_LEAST_BINARY, _LEAST_CUT = 1024, 64

# In random data four bytes never follow again so soon.
MAX_REPEATS = 16


@njit(cache=True)
def _mark_text(data: Bytes, marks: Bytes) -> None:
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
def _find_runs(data: Bytes, marks: Bytes, least: int, runs: npt.NDArray[np.int64]) -> Any:
    """Find runs with few control bytes in which bytes from 80 on are not UTF-8.

    Written: begin and end of each that has `least` bytes; none is longer than `PIECE`.
    Returns their number.
    """
    n = len(data)
    found = 0
    begin = 0
    last_control = -1
    unexplained = 0
    for i in range(n + 1):
        is_control = i < n and marks[i] == 0 and data[i] < 0x80
        is_second = is_control and i - last_control < _CONTROL_GAP
        if i == n or is_second or i - begin == PIECE:
            if i - begin >= least and unexplained * _UNEXPLAINED >= i - begin:
                runs[found, 0] = begin
                runs[found, 1] = i
                found += 1
            begin = i + 1 if is_second else i
            unexplained = 0
        if is_control:
            last_control = i
        elif i < n and marks[i] == 0:
            unexplained += 1
    return found


def _mark_other_charsets(data: bytes, values: Bytes, marks: Bytes) -> None:
    """Mark the runs that are text in another charset than UTF-8."""
    # A short text may be all there is.
    least = min(_LEAST_RUN, max(len(data), _LEAST_TEXT))
    runs = np.empty((len(data) // least + 1, 2), dtype=np.int64)
    for begin, end in runs[: _find_runs(values, marks, least, runs)].tolist():
        if is_convincing(data[begin:end]):
            # Control bytes are dear in any charset.
            marks[begin:end] |= values[begin:end] >= 0x80


@njit(cache=True)
def _is_of_words(b: int) -> Any:
    """Letters, digits, and what base64 and its variants use besides."""
    lower = b | 0x20
    return 0x61 <= lower <= 0x7A or 0x30 <= b <= 0x39 or b in (0x2B, 0x2D, 0x2F, 0x3D, 0x5F)


@njit(cache=True)
def _mark_opaque(data: Bytes, marks: Bytes) -> None:
    """Mark words of at least `OPAQUE_WORD` bytes, each with the byte that ends it."""
    begin = 0
    for i in range(len(data) + 1):
        if i == len(data) or not _is_of_words(data[i]):
            if i - begin >= OPAQUE_WORD:
                marks[begin : i + 1] = OPAQUE
            begin = i + 1


@njit(cache=True)
def _cheapest_path(marks: Bytes, kinds: Bytes) -> None:
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
        binary = into_binary + AS_BINARY[marks[i]]
        text = into_text + AS_TEXT[marks[i]]
        kinds[i] = came
    kind = 1 if text < binary else 0
    for i in range(n - 1, -1, -1):
        came = kinds[i]
        kinds[i] = kind
        if kind == 0 and came & 1:
            kind = 1
        elif kind == 1 and came & 2:
            kind = 0


def find_segments(data: bytes, media: Sequence[Media] | None = None) -> list[Segment]:
    """Cut `data` into segments of the kinds TEXT, MIXED and STORED that add up to it.

    Args:
        media: pictures and sound in it; None = to be found.
    """
    if not data:
        return []
    if utf16_order(data):
        return [Segment(Kind.TEXT, len(data))]
    media = find_media(data) if media is None else media
    return _with_whole_words(_around(data, media, _without_media), data)


def _around(
    data: bytes, media: Sequence[Media], find: Callable[[bytes], list[Segment]]
) -> list[Segment]:
    """Pictures and sounds as MIXED, and the segments that are found between them."""
    segments: list[Segment] = []
    end = 0
    for found in media:
        # Their header, even one in letters, belongs to them.
        segments += find(data[end : found.header])
        segments.append(Segment(Kind.MIXED, found.end - max(found.header, end)))
        end = found.end
    segments += find(data[end:])
    return merged(segments)


def _with_whole_words(segments: list[Segment], data: bytes) -> list[Segment]:
    """Give to binary data what it takes of the text beside it to begin and end at whole words.

    All of it is coded in a row, where its words must stay at multiples of four bytes.
    """
    result = list(segments)
    begin = 0
    for i, (kind, length) in enumerate(segments):
        end = begin + length
        if kind == Kind.TEXT and length >= _LEAST_CUT:
            for neighbor, taken in ((i - 1, -begin % _WORD), (i + 1, end % _WORD)):
                if not 0 <= neighbor < len(segments) or not _is_long_binary(segments[neighbor]):
                    continue
                at = begin if neighbor < i else end - taken
                # Half a character would shift the pairs of bytes behind it.
                if data[at : at + taken].isascii():
                    result[neighbor] = Segment(Kind.MIXED, result[neighbor].length + taken)
                    result[i] = Segment(kind, result[i].length - taken)
        begin = end
    return result


def _is_long_binary(segment: Segment) -> bool:
    return segment.kind == Kind.MIXED and segment.length >= _LEAST_BINARY


def _without_media(data: bytes) -> list[Segment]:
    """The segments of data in which there are no pictures and sounds."""
    if not data:
        return []
    values = np.frombuffer(data, dtype=np.uint8)
    marks = np.zeros(len(data), dtype=np.uint8)
    _mark_text(values, marks)
    _mark_other_charsets(data, values, marks)
    _mark_opaque(values, marks)
    kinds = np.empty(len(data), dtype=np.uint8)
    _cheapest_path(marks, kinds)
    edges = np.flatnonzero(np.diff(kinds)) + 1
    segments = []
    for begin, end in pairwise([0, *edges.tolist(), len(data)]):
        if kinds[begin]:
            segments.append(Segment(Kind.TEXT, end - begin))
        else:
            segments += _without_text(data[begin:end])
    return segments


def binary_segments(data: bytes, media: Sequence[Media] = ()) -> list[Segment]:
    """Cut data that is all taken as binary into MIXED and STORED segments."""
    return _around(data, media, _without_text)


def _without_text(data: bytes) -> list[Segment]:
    """The segments of binary data in which there are no pictures and sounds."""
    pieces = [data[i : i + PIECE] for i in range(0, len(data), PIECE)]
    return merged(
        Segment(Kind.STORED if _is_random(piece) else Kind.MIXED, len(piece)) for piece in pieces
    )


def _is_random(piece: bytes) -> bool:
    """Is this a whole piece of bytes without any regularity?"""
    if len(piece) < PIECE:
        return False
    counts = np.bincount(np.frombuffer(piece, dtype=np.uint8), minlength=256)
    shares = counts[counts > 0] / PIECE
    entropy = -(shares * np.log2(shares)).sum()
    return bool(entropy > RANDOM_ENTROPY) and _repeats(np.frombuffer(piece, dtype=np.uint8)) <= (
        MAX_REPEATS
    )


@njit(cache=True)
def _repeats(piece: Bytes) -> Any:
    """At how many places four bytes stand that were the last of their hash before."""
    words = np.zeros(1 << 14, dtype=np.int64)
    word = np.int64(0)
    count = 0
    for i in range(len(piece)):
        word = (word << 8 | np.int64(piece[i])) & 0xFFFFFFFF
        if i < 3:
            continue
        slot = (word * 0x9E3779B1 & 0xFFFFFFFF) >> 18
        count += words[slot] == word
        words[slot] = word
    return count
