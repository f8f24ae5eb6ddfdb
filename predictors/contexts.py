"""The contexts in which decisions are counted: bytes, words, columns, tokens.

Each kind hashes some part of the past. Byte contexts go on inside a token, so
they know the bytes of the token so far; token contexts know the tokens before
it, and what the language model expects, and are paired with the place in the
vocabulary trie.
"""

import numpy as np
from numba import njit

from predictors.hashing import combine

# Fields of a stream's row of int64 state.
END, WORD, LAST_WORD, LINE, LAST_LINE, MATCH, MATCH_LENGTH, TOKEN_1, TOKEN_2, TOKEN_3, TOKEN_4 = (
    range(11)
)
FIELDS = 11

ORDERS = (1, 2, 4, 6)
"""Lengths of the plain byte contexts."""

BYTE_KINDS = (
    *(f"order {n}" for n in ORDERS),
    "word",
    "two words",
    "column",
)
TOKEN_KINDS = (
    "1 token",
    "2 tokens",
    "3 tokens",
    "4 tokens",
    "expected token and last",
)
KINDS = BYTE_KINDS + TOKEN_KINDS
"""Names of all kinds, in the order of `hash_contexts`."""

N_BYTE_KINDS = len(BYTE_KINDS)
N_KINDS = len(KINDS)
ALL_KINDS = (1 << N_KINDS) - 1
"""The mask that switches every kind on."""

N_ORDERS = len(ORDERS)

# Tells apart histories of different kinds in the one table they share.
_SALT = np.int64(0x3C6EF372FE94F82B)


@njit(cache=True)
def append_byte(state, history, mask, base, byte):
    """Append a byte to a stream's history; update its word and line.

    Args:
        state: [FIELDS] int64, of the stream.
        history: [S * capacity] uint8.
        mask: capacity - 1.
        base: first place of the stream in `history`.
        byte: int64.
    """
    history[base | (state[END] & mask)] = byte
    state[END] += 1
    letter = byte | 32
    if 97 <= letter <= 122 or byte >= 128:
        state[WORD] = combine(state[WORD], letter + 1)
    elif state[WORD] != 0:
        state[LAST_WORD] = state[WORD]
        state[WORD] = 0
    if byte == 10:
        state[LAST_LINE] = state[LINE]
        state[LINE] = state[END]


@njit(cache=True)
def append_token(state, symbol):
    """Note a complete token."""
    state[TOKEN_4] = state[TOKEN_3]
    state[TOKEN_3] = state[TOKEN_2]
    state[TOKEN_2] = state[TOKEN_1]
    state[TOKEN_1] = symbol


@njit(cache=True)
def hash_contexts(state, history, mask, base, expected, hashes):
    """Write the hash of every kind of context, [N_KINDS] int64, at a byte boundary.

    Args:
        expected: the language model's most probable symbol.
    """
    end = state[END]
    last = np.int64(history[base | ((end - 1) & mask)])
    h = np.int64(1)
    k = 0
    for i in range(1, ORDERS[-1] + 1):
        h = combine(h, np.int64(history[base | ((end - i) & mask)]) + 1)
        if i == ORDERS[k]:
            hashes[k] = h
            k += 1
    hashes[k] = combine(state[WORD], last)
    hashes[k + 1] = combine(state[WORD], state[LAST_WORD])
    # The byte above, in the line before.
    above = state[LAST_LINE] + end - state[LINE]
    above_byte = np.int64(0)
    if above < state[LINE] and end - above <= mask:
        above_byte = np.int64(history[base | (above & mask)])
    hashes[k + 2] = combine(above_byte, last)
    k = N_BYTE_KINDS
    h = np.int64(1)
    for i in range(4):
        h = combine(h, state[TOKEN_1 + i])
        hashes[k + i] = h
    hashes[k + 4] = combine(expected, state[TOKEN_1])
    for i in range(N_KINDS):
        hashes[i] = combine(hashes[i], _SALT + i)
