"""NC06: reading and writing the container. Knows no model.

    file    = member+
    member  = "NC06" header frame* trailer
    header  = version, length, body, CRC-32
    frame   = "F", length, body, CRC-32
    trailer = "T", length, body, CRC-32, length read backwards

docs/format.md specifies every field.
"""

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from nacrith.errors import FormatError, UnsupportedError
from nacrith.header import Header
from nacrith.segments import Segment
from nacrith.varint import MAX_BYTES, Reader, to_varint

MAGIC = b"NC06"
# The reference's files have a byte of four flag bits here, ours has the high bit set.
VERSION = 0x82
REFERENCE_MAGICS = (b"NC01", b"NC02", b"NC03", b"NC04", b"NC05", MAGIC)

MAX_ORIGINAL = 1 << 26
"""No frame holds more bytes of the original than this (64 MiB)."""

MAX_HEADER = 1 << 16
_MAX_FRAME = MAX_ORIGINAL + (1 << 20)
# Reading in steps bounds what a false length can allocate.
_READ_STEP = 1 << 20

STORED, LZMA, MIXED = 0, 1, 2
"""Methods of binary segments."""


def digest_size(original_size: int) -> int:
    """Bytes of the whole-file hash (BLAKE2b): short for a small file."""
    return 8 if original_size < 4096 else 16


@dataclass(frozen=True)
class Frame:
    """One group: a range of the original that can be decoded on its own.

    Attributes:
        segments: kinds and lengths; they alternate and add up to the original size.
        original_crc: CRC-32 of the original bytes.
        n_symbols: symbols that spell the text segments, joined; 0 without text.
        text: range-coded payload of the text segments, joined.
        method: `STORED`, `LZMA` or `MIXED`.
        binary: payload of the binary segments, joined.
    """

    segments: list[Segment]
    original_crc: int
    n_symbols: int = 0
    text: bytes = b""
    method: int = STORED
    binary: bytes = b""

    @property
    def original_size(self) -> int:
        return sum(segment.length for segment in self.segments)

    @property
    def text_size(self) -> int:
        """Bytes of the original in text segments."""
        return sum(segment.length for segment in self.segments if segment.is_text)

    @property
    def binary_size(self) -> int:
        """Bytes of the original in binary segments."""
        return self.original_size - self.text_size

    def to_bytes(self) -> bytes:
        out = bytearray(self.original_crc.to_bytes(4, "little"))
        out += to_varint(self.original_size)
        out += to_varint(len(self.segments) << 1 | self.segments[0].is_text)
        for segment in self.segments[:-1]:
            out += to_varint(segment.length)
        if self.text_size:
            out += to_varint(self.n_symbols) + to_varint(len(self.text)) + self.text
        if self.binary_size:
            out.append(self.method)
            out += self.binary
        return bytes(out)

    @classmethod
    def from_bytes(cls, body: bytes) -> "Frame":
        """Inverse of `to_bytes`; raises FormatError or UnsupportedError."""
        reader = Reader(body, "frame")
        crc = int.from_bytes(reader.take(4), "little")
        left = reader.varint()
        if not 0 < left <= MAX_ORIGINAL:
            raise FormatError(f"a frame is damaged: it claims {left} bytes")
        packed = reader.varint()
        count, is_text = packed >> 1, bool(packed & 1)
        # Each length but the last takes at least a byte.
        if not 1 <= count <= reader.left + 1:
            raise FormatError(f"a frame is damaged: it claims {count} segments")
        segments = []
        for i in range(count):
            length = reader.varint() if i < count - 1 else left
            if not 0 < length <= left:
                raise FormatError("a frame is damaged: its segments exceed its size")
            segments.append(Segment(is_text, length))
            left -= length
            is_text = not is_text
        if left:
            raise FormatError("a frame is damaged: its segments fall short of its size")
        frame = cls(segments, crc)
        n_symbols, text, method, binary = 0, b"", STORED, b""
        if frame.text_size:
            n_symbols = reader.varint()
            if not 0 < n_symbols <= frame.text_size:
                raise FormatError(f"a frame is damaged: it claims {n_symbols} symbols")
            text = reader.take(reader.varint())
        if frame.binary_size:
            method = reader.byte()
            if method not in (STORED, LZMA, MIXED):
                raise UnsupportedError(
                    f"a frame uses compression method {method}, which this version of "
                    "nacrith does not know; install a newer version"
                )
            binary = reader.rest()
        reader.end()
        return cls(segments, crc, n_symbols, text, method, binary)


