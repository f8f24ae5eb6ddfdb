"""The transforms of a text, in order: to what the language model reads, and back.

charset → UTF-8; CR LF → LF; hard-wrapped paragraphs → running text. Which of them were made
is coded in front of the tokens, and the line breaks of the last behind them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coder import Coder, Encoder
from nacrith.errors import FormatError
from nacrith.transforms.charset import CHARSETS, detect, from_utf8, to_utf8
from nacrith.transforms.line_breaks import code_line_breaks
from nacrith.transforms.line_ends import has_crlf_lines, with_cr, without_cr
from nacrith.transforms.line_wrapping import gaps, rewrap, unwrap

# A line break inside a paragraph costs the language model at least this much, with
# what it does to the words after it: measured on texts on both sides of it.
BITS_PER_LINE_BREAK = 2.5

# Probabilities in 2**-16.
_EVEN = 1 << 15
_NOT_UTF8 = 1 << 8
_CHARSET_BITS = 5


class Transforms(NamedTuple):
    """Which transforms were made.

    Attributes:
        charset: number of the charset the text came in (`charset.CHARSETS`).
        crlf: lines ended in CR LF, now in LF.
        wrapped: some of the gaps between words were line breaks.
    """

    charset: int = 0
    crlf: bool = False
    wrapped: bool = False


NO_TRANSFORMS = Transforms()


@dataclass(frozen=True)
class PreparedText:
    """What the language model reads, and what brings the original back.

    Attributes:
        text: the transformed text.
        transforms: those that were made.
        places: [n] int64, the gaps between words in the unwrapped text.
        breaks: [n] uint8, 1 = was a line break.
    """

    text: bytes
    transforms: Transforms
    places: npt.NDArray[np.int64]
    breaks: npt.NDArray[np.uint8]

    def code_breaks(self, coder: Encoder) -> None:
        """Encode the line breaks that are not in `text`, if there are any."""
        if self.transforms.wrapped:
            code_line_breaks(coder, self.text, self.places, self.breaks)

    @property
    def breaks_size(self) -> int:
        """Bytes that the line breaks take which are coded apart."""
        if not self.transforms.wrapped:
            return 0
        return line_breaks_size(self.text, self.places, self.breaks)


def prepare(text: bytes) -> PreparedText:
    """Transform a text where that pays."""
    charset = detect(text)
    text = to_utf8(text, charset)
    crlf = has_crlf_lines(text)
    if crlf:
        text = without_cr(text)
    unwrapped, places, breaks = unwrap(text)
    wrapped = _unwrapping_pays(unwrapped, places, breaks)
    made = Transforms(charset, crlf, wrapped)
    return PreparedText(unwrapped if wrapped else text, made, places, breaks)


def code_transforms(coder: Coder, made: Transforms = NO_TRANSFORMS) -> Transforms:
    """Code which transforms were made; `made` is ignored when decoding.

    Raises:
        FormatError: there is no charset of that number.
    """
    charset = _code_charset(coder, made.charset)
    crlf = _code_flag(coder, made.crlf)
    wrapped = _code_flag(coder, made.wrapped)
    return Transforms(charset, crlf, wrapped)


def restore(coder: Coder, text: bytes, made: Transforms, size: int, longest: int) -> bytes:
    """Inverse of `prepare`.

    Args:
        coder: a decoder, behind the tokens.
        text: as the language model has read it.
        size: bytes of the original.
        longest: bytes that the text can have on the way.

    Raises:
        FormatError: this can't be the text.
        UnsupportedError: this Python has another table of the charset.
    """
    if made.wrapped:
        places = gaps(text)
        breaks = np.zeros(len(places), dtype=np.uint8)
        code_line_breaks(coder, text, places, breaks)
        text = rewrap(text, places, breaks, longest)
    if made.crlf:
        text = with_cr(text)
    try:
        text = from_utf8(text, made.charset)
    except UnicodeError as error:
        raise FormatError("a frame is damaged: its text is not of its charset") from error
    if len(text) != size:
        raise FormatError("a frame is damaged: its text has another length than recorded")
    return text


def _unwrapping_pays(
    unwrapped: bytes, places: npt.NDArray[np.int64], breaks: npt.NDArray[np.uint8]
) -> bool:
    """Does it cost less to code the line breaks apart than as tokens?"""
    n = int(breaks.sum())
    return n > 0 and 8 * line_breaks_size(unwrapped, places, breaks) < BITS_PER_LINE_BREAK * n


def line_breaks_size(
    unwrapped: bytes, places: npt.NDArray[np.int64], breaks: npt.NDArray[np.uint8]
) -> int:
    """Bytes that the line breaks take if they are coded apart."""
    coder = Encoder()
    code_line_breaks(coder, unwrapped, places, breaks)
    return len(coder.finish())


def _code_flag(coder: Coder, flag: bool, probability: int = _EVEN) -> bool:
    return bool(coder.code_bit(probability, int(flag)))


def _code_charset(coder: Coder, charset: int) -> int:
    """Code the number of a charset; nearly all text is UTF-8."""
    if not _code_flag(coder, charset > 0, _NOT_UTF8):
        return 0
    number = 0
    for i in reversed(range(_CHARSET_BITS)):
        number |= _code_flag(coder, bool(charset >> i & 1)) << i
    if not 0 < number < len(CHARSETS):
        raise FormatError(f"a frame is damaged: it names charset {number}")
    return number
