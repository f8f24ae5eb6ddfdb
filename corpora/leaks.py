"""Does a text share a passage with a benchmark file?

What is compared is text without its layout: each run of white space counts as one space, so
that a passage is found whatever its lines are wrapped at.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

RUN = 50
"""Bytes that must be equal for a passage to count as shared."""

BOILERPLATE = {
    "a line of asterisks": rb"^[/* ]+$",
    "an XML namespace": rb"http://www\.w3\.org/2001/XMLSchema-instance",
    "frame of a MediaWiki dump": rb"</contributor>|</siteinfo>|^<mediawiki ",
    "digits of a C switch": rb"case '0': case '1': case '2': case '3':",
    "address of a standard": rb"^http://www\.ecma-international\.org/publications/files/$",
}
"""Regular expressions by name. A shared passage in which one is found is no leak but a form
that thousands of files have."""

# Every run of RUN bytes holds a window that begins at a multiple of _STRIDE.
_WINDOW = 26
_STRIDE = RUN - _WINDOW + 1

_BASE = np.uint64(0x9E3779B97F4A7C15)


class Benchmarks:
    """The texts that must have no part in training."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._text = b"\0".join(_without_layout(text) for text in texts)
        hashes = _window_hashes(self._text)
        order = np.argsort(hashes, kind="stable")
        self._places = order
        self._hashes = hashes[order]

    def shared(self, text: bytes, most: int = 1) -> list[bytes]:
        """Passages of `RUN` bytes or more that this text shares, at most `most`."""
        text = _without_layout(text)
        hashes = _window_hashes(text, _STRIDE)
        if not len(self._hashes):
            return []
        # The hits are few: only for those is the end of the equal hashes looked up too.
        first = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        hits = np.flatnonzero(self._hashes[first] == hashes)
        last = np.searchsorted(self._hashes, hashes[hits], side="right")
        found: list[bytes] = []
        covered = 0
        for i, begin_of_equal, end_of_equal in zip(hits, first[hits], last, strict=True):
            at = int(i) * _STRIDE
            if at < covered:
                continue
            for place in self._places[begin_of_equal:end_of_equal].tolist():
                begin, end = _extent(text, at, self._text, place)
                passage = text[begin:end]
                if len(passage) >= RUN and not _is_boilerplate(passage):
                    found.append(passage)
                    covered = end
                    break
            if len(found) == most:
                break
        return found


def _without_layout(text: bytes) -> bytes:
    """A space for each run of white space, none at the ends."""
    return b" ".join(text.split())


def _is_boilerplate(passage: bytes) -> bool:
    return any(re.search(pattern, passage) for pattern in BOILERPLATE.values())


def _window_hashes(text: bytes, step: int = 1) -> npt.NDArray[np.uint64]:
    """A hash of the `_WINDOW` bytes from each place on, or each `step`-th, uint64."""
    values = np.frombuffer(text, dtype=np.uint8)
    n = max(0, len(values) - _WINDOW + 1)
    hashes = np.zeros(-(-n // step), dtype=np.uint64)
    for i in range(_WINDOW):
        hashes *= _BASE
        hashes += values[i : i + n : step]
    return hashes ^ (hashes >> np.uint64(29))


def _extent(text: bytes, at: int, other: bytes, place: int) -> tuple[int, int]:
    """Where the equal bytes around `text[at]` and `other[place]` begin and end in `text`."""
    begin = _equal(text[max(0, at - 400) : at][::-1], other[max(0, place - 400) : place][::-1])
    end = _equal(text[at : at + 400], other[place : place + 400])
    return at - begin, at + end


def _equal(a: Sequence[int], b: Sequence[int]) -> int:
    n = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        n += 1
    return n
