"""NC06: reading and writing the container. Knows no model.

    file    = member+
    member  = "NC06" header frame* trailer    or, if one frame holds it all,
              "NC06" header (with the frame inside)
    header  = version, length, body, CRC-32
    frame   = "F", length, body, CRC-32
    trailer = "T", length, body, CRC-32

docs/format.md specifies every field.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from nacrith.errors import FormatError, UnsupportedError
from nacrith.format.frame import MAX_ORIGINAL, Frame
from nacrith.format.header import Header
from nacrith.format.releases import program_of
from nacrith.format.varint import MAX_BYTES, Reader, to_varint
from nacrith.plural import counted
from nacrith.system.reading import read_up_to

MAGIC = b"NC06"
# The reference's files have a byte of four flag bits here, ours has the high bit set.
VERSION = 0x87
# Those in use before the first release; their files are not read.
_OLD_VERSIONS = range(0x81, VERSION)
REFERENCE_MAGICS = (b"NC01", b"NC02", b"NC03", b"NC04", b"NC05", MAGIC)

MAX_HEADER = 1 << 16
"""Bytes."""

_MAX_RECORD = MAX_ORIGINAL + (1 << 20)
"""Bytes of a record: a frame whose original is stored, with what is around it."""

DIGEST_SIZE = 16
"""Bytes of the hash of a member of several frames, BLAKE2b."""

_MAX_TRAILER = 2 * MAX_BYTES + DIGEST_SIZE


@dataclass(frozen=True)
class Trailer:
    """What ends a member of several frames.

    Attributes:
        n_frames: number of frames.
        original_size: bytes of the original in all of them.
        digest: BLAKE2b of the original, `DIGEST_SIZE` bytes.
    """

    n_frames: int
    original_size: int
    digest: bytes

    def to_bytes(self) -> bytes:
        return to_varint(self.n_frames) + to_varint(self.original_size) + self.digest

    @classmethod
    def from_bytes(cls, body: bytes) -> "Trailer":
        reader = Reader(body, "trailer")
        trailer = cls(reader.varint(), reader.varint(), reader.take(DIGEST_SIZE))
        reader.end()
        return trailer


def _record(kind: bytes, body: bytes) -> bytes:
    content = kind + to_varint(len(body)) + body
    return content + zlib.crc32(content).to_bytes(4, "little")


def sole_member(header: Header, frame: Frame) -> bytes:
    """A member whose only frame lies inside its header's record."""
    return _record(MAGIC + bytes([VERSION]), header.to_bytes(sole=True) + frame.to_bytes())


class Writer:
    """Writes a member of several frames to a binary file object, front to back.

    Attributes:
        size: bytes of the member so far.
        original_size: bytes of the original in its frames.
    """

    def __init__(
        self,
        sink: BinaryIO,
        header: Header,
        n_frames: int = 0,
        size: int = 0,
        original_size: int = 0,
    ) -> None:
        """Write the header, unless `sink` stands behind some frames already.

        Args:
            n_frames, size, original_size: frames, bytes and bytes of the original that
                have been written.
        """
        self._sink = sink
        self._n_frames = n_frames
        self.size = size
        self.original_size = original_size
        if not n_frames:
            self._write(_record(MAGIC + bytes([VERSION]), header.to_bytes()))

    def add(self, frame: Frame) -> None:
        self._write(_record(b"F", frame.to_bytes()))
        self._n_frames += 1
        self.original_size += frame.original_size

    def finish(self, digest: bytes) -> None:
        """Write the trailer. `digest`: BLAKE2b-128 of the original."""
        trailer = Trailer(self._n_frames, self.original_size, digest)
        self._write(_record(b"T", trailer.to_bytes()))

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self.size += len(data)


class _Source:
    """Counted reads from a binary file object."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.position = 0

    def take(self, n: int, what: str) -> bytes:
        """Read exactly n bytes; raises FormatError if the input ends before."""
        found = self.take_some(n)
        if len(found) < n:
            raise FormatError(
                f"the file is truncated: it ends after "
                f"{counted(self.position, 'byte')}, inside the {what}"
            )
        return found

    def take_some(self, n: int) -> bytes:
        """Read up to n bytes, fewer only at the end of the input."""
        found = read_up_to(self._source, n)
        self.position += len(found)
        return found

    def record(self, kind: bytes, what: str, limit: int = _MAX_RECORD) -> bytes:
        """Read length, body and checksum of a record whose kind has been read."""
        head = b""
        while True:
            head += self.take(1, what)
            if head[-1] < 0x80:
                break
            if len(head) == MAX_BYTES:
                raise FormatError(f"the {what} is damaged: its length is not well formed")
        length = Reader(head, what).varint()
        if length > limit:
            raise FormatError(f"the {what} is damaged: it claims {length} bytes")
        body = self.take(length, what)
        checksum = int.from_bytes(self.take(4, what), "little")
        if zlib.crc32(body, zlib.crc32(kind + head)) != checksum:
            raise FormatError(f"the {what} is damaged: its checksum does not match")
        return body


class Member:
    """One member while it is read: `header` first, then `frames()`, then `trailer`.

    Attributes:
        sole: the frame inside the header, if it is the only one.
        trailer: None until the frames have been read, and if there is a sole frame.
    """

    def __init__(self, source: _Source) -> None:
        """Read the header, the magic having been read."""
        version = source.take(1, "header")
        if version[0] != VERSION:
            _refuse_version(version[0])
        reader = Reader(source.record(MAGIC + version, "header"), "header")
        size = reader.left
        self.header, sole = Header.read(reader)
        if size - reader.left > MAX_HEADER:
            raise FormatError("the header is damaged: it is too long")
        self.sole = Frame.from_bytes(reader.rest()) if sole else None
        reader.end()
        self._source = source
        self.trailer: Trailer | None = None

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, each with its checksum already verified.

        Raises:
            FormatError, UnsupportedError
        """
        if self.sole:
            yield self.sole
            return
        n_frames = original_size = 0
        while True:
            what = f"frame {n_frames + 1}"
            kind = self._source.take(1, "frames, before the trailer")
            if kind == b"T":
                break
            if kind != b"F":
                raise FormatError(f"the file is damaged: {what} does not begin where it should")
            frame = Frame.from_bytes(self._source.record(kind, what))
            n_frames += 1
            original_size += frame.original_size
            yield frame
        self.trailer = Trailer.from_bytes(self._source.record(kind, "trailer", _MAX_TRAILER))
        if (self.trailer.n_frames, self.trailer.original_size) != (n_frames, original_size):
            raise FormatError("the file is damaged: frames are missing or were added")


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
            UnsupportedError: of another version, or made by the reference Nacrith.
        """
        first = True
        while True:
            found = self._source.take_some(len(MAGIC))
            if not found and not first:
                return
            _check_magic(found, first)
            yield Member(self._source)
            first = False


def check_records(source: BinaryIO) -> int:
    """Read a whole file and check all of it that can be checked without decoding.

    Returns:
        The bytes of the original.

    Raises:
        FormatError, UnsupportedError
    """
    return sum(frame.original_size for member in MemberReader(source) for frame in member.frames())


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
    number, own = version - 0x80, VERSION - 0x80
    if version in _OLD_VERSIONS:
        raise UnsupportedError(
            f"this file was made by an older version of nacrith, with format {number} "
            f"({program_of(number)}); this one reads format {own} only. Decompress it with the "
            f"nacrith of format {number}, and compress it again with this one (or the file is "
            "damaged)"
        )
    raise UnsupportedError(
        f"this file is of format {number}, this version of nacrith reads format {own}; install "
        "a newer version (or the file is damaged)"
    )
