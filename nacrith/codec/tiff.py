"""Where the pixels of a TIFF file lie (TIFF, revision 6.0), if they are not compressed.

A file has pages, each with a directory of tags and its rows in strips, which mostly follow each
other. A page of separate planes has one after the other, each a picture of one colour.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from nacrith.codec.budget import Budget

# Numbers of tags.
_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 256, 257, 258, 259
_OFFSETS, _SAMPLES, _SIZES, _PLANES = 273, 277, 279, 284
_WANTED = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _OFFSETS, _SAMPLES, _SIZES, _PLANES}

_SHORT, _LONG = 3, 4
"""Types of a tag: of two bytes and of four."""

_TYPES = {_SHORT: ("H", 2), _LONG: ("I", 4)}

_MOST_PAGES, _MOST_TAGS, _MOST_STRIPS = 64, 64, 1 << 16
"""Looked at in a file, of a page, and of a tag."""

_MOST_NUMBERS = 16
"""Of a tag that is not about strips."""


class Strips(NamedTuple):
    """Rows that follow each other.

    Attributes:
        begin: place of the first one.
        size: bytes of all.
        stride: of a row.
        bits: of a pixel.
    """

    begin: int
    size: int
    stride: int
    bits: int


def find_strips(data: bytes, at: int, budget: Budget) -> list[Strips]:
    """The rows of all pages of a TIFF file that begins at a place, by their places.

    Runs may reach behind the end of the data, and into each other.

    Args:
        budget: of the tags and numbers that are read; what is beyond it is not found.
    """
    order = "<" if data[at : at + 2] == b"II" else ">"
    pages = islice(_pages(data, at, order, budget), _MOST_PAGES)
    found = [run for tags in pages for run in _runs(tags)]
    return sorted(run._replace(begin=at + run.begin) for run in found)


def _pages(
    data: bytes, at: int, order: str, budget: Budget
) -> Iterator[dict[int, tuple[int, ...]]]:
    """The tags of each page, as far as the data and the budget go, with their numbers."""
    place = at + 4
    seen = set()
    try:
        while (offset := _unpack(order + "I", data, place)[0]) and offset not in seen:
            seen.add(offset)
            directory = at + offset
            (n,) = _unpack(order + "H", data, directory)
            tags = min(n, _MOST_TAGS)
            if not budget.take(1 + tags):
                return
            places = (directory + 2 + 12 * i for i in range(tags))
            yield dict(_tag(data, at, order, place, budget) for place in places)
            place = directory + 2 + 12 * n
    except struct.error:
        return


def _tag(
    data: bytes, at: int, order: str, place: int, budget: Budget
) -> tuple[int, tuple[int, ...]]:
    """A tag and its numbers; without them if they are not wanted, or too many."""
    tag, kind, n = _unpack(order + "HHI", data, place)
    if tag not in _WANTED or kind not in _TYPES or n > _MOST_STRIPS:
        return tag, ()
    code, size = _TYPES[kind]
    values = place + 8
    if n * size > 4:
        values = at + _unpack(order + "I", data, values)[0]
    if tag not in (_OFFSETS, _SIZES):
        n = min(n, _MOST_NUMBERS)
    return tag, _unpack(f"{order}{n}{code}", data, values) if budget.take(n) else ()


def _unpack(form: str, data: bytes, place: int) -> tuple[int, ...]:
    return struct.unpack_from(form, data, place)


def _runs(tags: dict[int, tuple[int, ...]]) -> Iterator[Strips]:
    """The strips of a page; those that follow each other are one."""
    width, offsets = tags.get(_WIDTH), tags.get(_OFFSETS)
    if tags.get(_COMPRESSION, (1,)) != (1,) or not width or not offsets:
        return
    samples = (tags.get(_SAMPLES) or (1,))[0]
    planes = tags.get(_PLANES) == (2,)
    bits = (tags.get(_BITS) or (1,))[0] * (1 if planes else samples)
    stride = (width[0] * bits + 7) // 8
    # Where only one strip is there, some programs do not say how long it is.
    sizes = tags.get(_SIZES) or (stride * (tags.get(_HEIGHT) or (0,))[0],)
    begin, size = offsets[0], 0
    for offset, n in zip(offsets, sizes, strict=False):
        if offset != begin + size:
            yield Strips(begin, size, stride, bits)
            begin, size = offset, 0
        size += n
    yield Strips(begin, size, stride, bits)
