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

_BLOCK = 4096
"""Gaps that are coded in one call of the kernel."""

_NEWLINE, _TAB = 10, 9

# What is known between two gaps: the column, the place in the text behind the last gap, the
# greatest and the last width of wrapped lines.
_COLUMN, _PLACE, _WIDEST, _WIDTH = range(4)

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

Tables = namedtuple("Tables", "line indents state table counts weights")
Tables.__doc__ = """All state of the coding of line breaks.

line, indents: see `indentation`. state: [4] int64, see `_COLUMN`. table: [_KEYS * _COLUMNS]
int64, probabilities of a break in 2**-24; counts: how often each was used, as far as that
matters. weights: [_SETS * whole lanes] int32, see `mixer`.
"""


def _new_tables() -> Tables:
    line, indents = no_lines()
    first = mixer.new_inputs(_INPUTS)
    first[:_KEYS] = mixer.WEIGHT_ONE * 2 // 5
    return Tables(
        line=line,
        indents=indents,
        state=np.zeros(4, dtype=np.int64),
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
def _code(
    coder_state: Integers,
    buffer: Bytes,
    t: Tables,
    text: Bytes,
    places: Integers,
    breaks: Bytes,
    begin: int,
    end: int,
) -> None:
    """Code breaks[begin:end], as `code_line_breaks` does."""
    state = t.state
    inputs = np.zeros(_LANES, dtype=np.int32)
    inputs[_KEYS] = mixer.CONSTANT_INPUT
    keys = np.zeros(_KEYS, dtype=np.int64)
    for i in range(begin, end):
        place = places[i]
        column = state[_COLUMN]
        # Breaks that are no gaps stand in the text itself.
        for j in range(state[_PLACE], place):
            if text[j] == _NEWLINE:
                begin_line(t.line, t.indents, text, j + 1)
                column = 0
            else:
                column = column_after(column, text[j])
        reach = _reach(text, place, column)
        _write_keys(keys, reach, column, state)
        for k in range(_KEYS):
            inputs[k] = stretch(t.table[keys[k]])
        chosen = min(reach >> 3, _SETS - 1) * _LANES
        odds = mixer.dot(t.weights, chosen, inputs)
        bit = code_bit(coder_state, buffer, squash(odds), PROBABILITY_BITS, np.int64(breaks[i]))
        breaks[i] = bit
        mixer.train(t.weights, chosen, inputs, odds, bit, _RATE)
        for k in range(_KEYS):
            _adapt_fast(t.table, t.counts, keys[k], bit)
        if bit:
            # A slowly shrinking maximum.
            state[_WIDEST] = max(column, state[_WIDEST] - 1)
            state[_WIDTH] = column
            column = 0
            first, length = expected(t.line, t.indents)
            for j in range(first, first + length):
                column = column_after(column, text[j])
        else:
            column += 1
        state[_COLUMN] = column
        state[_PLACE] = place + 1


def code_line_breaks(
    coder: Coder,
    text: bytes,
    places: npt.NDArray[np.int64],
    breaks: npt.NDArray[np.uint8],
) -> None:
    """Code which gaps of a text are line breaks, with the expected indentation behind.

    Args:
        coder: an encoder or a decoder.
        text: unwrapped.
        places: [n], where the gaps are, ascending.
        breaks: [n], 1 = line break. Read when encoding, filled in when decoding.
    """
    characters = np.frombuffer(text, dtype=np.uint8)
    tables = _new_tables()
    begin_line(tables.line, tables.indents, characters, 0)
    for begin in range(0, len(places), _BLOCK):
        end = min(begin + _BLOCK, len(places))
        coder_state, buffer = coder.kernel_state(end - begin)
        _code(coder_state, buffer, tables, characters, places, breaks, begin, end)
