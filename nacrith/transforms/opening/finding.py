"""Where deflate streams are: in gzip files, zip archives, PNG pictures, PDF documents, anywhere.

And JPEG pictures. A stream is believed only with its checksum. Places are looked
for by signatures, so that data without any costs next to nothing.
"""

import struct
import zlib
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Protocol

from nacrith.transforms.jpeg.extent import Extent, end_of, extent_of
from nacrith.transforms.opening.forms import Form, checksum
from nacrith.transforms.opening.limits import EVERYTHING, Inside, Rows
from nacrith.transforms.opening.probing import Allowance, Probe, Probed, cut_off, probe

LEAST_STREAM = 24
"""Bytes; opening a shorter stream saves nothing."""

_DEFLATE = 8
"""The number of the method in gzip and zip."""


@dataclass(frozen=True)
class Found:
    """A deflate stream with the checksum behind it, or a JPEG picture.

    Attributes:
        pieces: places (begin, end) of its bytes, ascending.
        content: what it holds; of a JPEG picture nothing.
        form: what it is; a checksum is among its bytes.
        window: log2 of its largest distance, as far as is known.
        rows: of a picture.
    """

    pieces: tuple[tuple[int, int], ...]
    content: bytes
    form: Form = Form.RAW
    window: int = zlib.MAX_WBITS
    rows: Rows | None = None

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.pieces[-1][1]

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(end - begin for begin, end in self.pieces)


def find_streams(
    data: bytes,
    begin: int,
    limit: int,
    inside: Inside = EVERYTHING,
    closed: Container[int] = (),
) -> Iterator[Found]:
    """Yield the streams that begin at a place or behind it, in their order.

    Args:
        limit: most bytes of content of one stream.
        inside: which of them.
        closed: places behind JPEG pictures that the caller, told of them, does not open: what is in
            these is looked for too.
    """
    view = memoryview(data)
    allowance = Allowance(len(data), limit)
    # The next place of each signature; one that was not found is not looked for again.
    signs = [s for s in _READERS if (inside.pictures if s == _JPEG else inside.streams)]
    places = {sign: data.find(sign, begin) for sign in signs}
    while True:
        places = {sign: place for sign, place in places.items() if place >= 0}
        if not places:
            return
        sign = min(places, key=places.__getitem__)
        place = places[sign]
        found = _READERS[sign](view, place, place + len(sign), allowance)
        following = place + 1
        if found and found.size >= LEAST_STREAM:
            yield found
            if found.end not in closed:
                following = found.end
        for other, known in places.items():
            if known < following:
                places[other] = data.find(other, following)


def may_hold_streams(data: bytes, limit: int, inside: Inside) -> bool:
    """Is there any stream that could be opened?"""
    return next(find_streams(data, 0, limit, inside), None) is not None


class CutOff(Protocol):
    """A stream or a picture, followed as its bytes come: see `Probe` and `Extent`."""

    ended: bool
    failed: bool
    used: int

    def feed(self, data: bytes, /) -> object: ...


def find_cut_off(data: bytes, begin: int, limit: int, inside: Inside = EVERYTHING) -> CutOff | None:
    """What has been seen of a member of gzip or zip, or a picture, that goes on behind the data.

    Args:
        begin: place from which on it may begin.
        limit: most bytes of its content.
        inside: which of them is looked for.
    """
    view = memoryview(data)
    if inside.streams and (found := _cut_off_stream(data, view, begin, limit)):
        return found
    return _cut_off_picture(data, view, begin) if inside.pictures else None


def _cut_off_picture(data: bytes, view: memoryview, begin: int) -> Extent | None:
    place = data.find(_JPEG, begin)
    while place >= 0:
        extent = extent_of(view, place)
        if not extent.ended and not extent.failed:
            return extent
        # Not the small picture in the header of a larger one.
        place = data.find(_JPEG, place + max(1, extent.used))
    return None


def _cut_off_stream(data: bytes, view: memoryview, begin: int, limit: int) -> Probe | None:
    allowance = Allowance(len(data), limit)
    for sign, behind in ((_GZIP, _behind_gzip_header), (_ZIP, _behind_zip_header)):
        place = data.find(sign, begin)
        while place >= 0:
            stream = behind(view, place)
            if 0 < stream < len(data) and (found := cut_off(view, stream, allowance)):
                return found
            place = data.find(sign, place + 1)
    return None


def _gzip(data: memoryview, begin: int, end: int, allowance: Allowance) -> Found | None:
    """A member of a gzip file (RFC 1952)."""
    place = _behind_gzip_header(data, begin)
    probed = probe(data, place, allowance) if place else None
    return probed and _checked(data, place, probed, Form.GZIP)


def _behind_gzip_header(data: memoryview, begin: int) -> int:
    """The place where the stream of a gzip file begins; 0 if this is no header."""
    if begin + 10 > len(data) or data[begin + 2] != _DEFLATE:
        return 0
    flags = data[begin + 3]
    if flags > 31:
        return 0
    place = begin + 10
    if flags & 4:
        place += 2 + int.from_bytes(data[place : place + 2], "little")
    for flag in (8, 16):
        if flags & flag:
            # A name or a comment, up to a zero.
            zero = bytes(data[place : place + _MOST_NAME]).find(0)
            if zero < 0:
                return 0
            place += zero + 1
    if flags & 2:
        place += 2
    return place


