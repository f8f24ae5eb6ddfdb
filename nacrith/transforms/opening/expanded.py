"""What a block becomes with its streams opened."""

from dataclasses import dataclass

from nacrith.transforms.opening.limits import Rows
from predictors.binary.parts import Part


@dataclass(frozen=True)
class Expanded:
    """A block with its streams opened.

    Attributes:
        data: the bytes around the streams, and their contents.
        payload: what makes the block of it.
        streams, perfect: how many of deflate there are, and of how many all decisions were
            predicted.
        rows: of the picture that is most of the data, if one is with its filters.
        pictures: of others the place of their pixels in the data, and how these are coded.
        is_new: is there a form that the first programs of this format do not know?
    """

    data: bytes
    payload: bytes
    streams: int
    perfect: int
    rows: Rows | None = None
    pictures: tuple[tuple[int, Part], ...] = ()
    is_new: bool = False
