"""Where a hard-wrapped text breaks its lines.

One bit per gap between two words. A text that was filled to a width breaks a
line where the next word would not fit, so what counts is the column that the
next word would end in; the widths of the lines before say which limit holds.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import njit
from coder.range_coder import code_bit
from nacrith.transforms.indentation import begin_line, expected, is_blank, no_lines
from predictors.mixing import mixer
from predictors.mixing.logistic import PROBABILITY_BITS, PROBABILITY_ONE, adapt, squash, stretch

_COLUMNS = 256
"""Columns, and differences of columns, that are told apart."""

_NO_DIFFERENCE = _COLUMNS // 2
"""Where the table has differences of 0."""

_KEYS = 4
"""Ways to look up the probability of a break."""

_INPUTS = _KEYS + 1
"""Of the mixer: a probability for each key, and a constant."""

_LANES = mixer.whole_lanes(_INPUTS)

_SETS = 32
"""Weight sets, by eight columns of where the next word would end."""

_RATE = 4000
"""Of the mixer, in the unit of `mixer.train`."""

_SHIFT = 6
"""Probabilities learn by 1/n at first, then by 2**-shift of the error."""

_BLOCK = 8192
"""Bytes of text whose gaps are coded in one call of the kernel."""

_SPACE, _NEWLINE, _TAB = 32, 10, 9

# What is known of a text up to a place: the place, the column, the greatest and the last width
# of wrapped lines.
_PLACE, _COLUMN, _WIDEST, _WIDTH = range(4)

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

Tables = namedtuple("Tables", "table counts weights")
Tables.__doc__ = """What is learned of all texts of a frame.

table: [_KEYS * _COLUMNS] int64, probabilities of a break in 2**-24; counts: how often each
was used, as far as that matters. weights: [_SETS * whole lanes] int32, see
`mixer`.
"""

Lines = namedtuple("Lines", "line indents state")
Lines.__doc__ = """How far a text has been read. line, indents: see `indentation`.

