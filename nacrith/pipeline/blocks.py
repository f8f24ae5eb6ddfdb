"""The input in blocks, each of which becomes a frame.

None is cut in a compressed stream if it can be helped. One that begins in the middle of a picture
or a sound says so: these are cut, so that several workers code them.
"""

from collections.abc import Iterator
from typing import BinaryIO

from nacrith.codec.block import Block
from nacrith.codec.media import Media, find_media, rest_behind
from nacrith.format.frame import MAX_ORIGINAL
from nacrith.system.reading import read_up_to
from nacrith.transforms.opening.finding import find_cut_off
from nacrith.transforms.opening.limits import MAX_EXPANDED, Inside

_MOST_BLOCKS = 4
"""A block becomes at most so many times its size for a stream that ends behind it."""

_LEAST_BLOCK = 1 << 20
"""Bytes; who asks for smaller blocks wants them so."""

_STEP = 1 << 16
"""Bytes that are read at once to find the end of a stream."""


def read_blocks(source: BinaryIO, size: int, inside: Inside) -> Iterator[bytes]:
    """Read blocks of `size` bytes, the last one shorter; none if there is nothing.

    A block in which a stream or a picture begins that could be opened, and that goes on behind it,
    is longer.
    """
    kept = b""
    previous = b""
    rest: Media | None = None
    while True:
        block = kept[:size]
        kept = kept[size:]
        if len(block) < size:
            block += read_up_to(source, size - len(block))
        if not block:
            return
        if len(block) == size >= _LEAST_BLOCK:
            block, kept = _up_to_the_end(block, kept, source, inside)
        if previous:
            last = _last_media(previous, rest)
            rest = last and rest_behind(last, len(previous), len(block))
        previous = block
        yield Block(block, rest) if rest else block


def _last_media(block: bytes, rest: Media | None) -> Media | None:
    """The last picture or sound that begins in a block, or goes on in it."""
    if rest and rest.missing > 0:
        return rest
    return next(reversed(find_media(block, rest)), None)


def _up_to_the_end(
    block: bytes, kept: bytes, source: BinaryIO, inside: Inside
) -> tuple[bytes, bytes]:
    """Make a block longer, up to the end of a stream in it; return what was read too much.

    Args:
        kept: what is behind the block, in front of what `source` gives.
    """
    stream = find_cut_off(block, 0, MAX_EXPANDED, inside)
    if stream is None:
        return block, kept
    most = min(_MOST_BLOCKS * len(block), MAX_ORIGINAL)
    more = bytearray(kept)
    place = 0
    while not stream.ended and not stream.failed and len(block) + place < most:
        if place == len(more):
            data = read_up_to(source, _STEP)
            if not data:
                break
            more += data
        before = stream.used
        stream.feed(bytes(more[place : place + _STEP]))
        place += stream.used - before
    if not stream.ended or len(block) + place > most:
        return block, bytes(more)
    # With a checksum that may follow.
    end = min(place + _BEHIND, len(more))
    return block + bytes(more[:end]), bytes(more[end:])


_BEHIND = 24
"""Bytes: the CRC-32 and size of gzip, the descriptor of zip."""
