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
        pixels: of PNG pictures; without, their rows stay as they are stored.
    """

    streams: bool = True
    pictures: bool = False
    pixels: bool = True


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


class Shown(NamedTuple):
    """A PNG picture that was opened to its pixels.

    Attributes:
        begin, end: of its pixels in the data.
        rows: as they were stored, each behind the byte of its filter.
    """

    begin: int
    end: int
    rows: Rows


@dataclass(frozen=True)
class Expanded:
    """A block with its streams opened.

    Attributes:
        data: the bytes around the streams, and their contents.
        payload: what makes the block of it.
        streams, perfect: how many of deflate there are, and of how many all decisions were
            predicted.
        rows: of the picture that is most of the data, if one is with its filters.
        shown: those without.
        is_new: is there a form that the first programs of this format do not know?
        outer: how many of the streams of deflate are not in others.
    """

    data: bytes
    payload: bytes
    streams: int
    perfect: int
    rows: Rows | None = None
    shown: tuple[Shown, ...] = ()
    is_new: bool = False
    outer: int = 0
