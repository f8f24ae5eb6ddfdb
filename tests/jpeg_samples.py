"""JPEG pictures of many kinds, made by Pillow."""

import io
import struct
from functools import cache
from typing import Any

import numpy as np
import pytest

from nacrith.transforms.jpeg.frame_header import FrameHeader, read_frame_header

KINDS: dict[str, tuple[str, tuple[int, int], dict[str, Any]]] = {
    "4:2:0": ("RGB", (90, 70), {"quality": 75}),
    "4:2:2": ("RGB", (90, 70), {"quality": 85, "subsampling": 1}),
    "4:4:4": ("RGB", (66, 50), {"quality": 95, "subsampling": 0}),
    "coarse": ("RGB", (90, 70), {"quality": 20}),
    "fine": ("RGB", (40, 40), {"quality": 100, "subsampling": 0}),
    "grey": ("L", (81, 63), {"quality": 80}),
    "CMYK": ("CMYK", (60, 40), {"quality": 80}),
    "optimized": ("RGB", (90, 70), {"quality": 75, "optimize": True}),
    "progressive": ("RGB", (90, 70), {"quality": 75, "progressive": True}),
    "progressive 4:4:4": ("RGB", (66, 50), {"quality": 95, "subsampling": 0, "progressive": True}),
    "progressive grey": ("L", (81, 63), {"quality": 80, "progressive": True}),
    "restarts": ("RGB", (90, 70), {"quality": 75, "restart_marker_blocks": 3}),
    "restarts of rows": ("RGB", (90, 70), {"quality": 75, "restart_marker_rows": 1}),
    "progressive restarts": (
        "RGB", (90, 70), {"quality": 75, "restart_marker_blocks": 5, "progressive": True}
    ),
    "one pixel": ("RGB", (1, 1), {"quality": 75}),
    "one grey pixel": ("L", (1, 1), {"quality": 75}),
    "narrow": ("RGB", (3, 100), {"quality": 75}),
    "flat": ("RGB", (100, 3), {"quality": 75}),
}  # fmt: skip


@cache
def picture(kind: str) -> bytes:
    """A picture of one of `KINDS`. Skips the test without Pillow."""
    image = pytest.importorskip("PIL.Image")
    mode, (width, height), options = KINDS[kind]
    pixels = _pixels(width, height, {"L": 1, "RGB": 3, "CMYK": 4}[mode])
    sink = io.BytesIO()
    image.frombytes(mode, (width, height), pixels).save(sink, "JPEG", **options)
    return sink.getvalue()


def _pixels(width: int, height: int, colors: int) -> bytes:
    """Waves, edges and noise."""
    random = np.random.default_rng(width * height + colors)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for color in range(colors):
        plane = 120 + 60 * np.sin(x / (7 + color)) * np.cos(y / 9) + 20 * (x + 2 * y > 100)
        planes.append(plane + random.normal(0, 6, plane.shape))
    return bytes(np.clip(np.stack(planes, axis=2), 0, 255).astype(np.uint8).tobytes())


def segment(marker: int, body: bytes) -> bytes:
    """A marker and what belongs to it."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def scan_header(begin: int, end: int, known: int, left: int) -> bytes:
    """Of the first component."""
    return segment(0xDA, bytes([1, 1, 0, begin, end, known << 4 | left]))


def grey_picture(
    side: int, scans: list[bytes], marker: bytes = b"\xff\xc2"
) -> tuple[bytes, FrameHeader]:
    """All of a picture but what its scans hold, and what its frame header says.

    Args:
        marker: of the frame header; progressive, if it is not said otherwise.
    """
    frame = struct.pack(">BHHB", 8, side, side, 1) + bytes([1, 0x11, 0])
    sizes = bytes([0, 0xF0, *(run << 4 | size for run in range(15) for size in range(1, 11))])
    ends = bytes(run << 4 for run in range(1, 15))
    content = (
        b"\xff\xd8"
        + segment(0xDB, b"\0" + bytes(range(1, 65)))
        + segment(marker[1], frame)
        + segment(0xC4, b"\0" + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12)))
        + segment(0xC4, b"\x10" + bytes([0] * 7 + [len(sizes + ends)] + [0] * 8) + sizes + ends)
        + b"".join(scans)
        + b"\xff\xd9"
    )
    header = read_frame_header(frame, marker == b"\xff\xc2")
    assert header
    return content, header
