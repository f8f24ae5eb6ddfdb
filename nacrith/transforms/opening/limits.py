"""What a block becomes with its streams opened, and how large."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Expanded:
    """A block with its streams opened.

    Attributes:
        data: the bytes around the streams, and their contents.
        payload: what makes the block of it.
        streams, perfect: how many of deflate there are, and of how many all decisions were
            predicted.
    """

    data: bytes
    payload: bytes
    streams: int
    perfect: int
