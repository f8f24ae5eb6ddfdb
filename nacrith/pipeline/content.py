"""How large the blocks of a file are with the compressed streams in them opened."""

from typing import BinaryIO, NamedTuple

from nacrith.pipeline.blocks import read_blocks
from nacrith.transforms.jpeg.picture import coefficients_of
from nacrith.transforms.opening.limits import MAX_EXPANDED, Inside
from nacrith.transforms.opening.peeking import peek


class Opened(NamedTuple):
    """What is in a block, or at most in one of several, at most about.

    Attributes:
        size: its bytes with its streams opened.
        coefficients: of its JPEG pictures.
    """

    size: int
    coefficients: int = 0


def size_opened(block: bytes, inside: Inside) -> Opened:
    """What is in a block."""
    counts: list[int] = []
    pieces = peek(block, inside, on_picture=lambda data: counts.append(coefficients_of(data)))
    size = max(len(block), min(MAX_EXPANDED, sum(map(len, pieces))))
    return Opened(size, sum(counts))


def largest_opened(source: BinaryIO, block_size: int, inside: Inside) -> Opened | None:
    """The most of any block; `source` is left where it was. None if it can't be read twice."""
    if not source.seekable():
        return None
    begin = source.tell()
    size = coefficients = 0
    for block in read_blocks(source, block_size, inside):
        found = size_opened(block, inside)
        size, coefficients = max(size, found.size), max(coefficients, found.coefficients)
    source.seek(begin)
    return Opened(size, coefficients)
