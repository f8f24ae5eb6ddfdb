"""What a block holds with its streams opened, without opening them so that they can be closed.

As quick as zlib, and about right: streams that can't be closed again, or do not pay, count too.
"""

from collections.abc import Callable, Iterator

from nacrith.transforms.opening.finding import find_streams
from nacrith.transforms.opening.forms import Form
from nacrith.transforms.opening.limits import MAX_DEPTH, MAX_EXPANDED, Inside

_MOST_IN_VAIN = 8
"""Of streams that do not fit, contents of at most so many times the limit are looked at."""


class _Left:
    """What may still be opened, in all layers together.

    Attributes:
        growth: bytes by which the block may still grow.
        in_vain: bytes that may still be inflated of what does not fit.
    """

    def __init__(self, block: bytes) -> None:
        self.growth = MAX_EXPANDED - len(block)
        self.in_vain = _MOST_IN_VAIN * MAX_EXPANDED


def _ignored(picture: bytes) -> None:
    pass


def peek(
    block: bytes,
    inside: Inside,
    depth: int = MAX_DEPTH,
    on_picture: Callable[[bytes], None] = _ignored,
) -> Iterator[bytes]:
    """Yield the bytes around the streams of a block, and their contents; first what is around.

    Together they are no more than `MAX_EXPANDED` or the block.

    Args:
        depth: of layers, streams in streams.
        on_picture: called with each JPEG picture.
    """
    return _peek(block, inside, depth, _Left(block), on_picture)


def _peek(
    block: bytes,
    inside: Inside,
    depth: int,
    left: _Left,
    on_picture: Callable[[bytes], None],
) -> Iterator[bytes]:
    around, contents, begin = [], [], 0
    # No stream has more content and fits.
    limit = min(MAX_EXPANDED, len(block) + left.growth)
    looks = depth and left.growth > 0 and left.in_vain > 0
    for found in find_streams(block, 0, limit, inside) if looks else ():
        if found.form == Form.JPEG:
            on_picture(block[found.pieces[0][0] : found.end])
        grown = len(found.content) - found.size
        if not found.content:
            continue
        if grown > left.growth:
            left.in_vain -= len(found.content)
            if left.in_vain < 0:
                break
            continue
        left.growth -= grown
        contents.append(found.content)
        for piece_begin, piece_end in found.pieces:
            around.append(block[begin:piece_begin])
            begin = piece_end
    yield b"".join([*around, block[begin:]])
    for content in contents:
        yield from _peek(content, inside, depth - 1, left, on_picture)
