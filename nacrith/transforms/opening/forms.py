"""What an opened stream was: deflate with or without a checksum behind it, or a JPEG picture."""

import zlib
from enum import IntEnum


class Form(IntEnum):
    """The numbers in files."""

    RAW = 0
    """Deflate (RFC 1951) and nothing behind it."""
    ZLIB = 1
    """Deflate and the Adler-32 of its content, big-endian (RFC 1950)."""
    GZIP = 2
    """Deflate, the CRC-32 of its content and its size, little-endian (RFC 1952)."""
    JPEG = 3
    """A JPEG picture, whose content is what Lepton makes of it."""
    PNG = 5
    """As `ZLIB`, of the rows of a PNG picture; the content are its pixels."""


FIRST_FORMS = frozenset({Form.RAW, Form.ZLIB, Form.GZIP, Form.JPEG})
"""Those that every program of this format knows."""


def checksum(form: Form, content: bytes) -> bytes:
    """What stands behind a stream that holds this."""
    if form in (Form.ZLIB, Form.PNG):
        return zlib.adler32(content).to_bytes(4, "big")
    if form == Form.GZIP:
        size = len(content) & 0xFFFFFFFF
        return zlib.crc32(content).to_bytes(4, "little") + size.to_bytes(4, "little")
    return b""
