"""Checksums behind a deflate stream, which follow from its content."""

import zlib
from enum import IntEnum


class Trailer(IntEnum):
    """What stands behind a stream."""

    NOTHING = 0
    ADLER = 1
    """As in zlib's format (RFC 1950): Adler-32, big-endian."""
    GZIP = 2
    """CRC-32 and the size, little-endian (RFC 1952)."""


def trailer_bytes(trailer: Trailer, content: bytes) -> bytes:
    """What stands behind the stream of this content."""
    if trailer == Trailer.ADLER:
        return zlib.adler32(content).to_bytes(4, "big")
    if trailer == Trailer.GZIP:
        size = len(content) & 0xFFFFFFFF
        return zlib.crc32(content).to_bytes(4, "little") + size.to_bytes(4, "little")
    return b""
