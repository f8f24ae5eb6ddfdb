"""What a block holds with its streams opened, without opening them so that they can be closed.

As quick as zlib, and about right: streams that can't be closed again, or do not pay, count too.
"""

from collections.abc import Iterator

from nacrith.transforms.opening.finding import find_streams
from nacrith.transforms.opening.limits import MAX_DEPTH, MAX_EXPANDED, Inside


def peek(block: bytes, inside: Inside, depth: int = MAX_DEPTH) -> Iterator[bytes]:
    """Yield the bytes around the streams of a block, and their contents; first what is around.

    Args:
        depth: of layers, streams in streams.
    """
    around, contents, begin = [], [], 0
    left = MAX_EXPANDED - len(block)
    for found in find_streams(block, 0, MAX_EXPANDED, inside) if depth else ():
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
        yield from peek(content, inside, depth - 1)
