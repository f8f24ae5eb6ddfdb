"""A JPEG picture of given coefficients, with the plainest tables: to compile what pictures need."""

import struct

from nacrith.transforms.jpeg.frame_header import read_frame_header
from nacrith.transforms.jpeg.picture import Closing, close_picture
from nacrith.transforms.jpeg.scan_coding import MOST_BITS

_SIDE = 32
"""Pixels."""


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def _table(number: int, length: int, symbols: bytes) -> bytes:
    """All codes are of one length."""
    counts = bytearray(16)
    counts[length - 1] = len(symbols)
    return _segment(0xC4, bytes([number]) + counts + symbols)


def plain_picture() -> bytes:
    """Two components, 4:2:0, with coefficients of all sizes."""
    frame = struct.pack(">BHHB", 8, _SIDE, _SIDE, 2) + bytes([1, 0x22, 0, 2, 0x11, 0])
    dc = bytes(range(MOST_BITS + 1))
    ac = bytes([0, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, MOST_BITS))])
    content = (
        b"\xff\xd8"
        + _segment(0xDB, b"\0" + bytes(range(1, 65)))
        + _segment(0xC0, frame)
        + _table(0x00, 4, dc)
        + _table(0x10, 8, ac)
        + _segment(0xDA, bytes([2, 1, 0, 2, 0, 0, 63, 0]))
        + b"\xff\xd9"
    )
    header = read_frame_header(frame, False)
    assert header
    coefficients = header.new_coefficients()
    for i, block in enumerate(coefficients[:-1]):
        block[0] = 40 * i
        for k in range(1, 40):
            block[k] = (i * k * k + 7 * k) % (900 // k) - 450 // k
    return close_picture(content, Closing(1, 0, 1), coefficients, 1 << 16)