_MOST_NAME = 1 << 12


def _zip(data: memoryview, begin: int, end: int, allowance: Allowance) -> Found | None:
    """A member of a zip archive, by its local header (APPNOTE.TXT, 4.3.7)."""
    place = _behind_zip_header(data, begin)
    if not place:
        return None
    flags, _, _, _, crc, size = struct.unpack_from("<HHHHII", data, begin + 6)
    probed = probe(data, place, allowance)
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


def _behind_zip_header(data: memoryview, begin: int) -> int:
    """The place where the stream of a member begins; 0 if it is none of deflate."""
    if begin + 30 > len(data):
        return 0
    flags, method = struct.unpack_from("<HH", data, begin + 6)
    if method != _DEFLATE or flags & 1:
        return 0
    n_name, n_extra = struct.unpack_from("<HH", data, begin + 26)
    return begin + 30 + int(n_name) + int(n_extra)


def _zlib(data: memoryview, begin: int, end: int, allowance: Allowance) -> Found | None:
    """A stream in zlib's format (RFC 1950)."""
    if not _is_zlib_header(data[begin : begin + 2]):
        return None
    probed = probe(data, begin + 2, allowance)
    if not probed:
        return None
    return _checked(data, begin + 2, probed, Form.ZLIB, _window(data[begin]))


def _pdf(data: memoryview, begin: int, end: int, allowance: Allowance) -> Found | None:
    """The data of an object in a PDF, if it is zlib's format (FlateDecode)."""
    return _zlib(data, end, end, allowance)


def _png(data: memoryview, begin: int, end: int, allowance: Allowance) -> Found | None:
    """The data of a PNG picture: one stream in several chunks (PNG specification, 11.2.4)."""
    if allowance.left < 0:
        return None
    chunks = []
    png = begin
    place = begin - 4
    while place >= 0 and bytes(data[place + 4 : place + 8]) == b"IDAT":
        size = int.from_bytes(data[place : place + 4], "big")
        if place + 8 + size > len(data):
            break
        chunks.append((place + 8, place + 8 + size))
        place += size + 12
        # Where the data is none, all chunks but the first are followed once more.
        allowance.left -= _CHUNK + size
    if not chunks:
        return None
    stream = memoryview(b"".join(data[begin:end] for begin, end in chunks))
    if not _is_zlib_header(stream[:2]):
        return None
    probed = probe(stream, 2, allowance)
    found = probed and _checked(stream, 2, probed, Form.ZLIB, _window(stream[0]))
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
    return Found(tuple(pieces), found.content, found.form, found.window, _rows(data, png))


_CHUNK = 512
"""Bytes that are inflated in the time that a chunk of a PNG picture is followed in."""

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By the type of colour of a PNG picture."""

_IN_FRONT = 1 << 14
"""Bytes in front of the data of a picture among which its header is looked for."""


def _rows(data: memoryview, place: int) -> Rows | None:
    """How the rows of a PNG picture lie whose data begins at a place, if that is known."""
    front = bytes(data[max(0, place - _IN_FRONT) : place])
    header = front.rfind(b"IHDR")
    if header < 0 or len(front) < header + 17:
        return None
    width, _, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", front, header + 4)
    if colour not in _CHANNELS or interlaced:
        return None
    bits = _CHANNELS[colour] * depth
    return Rows(1 + (width * bits + 7) // 8, max(1, bits // 8), bits)


def _jpeg(data: memoryview, begin: int, end: int, allowance: Allowance) -> Found | None:
    """A JPEG picture."""
    if allowance.left < 0:
        return None
    extent = extent_of(data, begin)
    allowance.left -= _TIMES_FOLLOWED * extent.used
    end = end_of(extent)
    return Found(((begin, begin + end),), b"", Form.JPEG) if end else None


_TIMES_FOLLOWED = 2
"""A byte of a picture's headers takes so many times as long as one that is inflated."""


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
    form: Form,
    window: int = zlib.MAX_WBITS,
) -> Found | None:
    """A stream, if its checksum is right."""
    expected = checksum(form, probed.content)
    end = probed.end + len(expected)
    if data[probed.end : end] != expected:
        return None
    return Found(((begin, end),), probed.content, form, window)


_GZIP, _ZIP = b"\x1f\x8b\x08", b"PK\x03\x04"
_JPEG = b"\xff\xd8\xff"
_READERS: dict[bytes, Callable[[memoryview, int, int, Allowance], Found | None]] = {
    _GZIP: _gzip,
    _ZIP: _zip,
    b"IDAT": _png,
    # The usual window, and each of the four levels that zlib's format has a number for.
    b"x\x01": _zlib,
    b"x\x5e": _zlib,
    b"x\x9c": _zlib,
    b"x\xda": _zlib,
    b"stream\n": _pdf,
    b"stream\r\n": _pdf,
    _JPEG: _jpeg,
}
"""By the signature in front of a stream."""
