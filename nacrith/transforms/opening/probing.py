"""Is there a deflate stream at a place, and where does it end?

Only an encoder asks, and what it believes is verified; so zlib may answer, at its speed.
"""

import zlib
from typing import NamedTuple

MOST_GROWTH = 64
"""A stream of more content for its size is not worth being opened: there is little to save. Zip
bombs are among them."""

ALWAYS_ALLOWED = 1 << 16
"""So much content is opened whatever the growth."""

_FIRST, _STEP = 1 << 9, 1 << 16
"""Bytes given to zlib at first, where most of what is no stream fails, and later."""


class Probed(NamedTuple):
    """A raw deflate stream in some bytes.

    Attributes:
        end: place behind it.
        content: what it holds.
    """

    end: int
    content: bytes


def probe(data: memoryview, begin: int, limit: int) -> Probed | None:
    """Inflate a raw deflate stream that may begin at a place.

    Args:
        limit: most bytes of content.

    Returns:
        None if there is no whole stream, or one of too much content.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    parts = []
    size = 0
    place = begin
    step = _FIRST
    try:
        while not inflater.eof:
            piece = data[place : place + step]
            if not piece:
                return None
            place += len(piece)
            allowed = min(limit, max(ALWAYS_ALLOWED, MOST_GROWTH * (place - begin)))
            part = inflater.decompress(piece, allowed - size + 1)
            size += len(part)
            if size > allowed:
                return None
            parts.append(part)
            step = _STEP
    except zlib.error:
        return None
    return Probed(place - len(inflater.unused_data), b"".join(parts))
