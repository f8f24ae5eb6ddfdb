"""What a block holds with its streams opened, without opening them so that they can be closed.

As quick as zlib, and about right: streams that can't be closed again, or do not pay, count too.
"""

from collections.abc import Callable, Iterator

from nacrith.transforms.opening.finding import find_streams
from nacrith.transforms.opening.forms import Form
from nacrith.transforms.opening.limits import MAX_DEPTH, MAX_EXPANDED, Inside


def _ignored(picture: bytes) -> None:
    pass


def peek(
    block: bytes,
    inside: Inside,
    depth: int = MAX_DEPTH,
    on_picture: Callable[[bytes], None] = _ignored,
) -> Iterator[bytes]:
    """Yield the bytes around the streams of a block, and their contents; first what is around.

    Args:
        depth: of layers, streams in streams.
        on_picture: called with each JPEG picture.
    """
    around, contents, begin = [], [], 0
    left = MAX_EXPANDED - len(block)
    for found in find_streams(block, 0, MAX_EXPANDED, inside) if depth else ():
        if found.form == Form.JPEG:
            on_picture(block[found.pieces[0][0] : found.end])
        grown = len(found.content) - found.size
        if not found.content or grown > left:
            continue
        left -= grown
        contents.append(found.content)
        for piece_begin, piece_end in found.pieces:
            around.append(block[begin:piece_begin])
            begin = piece_end
    yield b"".join([*around, block[begin:]])
    for content in contents:
        yield from peek(content, inside, depth - 1, on_picture)
