"""Where a hard-wrapped text breaks its lines.

One bit per gap between two words. A text that was filled to a width breaks a
line where the next word would not fit, so what counts is the column that the
next word would end in; the widths of the lines before say which limit holds.
"""

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import njit
from coder.range_coder import code_bit
from nacrith.transforms.indentation import begin_line, expected, is_blank, no_lines
from predictors.mixing import mixer
from predictors.mixing.logistic import PROBABILITY_BITS, PROBABILITY_ONE, adapt, squash, stretch

_COLUMNS = 256
_INPUTS = 5
_RATE = 4000
# Probabilities learn by 1/n at first, then by 2**-shift.
_SHIFT = 6
_BLOCK = 4096


@njit(cache=True)
def _adapt_fast(table, counts, i, bit):
    """Move by the reciprocal of the count of observations, at least by 2**-5."""
    n = counts[i]
    if n < (1 << _SHIFT) - 2:
        counts[i] = n + 1
        table[i] += ((bit * (PROBABILITY_ONE - 1) - table[i]) * 2) // (2 * n + 3)
    else:
        table[i] = adapt(table[i], bit, _SHIFT)


@njit(cache=True)
def column_after(column, byte):
    """The column behind a byte in this one, in characters of UTF-8.

    A tab begins afresh: where it stands behind a heading of any length, as in plays, what
    follows is filled to a width of its own.
    """
    return 0 if byte == 9 else column + ((byte & 0xC0) != 0x80)


@njit(cache=True)
def _code(
    coder_state, buffer, text, places, breaks, begin, end, line, indents, state, table, counts,
    weights,
):  # fmt: skip
    inputs = np.zeros(_INPUTS, dtype=np.int64)
    keys = np.zeros(_INPUTS - 1, dtype=np.int64)
    last = _COLUMNS - 1
    for i in range(begin, end):
        place = places[i]
        column = state[0]
        # Breaks that are no gaps stand in the text itself.
        for j in range(state[1], place):
            if text[j] == 10:
                begin_line(line, indents, text, j + 1)
                column = 0
            else:
                column = column_after(column, text[j])
        word_end = place + 1
        reach = column + 1
        while word_end < len(text) and not is_blank(text[word_end]):
            reach = column_after(reach, text[word_end])
            word_end += 1
        reach = min(reach, last)
        keys[0] = reach
        keys[1] = _COLUMNS + min(column, last)
        # Against the widest of the wrapped lines before, which the limit cannot be below.
        keys[2] = 2 * _COLUMNS + min(max(reach - state[2] + 128, 0), last)
        keys[3] = 3 * _COLUMNS + min(max(reach - state[3] + 128, 0), last)
        for k in range(_INPUTS - 1):
            inputs[k] = stretch(table[keys[k]])
        inputs[_INPUTS - 1] = mixer.CONSTANT_INPUT
        w = weights[min(reach >> 3, 31)]
        odds = mixer.dot(w, inputs, _INPUTS)
        p = squash(odds)
        bit = code_bit(coder_state, buffer, p, PROBABILITY_BITS, np.int64(breaks[i]))
        breaks[i] = bit
        mixer.train(w, inputs, _INPUTS, odds, bit, _RATE)
        for k in range(_INPUTS - 1):
            _adapt_fast(table, counts, keys[k], bit)
        if bit:
            # A slowly shrinking maximum and the last wrapped line.
            state[2] = max(column, state[2] - 1)
            state[3] = column
            column = 0
            first, length = expected(line, indents)
            for j in range(first, first + length):
                column = column_after(column, text[j])
        else:
            column += 1
        state[0] = column
        state[1] = place + 1


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
    line, indents = no_lines()
    begin_line(line, indents, characters, 0)
    # Column, place looked at, two widths of wrapped lines.
    state = np.zeros(4, dtype=np.int64)
    table = np.full(4 * _COLUMNS, PROBABILITY_ONE // 16, dtype=np.int64)
    counts = np.zeros(4 * _COLUMNS, dtype=np.int64)
    weights = np.full((32, _INPUTS), mixer.WEIGHT_ONE * 2 // 5, dtype=np.int64)
    weights[:, -1] = 0
    for begin in range(0, len(places), _BLOCK):
        end = min(begin + _BLOCK, len(places))
        coder_state, buffer = coder.kernel_state(end - begin)
        _code(
            coder_state, buffer, characters, places, breaks, begin, end, line, indents, state,
            table, counts, weights,
        )  # fmt: skip
