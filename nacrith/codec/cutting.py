"""Where a text is cut into streams: a choice of the encoder.

They are about equally long, and begin where the text itself begins anew.
"""

import re

import numpy as np

from predictors.language_models.vocabulary import Vocabulary

HEAD = 128
"""Symbols of the first stream that all others read first."""

# Streams are equally long but for this part of their length.
_REACH = 16

# Where a text begins anew, best first: a document of a dump, a mailbox or a notebook, or a
# page; a heading; a paragraph; a line.
_PLACES = [
    re.compile(rb"\f|^ *(?=<page>)|^From \S+@|^<\?xml|^<!DOCTYPE|^diff --git ", re.MULTILINE),
    re.compile(rb"\n\n+(?=#+ |[A-Z0-9][^\n]{0,60}\n\n|\S+ *\{)|^(?=<h[1-6]|=+ *\w)", re.MULTILINE),
    re.compile(rb"\n[ \t]*\n+"),
    re.compile(rb"\n"),
]


def cuts(text: bytes, streams: int, vocabulary: Vocabulary) -> list[int]:
    """Where to cut a text in UTF-8 into so many streams of about as many symbols each.

    Returns:
        Ascending places; fewer than `streams` - 1 if the text is too short.
    """
    ends = np.cumsum(vocabulary.lengths[vocabulary.encode(text)])
    n = len(ends)
    streams = min(streams, n)
    # The head comes on top of the first stream.
    head = HEAD if n > 2 * HEAD * streams else 0
    found: list[int] = []
    for i in range(1, streams):
        middle = head + (n - head) * i // streams
        reach = (n - head) // streams // _REACH
        low, high = int(ends[middle - reach - 1]), int(ends[middle + reach - 1])
        place = _best(text, low, int(ends[middle - 1]), high)
        if (found[-1] if found else 0) < place < len(text):
            found.append(place)
    return found


def _best(text: bytes, low: int, middle: int, high: int) -> int:
    """The best place to cut from `low` to `high`, the nearest to the middle of those alike."""
    for pattern in _PLACES:
        places = [_place(m) for m in pattern.finditer(text, low, high)]
        if places:
            return min(places, key=lambda place: abs(place - middle))
    # The start of a character, if it is UTF-8.
    return next((i for i in range(middle, middle - 4, -1) if text[i] & 0xC0 != 0x80), middle)


def _place(match: re.Match[bytes]) -> int:
    """Behind the blank lines, or in front of what a document begins with."""
    return match.end() if match.group().startswith(b"\n") else match.start()
