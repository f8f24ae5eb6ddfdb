"""Hard-wrapped paragraphs as running text, and back.

A line break between two words, with the indentation that is expected behind it,
becomes a space, and is coded apart, one bit a space (`nacrith.transforms.line_breaks`). It
is a matter of columns, of which a language model knows little; and words at the
start of a line get the tokens that they have elsewhere. The idea is "EOL coding"
(Skibiński, Grabowski & Deorowicz 2005, WRT), there for PPM and dictionary
coders.

Not so in verse: there the model does better with the breaks than without, and a
column says nothing.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.transforms.indentation import begin_line, expected, is_blank, is_inside, no_lines
from nacrith.transforms.line_breaks import column_after

SPACE, NEWLINE = 0x20, 0x0A

# A paragraph is prose if of its wrapped lines this share begins with a small letter; so
# many lines of the text's average are counted with its own, as a short one says little.
_SMALL = 0.3
_AVERAGE_LINES = 2
# And if most of its lines are full: the next word would have come this near to the width
# that this share of the lines before a small letter does not exceed, or beyond it.
_NEAR = 4
_WIDTH_SHARE = 90


@njit(cache=True)
def _find_breaks(
    text: npt.NDArray[np.uint8],
    line: npt.NDArray[np.int64],
    indents: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    words: npt.NDArray[np.int64],
    paragraphs: npt.NDArray[np.int64],
    widths: npt.NDArray[np.int64],
    reaches: npt.NDArray[np.int64],
) -> Any:
    """Find the breaks between words that have the expected indentation; return their number.

    Written for each: its place, that of the next word, the number of its paragraph, the
    width of its line, and the width it would have had with the next word.
    """
    n = 0
    paragraph = 0
    begin_line(line, indents, text, 0)
    width = 0
    for i in range(len(text)):
        if text[i] != NEWLINE:
            width = column_after(width, text[i])
            continue
        between = is_inside(line) and not is_blank(text[i - 1])
        place, length = expected(line, indents)
        word = begin_line(line, indents, text, i + 1)
        if not is_inside(line):
            paragraph += 1
        same = between and is_inside(line) and word - (i + 1) == length
        for j in range(length if same else 0):
            same &= text[i + 1 + j] == text[place + j]
        if same:
            reach = width + 1
            end = word
            while end < len(text) and not is_blank(text[end]):
                reach = column_after(reach, text[end])
                end += 1
            places[n] = i
            words[n] = word
            paragraphs[n] = paragraph
            widths[n] = width
            reaches[n] = reach
            n += 1
        width = 0
    return n


def _is_prose(
    starts: npt.NDArray[np.uint8],
    paragraphs: npt.NDArray[np.int64],
    widths: npt.NDArray[np.int64],
    reaches: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Which line breaks, given the first bytes of the lines behind them, are of prose."""
    small = ((starts >= ord("a")) & (starts <= ord("z"))) | (starts >= 0x80)
    if not small.any():
        return small
    full = reaches > np.percentile(widths[small], _WIDTH_SHARE) - _NEAR
    lines, n_small, n_full = (np.bincount(paragraphs, w) for w in (None, small, full))
    by_letters = n_small + _AVERAGE_LINES * small.mean() >= _SMALL * (lines + _AVERAGE_LINES)
    prose: npt.NDArray[np.bool_] = (by_letters & (2 * n_full >= lines))[paragraphs]
    return prose


def unwrap(text: bytes) -> tuple[bytes, npt.NDArray[np.uint8]]:
    """Write the line breaks of prose as spaces.

    Returns:
        The unwrapped text, and [n] uint8: 1 for each of its bytes that was a line break.
    """
    characters = np.frombuffer(text, dtype=np.uint8)
    found = [np.empty(text.count(b"\n"), dtype=np.int64) for _ in range(5)]
    n = _find_breaks(characters, *no_lines(), *found)
    places, words, *rest = (values[:n] for values in found)
    is_prose = _is_prose(characters[words], *rest)
    places, words = places[is_prose], words[is_prose]
    # The indentations go: everything between a break and the next word.
    edges = np.zeros(len(text) + 1, dtype=np.int64)
    edges[places + 1] += 1
    edges[words] -= 1
    is_kept = np.cumsum(edges[:-1]) == 0
    changed = characters.copy()
    changed[places] = SPACE
    breaks = np.zeros(len(text), dtype=np.uint8)
    breaks[places] = 1
    return changed[is_kept].tobytes(), breaks[is_kept]


@njit(cache=True)
def _rewrap(
    text: npt.NDArray[np.uint8],
    breaks: npt.NDArray[np.uint8],
    line: npt.NDArray[np.int64],
    indents: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
) -> Any:
    n = 0
    begin_line(line, indents, text, 0)
    for i in range(len(text)):
        is_break = breaks[i] != 0
        if n < len(out):
            out[n] = NEWLINE if is_break else text[i]
        n += 1
        if is_break:
            place, length = expected(line, indents)
            for j in range(place, place + length):
                if n < len(out):
                    out[n] = text[j]
                n += 1
        elif text[i] == NEWLINE:
            begin_line(line, indents, text, i + 1)
    return n


def rewrap(text: bytes, breaks: npt.NDArray[np.uint8], limit: int) -> bytes:
    """Inverse of `unwrap`; no bytes if they were more than `limit`.

    Args:
        breaks: [len(text)] uint8, 1 where the line ended.
    """
    characters = np.frombuffer(text, dtype=np.uint8)
    size = _rewrap(characters, breaks, *no_lines(), np.empty(0, dtype=np.uint8))
    if size > limit:
        return b""
    out = np.empty(size, dtype=np.uint8)
    _rewrap(characters, breaks, *no_lines(), out)
    return out.tobytes()
