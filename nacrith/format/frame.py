"""A frame: a range of the original that can be decoded on its own."""

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from nacrith.errors import FormatError, UnsupportedError
from nacrith.format.varint import Reader, to_varint

MAX_ORIGINAL = 1 << 26
"""No frame holds more bytes of the original than this (64 MiB)."""


MAX_GROWTH = 3
"""A text has at most so many times its bytes in UTF-8."""


class Kind(IntEnum):
    """How a segment is coded."""

    TEXT = 0
    """By the language model and the predictors."""
    MIXED = 1
    """By context mixing of bytes."""
    LZMA = 2
    STORED = 3
    MIXED_TEXT = 4
    """Text, by context mixing of bytes."""


_KIND_BITS = 3
_KINDS = frozenset(Kind)

_OPENED, _OPENED_WITH_PICTURES = 7, 6
"""In place of a kind: the first segment says that streams have been opened, JPEG pictures among
them or not, and how many bytes there were before."""


class Segment(NamedTuple):
    """A run of bytes of one kind."""

    kind: Kind
    length: int


class Opened(NamedTuple):
    """What closes the streams of a frame that were opened.

    Attributes:
        size: bytes of the original.
        payload: see `nacrith.transforms.opening`.
        pictures: the coefficients of JPEG pictures; None = there are none of these.
    """

    size: int
    payload: bytes
    pictures: bytes | None = None

    @property
    def marker(self) -> int:
        """The number in place of a kind."""
        return _OPENED if self.pictures is None else _OPENED_WITH_PICTURES


def check_of(original: bytes) -> bytes:
    """What a frame keeps to check its restored bytes: BLAKE2b, 4 bytes of it below
    64 KiB, where 8 would be felt, else 8."""
    return hashlib.blake2b(original, digest_size=_check_size(len(original))).digest()


def _check_size(size: int) -> int:
    return 4 if size < 1 << 16 else 8


@dataclass(frozen=True)
class Frame:
    """Attributes:
    segments: kinds and lengths; they add up to the original size, or to that of what the original
        becomes with the streams in it opened.
    check: `check_of` the original.
    payloads: by kind, the coded segments of this kind, joined.
    n_symbols: symbols that spell the text; 0 without text.
    opened: None if no streams were opened.
    """

    segments: list[Segment]
    check: bytes
    payloads: dict[Kind, bytes] = field(default_factory=dict)
    n_symbols: int = 0
    opened: Opened | None = None

    @property
    def original_size(self) -> int:
        """Bytes of the original."""
        return self.opened.size if self.opened else self.segments_size

    @property
    def segments_size(self) -> int:
        """Bytes of all segments."""
        return sum(segment.length for segment in self.segments)

    def size_of(self, kind: Kind) -> int:
        """Bytes in segments of this kind."""
        return sum(segment.length for segment in self.segments if segment.kind == kind)

    def to_bytes(self) -> bytes:
        out = bytearray(to_varint(len(self.segments) + (self.opened is not None)))
        if self.opened:
            out += to_varint(self.opened.size << _KIND_BITS | self.opened.marker)
        for kind, length in self.segments:
            out += to_varint(length << _KIND_BITS | kind)
        out += self.check
        kinds = self._kinds()
        for kind in kinds:
            payload = self.payloads[kind]
            if kind == Kind.TEXT:
                out += to_varint(self.n_symbols)
            if kind != kinds[-1] or self.opened:
                out += to_varint(len(payload))
            out += payload
        if self.opened:
            if self.opened.pictures is not None:
                out += to_varint(len(self.opened.payload))
            out += self.opened.payload + (self.opened.pictures or b"")
        return bytes(out)

    @classmethod
    def from_bytes(cls, body: bytes) -> "Frame":
        """Inverse of `to_bytes`; raises FormatError, and UnsupportedError for an unknown kind."""
        reader = Reader(body, "frame")
        count = reader.varint()
        # Each takes at least a byte.
        if count > reader.left:
            raise FormatError(f"a frame is damaged: it claims {count} segments")
        segments = []
        size = 0
        opened = None
        for i in range(count):
            packed = reader.varint()
            kind, length = packed & ((1 << _KIND_BITS) - 1), packed >> _KIND_BITS
            if kind in (_OPENED, _OPENED_WITH_PICTURES) and i == 0:
                opened = Opened(length, b"", None if kind == _OPENED else b"")
                if not 0 < length <= MAX_ORIGINAL or count == 1:
                    raise FormatError("a frame is damaged: its size can't be right")
                continue
            if kind not in _KINDS:
                raise UnsupportedError(
                    f"a frame holds data of kind {kind}, which this version does not know; it "
                    "needs a newer version of nacrith"
                )
            segments.append(Segment(Kind(kind), length))
            size += length
            if not length or size > MAX_ORIGINAL:
                raise FormatError("a frame is damaged: the size of its segments can't be right")
        check = reader.take(_check_size(opened.size if opened else size))
        frame = cls(segments, check)
        n_symbols = 0
        payloads = {}
        kinds = frame._kinds()
        for kind in kinds:
            if kind == Kind.TEXT:
                n_symbols = reader.varint()
                if not 0 < n_symbols <= MAX_GROWTH * frame.size_of(Kind.TEXT):
                    raise FormatError(f"a frame is damaged: it claims {n_symbols} symbols")
            is_last = kind == kinds[-1] and not opened
            payloads[kind] = reader.rest() if is_last else reader.take(reader.varint())
        if opened:
            if opened.pictures is not None:
                opened = opened._replace(payload=reader.take(reader.varint()))
                opened = opened._replace(pictures=reader.rest())
            else:
                opened = opened._replace(payload=reader.rest())
        reader.end()
        return cls(segments, check, payloads, n_symbols, opened)

    def _kinds(self) -> list[Kind]:
        """The kinds that occur, in the order of their payloads."""
        return sorted({segment.kind for segment in self.segments})
