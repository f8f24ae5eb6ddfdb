"""What of a block is opened, and how large it may become."""

from typing import NamedTuple

MAX_EXPANDED = 1 << 26
"""Bytes of a block with its streams opened (64 MiB)."""


class Inside(NamedTuple):
    """What of a block is opened.

    Attributes:
        streams: those of deflate.
        pictures: JPEG; restoring them needs an extra.
    """

    streams: bool = True
    pictures: bool = False


ALL_STREAMS = Inside()
NOTHING = Inside(streams=False)

INSIDE = {"none": NOTHING, "streams": ALL_STREAMS, "jpeg": Inside(pictures=True)}
"""By the name that a user gives."""


class Rows(NamedTuple):
    """How the data of a picture lies.

    Attributes:
        row: bytes of a row, with what stands in front of its pixels.
        pixel: bytes of a pixel, 1 if several share one.
        bits: of a pixel; 0 = not known.
    """

    row: int
    pixel: int
    bits: int = 0
