"""Which transforms a text gets before it is spelled in tokens."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coder import Encoder
from nacrith.transforms.charset import detect, to_utf8
from nacrith.transforms.line_breaks import code_line_breaks
from nacrith.transforms.line_ends import has_crlf_lines, without_cr
from nacrith.transforms.line_wrapping import unwrap

# A line break inside a paragraph costs the language model at least this much, with
# what it does to the words after it: measured on texts on both sides of it.
BITS_PER_LINE_BREAK = 2.5


@dataclass(frozen=True)
class PreparedText:
    """What the language model reads, and what brings the original back.

    Attributes:
        text: the transformed text.
        charset: number of the charset it came in (`charset.CHARSETS`).
        crlf: lines ended in CR LF, now in LF.
        wrapped: some of the spaces at `places` were line breaks.
        places: [n] int64, the gaps between words in the unwrapped text.
        breaks: [n] uint8, 1 = was a line break.
    """

    text: bytes
    charset: int
    crlf: bool
    wrapped: bool
    places: npt.NDArray[np.int64]
    breaks: npt.NDArray[np.uint8]

    @property
    def breaks_size(self) -> int:
        """Bytes that the line breaks take which are coded apart."""
        return line_breaks_size(self.text, self.places, self.breaks) if self.wrapped else 0


def prepare(text: bytes) -> PreparedText:
    """Transform a text where that pays."""
    charset = detect(text)
    text = to_utf8(text, charset)
    crlf = has_crlf_lines(text)
    if crlf:
        text = without_cr(text)
    unwrapped, places, breaks = unwrap(text)
    wrapped = _unwrapping_pays(unwrapped, places, breaks)
    return PreparedText(unwrapped if wrapped else text, charset, crlf, wrapped, places, breaks)


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