@dataclass(frozen=True)
class Trailer:
    """The index and the whole-file hash.

    Attributes:
        frames: (bytes in the file, bytes of the original) of each frame.
        digest: BLAKE2b of the original, `digest_size` bytes.
    """

    frames: list[tuple[int, int]] = field(default_factory=list)
    digest: bytes = b""

    @property
    def original_size(self) -> int:
        return sum(original for _, original in self.frames)

    def to_bytes(self) -> bytes:
        out = bytearray(to_varint(len(self.frames)))
        for size, original in self.frames:
            out += to_varint(size) + to_varint(original)
        return bytes(out) + self.digest

    @classmethod
    def from_bytes(cls, body: bytes) -> "Trailer":
        reader = Reader(body, "trailer")
        count = reader.varint()
        if count > reader.left // 2:
            raise FormatError(f"the trailer is damaged: it claims {count} frames")
        frames = [(reader.varint(), reader.varint()) for _ in range(count)]
        return cls(frames, reader.rest())


def _record(kind: bytes, body: bytes) -> bytes:
    content = kind + to_varint(len(body)) + body
    return content + zlib.crc32(content).to_bytes(4, "little")


class Writer:
    """Writes one member to a binary file object, front to back."""

    def __init__(self, sink: BinaryIO, header: Header) -> None:
        self._sink = sink
        self._frames: list[tuple[int, int]] = []
        self.size = self._write(_record(MAGIC + bytes([VERSION]), header.to_bytes()))

    def add(self, frame: Frame) -> None:
        size = self._write(_record(b"F", frame.to_bytes()))
        self._frames.append((size, frame.original_size))
        self.size += size

    def finish(self, digest: bytes) -> None:
        """Write the trailer. `digest`: BLAKE2b-128 of the original, cut as needed."""
        original = sum(size for _, size in self._frames)
        trailer = Trailer(self._frames, digest[: digest_size(original)])
        record = _record(b"T", trailer.to_bytes())
        self.size += self._write(record + to_varint(len(record))[::-1])

    def _write(self, data: bytes) -> int:
        self._sink.write(data)
        return len(data)


class _Source:
    """Counted reads from a binary file object."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.position = 0

    def take(self, n: int, what: str) -> bytes:
        """Read exactly n bytes; raises FormatError if the input ends before."""
        parts = []
        left = n
        while left:
            part = self._source.read(min(left, _READ_STEP))
            if not part:
                raise FormatError(
                    f"the file is truncated: it ends after {self.position} bytes, inside the {what}"
                )
            parts.append(part)
            left -= len(part)
            self.position += len(part)
        return b"".join(parts)

    def take_some(self, n: int) -> bytes:
        """Read up to n bytes, fewer only at the end of the input."""
        parts = []
        while n:
            part = self._source.read(n)
            if not part:
                break
            parts.append(part)
            n -= len(part)
            self.position += len(part)
        return b"".join(parts)

    def record(self, kind: bytes, what: str, limit: int | None) -> bytes:
        """Read length, body and checksum of a record whose kind has been read."""
        head = b""
        while True:
            head += self.take(1, what)
            if head[-1] < 0x80:
                break
            if len(head) == MAX_BYTES:
                raise FormatError(f"the {what} is damaged: its length is not well formed")
        length = Reader(head, what).varint()
        if limit is not None and length > limit:
            raise FormatError(f"the {what} is damaged: it claims {length} bytes")
        body = self.take(length, what)
        checksum = int.from_bytes(self.take(4, what), "little")
        if zlib.crc32(body, zlib.crc32(kind + head)) != checksum:
            raise FormatError(f"the {what} is damaged: its checksum does not match")
        return body


class Member:
    """One member while it is read: `header` first, then `frames()`, then `trailer`."""

    def __init__(self, source: _Source, header: Header) -> None:
        self._source = source
        self.header = header
        self.trailer = Trailer()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, each with its checksum already verified.

        After the last one, `trailer` is set and agrees with the frames.

        Raises:
            FormatError, UnsupportedError
        """
        seen: list[tuple[int, int]] = []
        while True:
            begin = self._source.position
            what = f"frame {len(seen) + 1}"
            kind = self._source.take(1, "frames, before the trailer")
            if kind == b"F":
                frame = Frame.from_bytes(self._source.record(kind, what, _MAX_FRAME))
                seen.append((self._source.position - begin, frame.original_size))
                yield frame
            elif kind == b"T":
                self._read_trailer(kind, seen)
                return
            else:
                raise FormatError(f"the file is damaged: {what} does not begin where it should")

    def _read_trailer(self, kind: bytes, seen: list[tuple[int, int]]) -> None:
        begin = self._source.position - 1
        # A trailer that indexes the frames seen can't be longer than this.
        limit = 2 * MAX_BYTES * len(seen) + MAX_BYTES + 64
        self.trailer = Trailer.from_bytes(self._source.record(kind, "trailer", limit))
        backwards = to_varint(self._source.position - begin)[::-1]
        if self._source.take(len(backwards), "trailer") != backwards:
            raise FormatError("the trailer is damaged: its length does not match")
        if self.trailer.frames != seen:
            raise FormatError("the trailer is damaged: its index does not match the frames")
        if len(self.trailer.digest) != digest_size(self.trailer.original_size):
            raise FormatError("the trailer is damaged: its hash has the wrong length")


