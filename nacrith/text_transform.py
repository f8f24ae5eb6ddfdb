"""Reversible transforms that turn text into what a language model reads best.

Carriage returns: where every line ends in CR LF, the CRs are left out.

Hard-wrapped paragraphs: a line break between two words becomes a space, as in
running text, and is coded apart, one bit a space (`predictors.line_breaks`). It
is a matter of columns, of which a language model knows little; and words at the
start of a line get the tokens that they have elsewhere. The idea is "EOL coding"
(Skibiński, Grabowski & Deorowicz 2005, WRT), there for PPM and dictionary
coders.
"""

import numpy as np
import numpy.typing as npt

SPACE, NEWLINE = 0x20, 0x0A

_IS_BLANK = np.zeros(256, dtype=bool)
_IS_BLANK[[0x09, NEWLINE, 0x0B, 0x0C, 0x0D, SPACE]] = True


def has_crlf_lines(text: bytes) -> bool:
    """Does every line end in CR LF, with no other CR or LF anywhere?"""
    n = text.count(b"\r\n")
    return n > 0 and n == text.count(b"\n") == text.count(b"\r")


def without_cr(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n")


def with_cr(text: bytes) -> bytes:
    """Inverse of `without_cr` for text of which `has_crlf_lines` holds."""
    return text.replace(b"\n", b"\r\n")


def gaps(text: bytes) -> npt.NDArray[np.int64]:
    """Places of single spaces and line breaks between two words, ascending.

    Exactly these may be line breaks in disguise: `unwrap` changes none of their
    neighbors, so the places are the same before and after.
    """
    characters = np.frombuffer(text, dtype=np.uint8)
    is_word = ~_IS_BLANK[characters]
    is_gap = (characters == SPACE) | (characters == NEWLINE)
    is_gap[1:] &= is_word[:-1]
    is_gap[:-1] &= is_word[1:]
    if len(text):
        is_gap[0] = is_gap[-1] = False
    return np.flatnonzero(is_gap)


def unwrap(text: bytes, places: npt.NDArray[np.int64]) -> tuple[bytes, npt.NDArray[np.uint8]]:
    """Write a space in all `places`; return the text and which were line breaks.

    Args:
        text: any bytes.
        places: `gaps(text)`.

    Returns:
        The unwrapped text, and [len(places)] uint8 flags.
    """
    characters = np.frombuffer(text, dtype=np.uint8).copy()
    breaks = (characters[places] == NEWLINE).astype(np.uint8)
    characters[places] = SPACE
    return characters.tobytes(), breaks


def rewrap(text: bytes, places: npt.NDArray[np.int64], breaks: npt.NDArray[np.uint8]) -> bytes:
    """Inverse of `unwrap`."""
    characters = np.frombuffer(text, dtype=np.uint8).copy()
    characters[places[breaks != 0]] = NEWLINE
    return characters.tobytes()
