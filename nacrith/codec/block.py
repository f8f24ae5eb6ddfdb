"""A block of the input that begins in the middle of a picture or a sound."""

from nacrith.codec.media import Media


class Block(bytes):
    """Bytes, and what only those before them tell.

    Attributes:
        rest: the picture or sound that goes on in them.
    """

    rest: Media

    def __new__(cls, data: bytes, rest: Media) -> "Block":
        self = super().__new__(cls, data)
        self.rest = rest
        return self

    def __reduce__(self) -> tuple[type["Block"], tuple[bytes, Media]]:
        """For workers in other processes."""
        return Block, (bytes(self), self.rest)


def rest_of(block: bytes) -> Media | None:
    """The picture or sound that goes on in a block, if it is known."""
    return block.rest if isinstance(block, Block) else None
