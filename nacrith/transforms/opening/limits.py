"""What a block becomes with its streams opened, and how large."""

from dataclasses import dataclass
from typing import NamedTuple

MAX_EXPANDED = 1 << 26
"""Bytes of a block with its streams opened (64 MiB)."""

MAX_DEPTH = 3
"""Layers: streams in streams in streams."""


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
    """

    row: int
    pixel: int


@dataclass(frozen=True)
class Expanded:
    """A block with its streams opened.

    Attributes:
        data: the bytes around the streams, and their contents.
        payload: what makes the block of it.
        streams, perfect: how many of deflate there are, and of how many all decisions were
            predicted.
        rows: of the picture that is most of the data, if one is.
    """

    data: bytes
    payload: bytes
    streams: int
    perfect: int
    rows: Rows | None = None