state: [4] int64, see `_PLACE`.
"""


def _new_tables() -> Tables:
    first = mixer.new_inputs(_INPUTS)
    first[:_KEYS] = mixer.WEIGHT_ONE * 2 // 5
    return Tables(
        table=np.full(_KEYS * _COLUMNS, PROBABILITY_ONE // 16, dtype=np.int64),
        counts=np.zeros(_KEYS * _COLUMNS, dtype=np.int64),
        weights=np.tile(first, _SETS),
    )


@njit(cache=True)
def _adapt_fast(table: Integers, counts: Integers, i: int, bit: int) -> None:
    """Move by the reciprocal of the count of observations, at least by 2**-5."""
    n = counts[i]
    if n < (1 << _SHIFT) - 2:
        counts[i] = n + 1
        table[i] += ((bit * (PROBABILITY_ONE - 1) - table[i]) * 2) // (2 * n + 3)
    else:
        table[i] = adapt(table[i], bit, _SHIFT)


@njit(cache=True)
def column_after(column: int, byte: int) -> Any:
    """The column behind a byte in this one, in characters of UTF-8.

    A tab begins afresh: where it stands behind a heading of any length, as in plays, what
    follows is filled to a width of its own.
    """
    return 0 if byte == _TAB else column + ((byte & 0xC0) != 0x80)


@njit(cache=True)
def _reach(text: Bytes, place: int, column: int) -> Any:
    """The column behind the word that follows the gap at `place`, which is in `column`."""
    end = place + 1
    reach = column + 1
    while end < len(text) and not is_blank(text[end]):
        reach = column_after(reach, text[end])
        end += 1
    return min(reach, _COLUMNS - 1)


@njit(cache=True)
def _write_keys(keys: Integers, reach: int, column: int, state: Integers) -> None:
    """Write where the table has the probabilities of a break, [_KEYS] int64."""
    last = _COLUMNS - 1
    keys[0] = reach
    keys[1] = _COLUMNS + min(column, last)
    # Against the widest of the wrapped lines before, which the limit cannot be below, and
    # against the last of them.
    keys[2] = 2 * _COLUMNS + min(max(reach - state[_WIDEST] + _NO_DIFFERENCE, 0), last)
    keys[3] = 3 * _COLUMNS + min(max(reach - state[_WIDTH] + _NO_DIFFERENCE, 0), last)


@njit(cache=True)
def is_gap(text: Bytes, place: int) -> Any:
    """Is there a single space between two words?"""
    return (
        text[place] == _SPACE
        and 0 < place < len(text) - 1
        and not is_blank(text[place - 1])
        and not is_blank(text[place + 1])
    )


@njit(cache=True)
def _code(
    coder_state: Integers,
    buffer: Bytes,
    t: Tables,
    lines: Lines,
    text: Bytes,
    breaks: Bytes,
    end: int,
) -> None:
    """Code the gaps before `end` that have not been coded."""
    state = lines.state
    inputs = np.zeros(_LANES, dtype=np.int32)
    inputs[_KEYS] = mixer.CONSTANT_INPUT
    keys = np.zeros(_KEYS, dtype=np.int64)
    begin = state[_PLACE]
    if begin == 0:
        begin_line(lines.line, lines.indents, text, 0)
    column = state[_COLUMN]
    for place in range(begin, end):
        if not is_gap(text, place):
            # Breaks that are no gaps stand in the text itself.
            if text[place] == _NEWLINE:
                begin_line(lines.line, lines.indents, text, place + 1)
                column = 0
            else:
                column = column_after(column, text[place])
            continue
        reach = _reach(text, place, column)
        _write_keys(keys, reach, column, state)
        for k in range(_KEYS):
            inputs[k] = stretch(t.table[keys[k]])
        chosen = min(reach >> 3, _SETS - 1) * _LANES
        odds = mixer.dot(t.weights, chosen, inputs)
        known = np.int64(breaks[place])
        bit = code_bit(coder_state, buffer, squash(odds), PROBABILITY_BITS, known)
        breaks[place] = bit
        mixer.train(t.weights, chosen, inputs, odds, bit, _RATE)
        for k in range(_KEYS):
            _adapt_fast(t.table, t.counts, keys[k], bit)
        if bit:
            # A slowly shrinking maximum.
            state[_WIDEST] = max(column, state[_WIDEST] - 1)
            state[_WIDTH] = column
            column = 0
            first, length = expected(lines.line, lines.indents)
            for j in range(first, first + length):
                column = column_after(column, text[j])
        else:
            column += 1
    state[_COLUMN] = column
    state[_PLACE] = end


def last_word_end(text: Bytes) -> int:
    """Where the last word ends behind which there is a blank; 0 = there is none.

    What is coded of the gaps before it does not depend on the bytes behind it.
    """
    return int(_last_word_end(_read_only(text)))


def _read_only(text: Bytes) -> Bytes:
    """Kernels would be compiled a second time for arrays that can be written to."""
    text = text.view()
    text.flags.writeable = False
    return text


@njit(cache=True)
def _last_word_end(text: Bytes) -> Any:
    for end in range(len(text) - 1, 0, -1):
        if is_blank(text[end]) and not is_blank(text[end - 1]):
            return end
    return 0


class LineBreaks:
    """Codes which gaps of some texts are line breaks with the expected indentation behind.

    The texts share what is learned; each begins as if nothing were before it.
    """

    def __init__(self, n_texts: int) -> None:
        """
        Args:
            n_texts: how many texts there are.
        """
        self._tables = _new_tables()
        self._lines = [Lines(*no_lines(), np.zeros(4, dtype=np.int64)) for _ in range(n_texts)]

    def place(self, number: int) -> int:
        """The end of what is coded of a text."""
        return int(self._lines[number].state[_PLACE])

    def code(self, coder: Coder, number: int, text: Bytes, breaks: Bytes, end: int) -> None:
        """Go on with a text.

        Args:
            coder: an encoder or a decoder.
            number: of the text.
            text: [n] uint8, its beginning, unwrapped; once coded it does not change.
            breaks: [≥ n] uint8, 1 at each gap that is a line break. Read when encoding,
                filled in when decoding.
            end: the gaps before it are coded: a place from `last_word_end`, or n if this is
                all of the text.
        """
        lines = self._lines[number]
        text = _read_only(text)
        while lines.state[_PLACE] < end:
            part = min(int(lines.state[_PLACE]) + _BLOCK, end)
            state, buffer = coder.kernel_state(_BLOCK)
            _code(state, buffer, self._tables, lines, text, breaks, part)
