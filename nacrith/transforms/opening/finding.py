"""Where deflate streams are: in gzip files, zip archives, PNG pictures, PDF documents, anywhere.

A stream is believed only with its checksum. Places are looked for by signatures, so that data
without any costs next to nothing.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nacrith.transforms.opening.probing import Probed, probe
from nacrith.transforms.opening.trailer import Trailer, trailer_bytes

LEAST_STREAM = 24
"""Bytes; opening a shorter stream saves nothing."""

_DEFLATE = 8
"""The number of the method in gzip and zip."""


@dataclass(frozen=True)
class Found:
    """A deflate stream with the checksum behind it.

    Attributes:
        pieces: places (begin, end) of its bytes, ascending.
        content: what it holds.
        trailer: which checksum its last bytes are.
        window: log2 of its largest distance, as far as is known.
    """

    pieces: tuple[tuple[int, int], ...]
    content: bytes
    trailer: Trailer = Trailer.NOTHING
    window: int = zlib.MAX_WBITS

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.pieces[-1][1]

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(end - begin for begin, end in self.pieces)


def find_streams(data: bytes, begin: int, limit: int) -> Iterator[Found]:
    """Yield the streams that begin at a place or behind it, in their order.

    Args:
        limit: most bytes of content of one stream.
    """
    view = memoryview(data)
    # The next place of each signature; one that was not found is not looked for again.
    places = {sign: data.find(sign, begin) for sign in _READERS}
    while True:
        places = {sign: place for sign, place in places.items() if place >= 0}
        if not places:
            return
        sign = min(places, key=places.__getitem__)
        place = places[sign]
        found = _READERS[sign](view, place, place + len(sign), limit)
        following = place + 1
        if found and found.size >= LEAST_STREAM:
            yield found
            following = found.end
        for other, known in places.items():
            if known < following:
                places[other] = data.find(other, following)


def may_hold_streams(data: bytes, limit: int) -> bool:
    """Is there any stream that could be opened?"""
    return next(find_streams(data, 0, limit), None) is not None


def _gzip(data: memoryview, begin: int, end: int, limit: int) -> Found | None:
    """A member of a gzip file (RFC 1952)."""
    if begin + 10 > len(data):
        return None
    flags = data[begin + 3]
    if flags > 31:
        return None
    place = begin + 10
    if flags & 4:
        place += 2 + int.from_bytes(data[place : place + 2], "little")
    for flag in (8, 16):
        if flags & flag:
            # A name or a comment, up to a zero.
            zero = bytes(data[place : place + _MOST_NAME]).find(0)
            if zero < 0:
                return None
            place += zero + 1
    if flags & 2:
        place += 2
    probed = probe(data, place, limit)
    return probed and _checked(data, place, probed, Trailer.GZIP)


_MOST_NAME = 1 << 12


def _zip(data: memoryview, begin: int, end: int, limit: int) -> Found | None:
    """A member of a zip archive, by its local header (APPNOTE.TXT, 4.3.7)."""
    if begin + 30 > len(data):
        return None
    flags, method, _, _, crc, size, _, n_name, n_extra = struct.unpack_from(
        "<HHHHIIIHH", data, begin + 6
    )
    if method != _DEFLATE or flags & 1:
        return None
    place = begin + 30 + n_name + n_extra
    probed = probe(data, place, limit)
    if not probed:
        return None
    crcs = {crc}
    if flags & 8:
        # It stands in the descriptor behind the stream, with or without a signature.
        crcs = {
            int.from_bytes(data[probed.end + skip : probed.end + skip + 4], "little")
            for skip in (0, 4)
        }
    elif size not in (probed.end - place, 0xFFFFFFFF):
        return None
    if zlib.crc32(probed.content) not in crcs:
        return None
    return Found(((place, probed.end),), probed.content)


def _zlib(data: memoryview, begin: int, end: int, limit: int) -> Found | None:
    """A stream in zlib's format (RFC 1950)."""
    if not _is_zlib_header(data[begin : begin + 2]):
        return None
    probed = probe(data, begin + 2, limit)
    if not probed:
        return None
    return _checked(data, begin + 2, probed, Trailer.ADLER, _window(data[begin]))


def _pdf(data: memoryview, begin: int, end: int, limit: int) -> Found | None:
    """The data of an object in a PDF, if it is zlib's format (FlateDecode)."""
    return _zlib(data, end, end, limit)


def _png(data: memoryview, begin: int, end: int, limit: int) -> Found | None:
    """The data of a PNG picture: one stream in several chunks (PNG specification, 11.2.4)."""
    chunks = []
    place = begin - 4
    while place >= 0 and bytes(data[place + 4 : place + 8]) == b"IDAT":
        size = int.from_bytes(data[place : place + 4], "big")
        if place + 8 + size > len(data):
            break
        chunks.append((place + 8, place + 8 + size))
        place += size + 12
    if not chunks:
        return None
    stream = memoryview(b"".join(data[begin:end] for begin, end in chunks))
    if not _is_zlib_header(stream[:2]):
        return None
    probed = probe(stream, 2, limit)
    found = probed and _checked(stream, 2, probed, Trailer.ADLER, _window(stream[0]))
    if not found:
        return None
    # From places in the stream to places in the data.
    pieces = []
    begin, end = found.pieces[0]
    offset = 0
    for chunk_begin, chunk_end in chunks:
        first = max(begin - offset, 0)
        last = min(end - offset, chunk_end - chunk_begin)
        if first < last:
            pieces.append((chunk_begin + first, chunk_begin + last))
        offset += chunk_end - chunk_begin
    return Found(tuple(pieces), found.content, found.trailer, found.window)


def _is_zlib_header(header: memoryview) -> bool:
    """Deflate with any window, no dictionary, and the check that makes it a multiple of 31."""
    if len(header) < 2 or header[0] & 15 != _DEFLATE or header[0] >> 4 > 7 or header[1] & 32:
        return False
    return (header[0] << 8 | header[1]) % 31 == 0


def _window(first: int) -> int:
    """log2 of the window that zlib's header names."""
    return (first >> 4) + 8


def _checked(
    data: memoryview,
    begin: int,
    probed: Probed,
    trailer: Trailer,
    window: int = zlib.MAX_WBITS,
) -> Found | None:
    """A stream, if its checksum is right."""
    expected = trailer_bytes(trailer, probed.content)
    end = probed.end + len(expected)
    if data[probed.end : end] != expected:
        return None
    return Found(((begin, end),), probed.content, trailer, window)


_READERS: dict[bytes, Callable[[memoryview, int, int, int], Found | None]] = {
    b"\x1f\x8b\x08": _gzip,
    b"PK\x03\x04": _zip,
    b"IDAT": _png,
    # The usual window, and each of the four levels that zlib's format has a number for.
    b"x\x01": _zlib,
    b"x\x5e": _zlib,
    b"x\x9c": _zlib,
    b"x\xda": _zlib,
    b"stream\n": _pdf,
    b"stream\r\n": _pdf,
}
"""By the signature in front of a stream."""
