"""The past of a stream: a ring of its newest bytes, its words, lines and tokens."""

from collections import namedtuple
from typing import Any

import numpy as np

from coder.kernels import inlined
from predictors.mixing.hashing import combine

# Fields of a stream's row of int64 state.
END, WORD, LAST_WORD, WORD_BEFORE, LINE, LAST_LINE, MATCH, MATCH_LENGTH, TOKEN_1 = range(9)
MAX_TOKENS = 6
"""The newest so many tokens are from `TOKEN_1` on, the last one first."""
FIELDS = TOKEN_1 + MAX_TOKENS

PADDING = 8
"""A past begins with so many zeros, which the longest byte context may look back into."""

NOTHING_OWN = 63
"""A shift by which `own_of` is 0 for all streams."""

NEWLINE = 10
# Sets ASCII letters in lower case.
_CASE_BIT = 32

Past = namedtuple("Past", "history mask base state")
Past.__doc__ = """The past of one stream.

history: [S * capacity] uint8, the rings of all streams. mask: int64, capacity - 1, a power of
two minus one. base: int64, first place of this stream in `history`. state: [FIELDS] int64:
`END` counts the bytes, with the padding; `LINE` and `LAST_LINE` are where the line and the one
before it begin, in the same count; words are hashes; `MATCH` is a place in `history`.
"""


def new_states(n_streams: int) -> np.ndarray:
    """[n_streams, FIELDS] int64: the state of each stream before its first byte."""
    states = np.zeros((n_streams, FIELDS), dtype=np.int64)
    states[:, END] = states[:, LINE] = PADDING
    return states


@inlined
def own_of(past: Past, shift: int) -> Any:
    """What tells apart what streams keep for themselves: the stream's number, or 0 for all.

    Args:
        shift: int64, the binary logarithm of a ring's length, or `NOTHING_OWN`.
    """
    return past.base >> shift


@inlined
def byte_before(past: Past, n: int) -> Any:
    """The nth newest byte, int64; n ≥ 1."""
    return np.int64(past.history[past.base | ((past.state[END] - n) & past.mask)])


@inlined
def place_of_end(past: Past) -> Any:
    """The place in `history` behind the newest byte."""
    return past.base | (past.state[END] & past.mask)


@inlined
def append_byte(past: Past, byte: int) -> None:
    """Append a byte, int64, to the ring; update the word and the line."""
    state = past.state
    past.history[place_of_end(past)] = byte
    state[END] += 1
    letter = byte | _CASE_BIT
    if 97 <= letter <= 122 or byte >= 128:
        state[WORD] = combine(state[WORD], letter + 1)
    elif state[WORD] != 0:
        state[WORD_BEFORE] = state[LAST_WORD]
        state[LAST_WORD] = state[WORD]
        state[WORD] = 0
    if byte == NEWLINE:
        state[LAST_LINE] = state[LINE]
        state[LINE] = state[END]


@inlined
def append_token(past: Past, symbol: int) -> None:
    """Note a complete token."""
    state = past.state
    for i in range(TOKEN_1 + MAX_TOKENS - 1, TOKEN_1, -1):
        state[i] = state[i - 1]
    state[TOKEN_1] = symbol
