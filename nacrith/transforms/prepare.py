"""The transforms of a text, in order: to what the language model reads, and back.

charset → UTF-8; CR LF → LF; cut into pieces, one for each stream; hard-wrapped paragraphs →
running text. Which of them were made is coded in front of the tokens, and the line breaks of
the last as soon as the words around them are known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coder import Encoder
from nacrith.errors import FormatError
from nacrith.transforms.charset import detect, from_utf8, to_utf8
from nacrith.transforms.line_breaks import LineBreaks
from nacrith.transforms.line_ends import has_crlf_lines, with_cr, without_cr
from nacrith.transforms.line_wrapping import rewrap, unwrap
from nacrith.transforms.transforms_made import Transforms

# A line break inside a paragraph costs the language model at least this much, with
# what it does to the words after it: measured on texts on both sides of it.
BITS_PER_LINE_BREAK = 2.5

Breaks = npt.NDArray[np.uint8]


class Piece(NamedTuple):
    """A part of a text, as the language model reads it.

    Attributes:
        text: transformed.
        breaks: [n] uint8, 1 = a space of the text that was a line break.
        size: bytes of the original.
    """

    text: bytes
    breaks: Breaks
    size: int


@dataclass(frozen=True)
class PreparedText:
    """What the language model reads, and what brings the original back.

    Attributes:
        pieces: of the text, in their order.
        transforms: those that were made, of all pieces.
    """

    pieces: list[Piece]
    transforms: Transforms

    @property
    def text(self) -> bytes:
        """All pieces, joined."""
        return b"".join(piece.text for piece in self.pieces)

    @property
    def breaks_size(self) -> int:
        """Bytes that the line breaks take which are coded apart."""
        if not self.transforms.wrapped:
            return 0
        return line_breaks_size([(piece.text, piece.breaks) for piece in self.pieces])


def _whole(text: bytes) -> list[int]:
    return []


def prepare(text: bytes, cut: Callable[[bytes], list[int]] = _whole) -> PreparedText:
    """Transform a text where that pays.

    Args:
        cut: where to cut a text in UTF-8 with LF, ascending places inside of it; before them
            are whole characters. By default nowhere.
    """
    charset = detect(text)
    text = to_utf8(text, charset)
    crlf = has_crlf_lines(text)
    if crlf:
        text = without_cr(text)
    whole = unwrap(text)
    wrapped = _unwrapping_pays(*whole)
    made = Transforms(charset, crlf, wrapped)
    cuts = cut(text)
    parts = [text[begin:end] for begin, end in pairwise([0, *cuts, len(text)])]
    if not wrapped:
        changed = [(part, np.zeros(len(part), dtype=np.uint8)) for part in parts]
    else:
        changed = [unwrap(part) for part in parts] if cuts else [whole]
    sizes = [len(_to_original(part, made)) for part in parts]
    pieces = [Piece(*c, size) for c, size in zip(changed, sizes, strict=True)]
    return PreparedText(pieces, made)


def _to_original(text: bytes, made: Transforms) -> bytes:
    """Turn back the transforms of all pieces; raises UnicodeError."""
    return from_utf8(with_cr(text) if made.crlf else text, made.charset)


def restore(text: bytes, breaks: Breaks, made: Transforms, longest: int) -> bytes:
    """The original of a piece, or of its beginning if that ends with a character or word.

    Args:
        text: as the language model has read it.
        breaks: [≥ n] uint8, of `Piece`.
        made: which transforms were made.
        longest: bytes that the text can have on the way.

    Raises:
        FormatError: this can't be a text of that charset.
        UnsupportedError: this Python has another table of the charset.
    """
    if made.wrapped:
        text = rewrap(text, breaks, longest)
    try:
        return _to_original(text, made)
    except UnicodeError as error:
        raise FormatError("a frame is damaged: its text is not of its charset") from error


def _unwrapping_pays(unwrapped: bytes, breaks: Breaks) -> bool:
    """Does it cost less to code the line breaks apart than as tokens?"""
    n = int(breaks.sum())
    return n > 0 and 8 * line_breaks_size([(unwrapped, breaks)]) < BITS_PER_LINE_BREAK * n


def line_breaks_size(texts: list[tuple[bytes, Breaks]]) -> int:
    """Bytes that the line breaks of unwrapped texts take if they are coded apart."""
    coder = Encoder()
    lines = LineBreaks(len(texts))
    for i, (text, breaks) in enumerate(texts):
        lines.code(coder, i, np.frombuffer(text, dtype=np.uint8), breaks, len(text))
    return len(coder.finish())
