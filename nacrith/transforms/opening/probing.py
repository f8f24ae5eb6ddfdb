"""Is there a deflate stream at a place, and where does it end?

Only an encoder asks, and what it believes is verified; so zlib may answer, at its speed.
"""

import zlib
from typing import NamedTuple

MOST_GROWTH = 128
"""A stream of more content for its size is not worth being opened: there is little to save. Zip
bombs are among them; charts as PNG pictures grow by 70."""

ALWAYS_ALLOWED = 1 << 16
"""So much content is opened whatever the growth."""

_ON_THE_WAY = 1 << 22
"""So much content is looked at whatever the growth: much of a picture's begin may be one colour."""

_FIRST, _STEP = 1 << 9, 1 << 16
"""Bytes given to zlib at first, where most of what is no stream fails, and later."""


_PROBED_TIMES = 8
"""All probing together inflates at most so many times the bytes of a block."""

_CONTENT_PER_BYTE = 16
"""So much content takes as long as a byte of a stream."""


class Allowance:
    """How much may be opened and probed.

    Attributes:
        content: most bytes of content of one stream.
        left: bytes that may still be inflated. Streams that overlap, as some zip bombs have, would
            take for ever.
    """

    def __init__(self, size: int, content: int) -> None:
        """`size`: bytes of the block."""
        self.content = content
        self.left = _PROBED_TIMES * size + (1 << 20)


class Probed(NamedTuple):
    """A raw deflate stream in some bytes.

    Attributes:
        end: place behind it.
        content: what it holds.
    """

    end: int
    content: bytes


class Probe:
    """Inflates a raw deflate stream as its bytes come.

    Attributes:
        ended: has the end been seen?
        failed: this is no stream, or one of too much content.
        size: bytes of content so far.
        used: bytes of the stream so far.
    """

    def __init__(self, limit: int) -> None:
        """`limit`: most bytes of content."""
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._limit = limit
        self.ended = self.failed = False
        self.size = self.used = 0

    def feed(self, data: bytes | memoryview) -> bytes:
        """Give the next bytes; return the content that they make."""
        used = self.used + len(data)
        allowed = min(self._limit, max(_ON_THE_WAY, MOST_GROWTH * used))
        try:
            content = self._inflater.decompress(data, allowed - self.size + 1)
        except zlib.error:
            self.failed = True
            return b""
        self.size += len(content)
        self.ended = self._inflater.eof
        self.used += len(data) - len(self._inflater.unused_data)
        if self.ended:
            allowed = min(self._limit, max(ALWAYS_ALLOWED, MOST_GROWTH * self.used))
        self.failed = self.size > allowed
        return content


def probe(data: memoryview, begin: int, allowance: Allowance) -> Probed | None:
    """Inflate a raw deflate stream that may begin at a place.

    Returns:
        None if there is no whole stream, or one of too much content.
    """
    found = Probe(allowance.content)
    parts = []
    step = _FIRST
    while not found.ended:
        piece = data[begin + found.used : begin + found.used + step]
        if not piece:
            return None
        content = found.feed(piece)
        parts.append(content)
        allowance.left -= len(piece) + len(content) // _CONTENT_PER_BYTE
        if found.failed or allowance.left < 0:
            return None
        step = _STEP
    return Probed(begin + found.used, b"".join(parts))


def cut_off(data: memoryview, begin: int, allowance: Allowance) -> Probe | None:
    """What has been seen of a stream that begins at a place and goes on behind the end."""
    found = Probe(allowance.content)
    step = _FIRST
    while begin + found.used < len(data):
        size = len(found.feed(data[begin + found.used : begin + found.used + step]))
        allowance.left -= step + size // _CONTENT_PER_BYTE
        if found.failed or found.ended or allowance.left < 0:
            return None
        step = _STEP
    return found
