"""What a block becomes with its streams opened, and how large."""

from dataclasses import dataclass

MAX_EXPANDED = 1 << 26
"""Bytes of a block with its streams opened (64 MiB)."""


@dataclass(frozen=True)
class Expanded:
    """A block with its streams opened.

    Attributes:
        data: the bytes around the streams, and their contents.
        payload: what makes the block of it.
        streams, perfect: how many there are, and of how many all decisions were predicted.
    """

    data: bytes
    payload: bytes
    streams: int
    perfect: int
