"""How large the blocks of a file are with the compressed streams in them opened."""

from typing import BinaryIO

from nacrith.pipeline.blocks import read_blocks
from nacrith.transforms.opening.limits import MAX_EXPANDED, Inside
from nacrith.transforms.opening.peeking import peek


def size_opened(block: bytes, inside: Inside) -> int:
    """Bytes of a block with its streams opened, at most about."""
    return max(len(block), min(MAX_EXPANDED, sum(map(len, peek(block, inside)))))


def largest_opened(source: BinaryIO, block_size: int, inside: Inside) -> int | None:
    """That of the largest block; `source` is left where it was. None if it can't be read twice."""
    if not source.seekable():
        return None
    begin = source.tell()
    blocks = read_blocks(source, block_size, inside)
    largest = max((size_opened(block, inside) for block in blocks), default=0)
    source.seek(begin)
    return largest