class MemberReader:
    """Iterates over the members of a file (more than one if files were concatenated).

    Read all frames of a member before asking for the next.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = _Source(source)

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return self._source.position

    def __iter__(self) -> Iterator[Member]:
        """Yield each member.

        Raises:
            FormatError: not a NC06 file, truncated or damaged.
            UnsupportedError: of a later version, or made by the reference Nacrith.
        """
        first = True
        while True:
            found = self._source.take_some(len(MAGIC))
            if not found and not first:
                return
            _check_magic(found, first)
            version = self._source.take(1, "header")
            if version[0] != VERSION:
                _refuse_version(version[0])
            body = self._source.record(MAGIC + version, "header", MAX_HEADER)
            yield Member(self._source, Header.from_bytes(body))
            first = False


def read_last_trailer(source: BinaryIO) -> Trailer:
    """Read the trailer at the end of a seekable file; the position is left unchanged.

    A truncated file is told in no time this way, before hours of decoding.

    Raises:
        FormatError: there is no intact trailer at the end.
    """
    damaged = FormatError(
        "the file is truncated or damaged: it does not end with an intact trailer"
    )
    before = source.tell()
    try:
        end = source.seek(0, os.SEEK_END)
        source.seek(max(0, end - MAX_BYTES))
        tail = source.read()[::-1]
        size = Reader(tail, "trailer").varint()
        begin = end - size - len(to_varint(size))
        if begin < len(MAGIC):
            raise damaged
        source.seek(begin)
        counted = _Source(source)
        kind = counted.take(1, "trailer")
        trailer = Trailer.from_bytes(counted.record(kind, "trailer", size))
    except FormatError:
        raise damaged from None
    finally:
        source.seek(before)
    if kind != b"T" or counted.position != size:
        raise damaged
    return trailer


def _check_magic(found: bytes, first: bool) -> None:
    if found == MAGIC:
        return
    if not first:
        raise FormatError("there is something that is not a NC06 file after the end of the data")
    if not found:
        raise FormatError("the input is empty, which is not a NC06 file")
    if found in REFERENCE_MAGICS:
        raise UnsupportedError(
            f"this is a {found.decode()} file of the reference Nacrith, a different "
            "format; decompress it with that program"
        )
    raise FormatError("this is not a NC06 file (it does not begin with NC06)")


def _refuse_version(version: int) -> None:
    if version < 0x80:
        raise UnsupportedError(
            "this is a NC06 file of the reference Nacrith, a different format; "
            "decompress it with that program"
        )
    raise UnsupportedError(
        f"this file is of format version {version - 0x80}, this version of nacrith reads "
        f"version {VERSION - 0x80}; install a newer version (or the file is damaged)"
    )
