"""The contexts in which decisions are counted: bytes, words, columns, tokens.

Each kind hashes some part of the past. Byte contexts go on inside a token, so
they know the bytes of the token so far; token contexts know the tokens before
it and are paired with the place in the vocabulary trie.
"""

import numpy as np

from coder.kernels import njit
from predictors.mixing.hashing import combine

# Fields of a stream's row of int64 state.
END, WORD, LAST_WORD, WORD_BEFORE, LINE, LAST_LINE, MATCH, MATCH_LENGTH, TOKEN_1 = range(9)
MAX_TOKENS = 6
"""The newest so many tokens are from `TOKEN_1` on, the last one first."""
FIELDS = TOKEN_1 + MAX_TOKENS

ORDERS = (2, 4, 8)
"""Lengths of the plain byte contexts."""

BYTE_KINDS = (
    *(f"order {n}" for n in ORDERS),
    "word",
    "two words",
    "three words",
    "column",
)
TOKENS = (1, 2, 3, 4, 6)
"""Numbers of tokens that make a context."""

TOKEN_KINDS = ("1 token", *(f"{n} tokens" for n in TOKENS[1:]))
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
        state[WORD_BEFORE] = state[LAST_WORD]
        state[LAST_WORD] = state[WORD]
        state[WORD] = 0
    if byte == 10:
        state[LAST_LINE] = state[LINE]
        state[LINE] = state[END]


@njit(cache=True)
def append_token(state, symbol):
    """Note a complete token."""
    for i in range(TOKEN_1 + MAX_TOKENS - 1, TOKEN_1, -1):
        state[i] = state[i - 1]
    state[TOKEN_1] = symbol


@njit(cache=True)
def hash_contexts(state, history, mask, base, hashes):
    """Write the hash of every kind of context, [N_KINDS] int64, at a byte boundary."""
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
    two_words = combine(state[WORD], state[LAST_WORD])
    hashes[k + 1] = two_words
    hashes[k + 2] = combine(two_words, state[WORD_BEFORE])
    # The byte above, in the line before, and the column.
    above = state[LAST_LINE] + end - state[LINE]
    above_byte = np.int64(0)
    if above < state[LINE] and end - above <= mask:
        above_byte = np.int64(history[base | (above & mask)])
    hashes[k + 3] = combine(above_byte, end - state[LINE])
    k = N_BYTE_KINDS
    h = np.int64(1)
    for i in range(1, MAX_TOKENS + 1):
        h = combine(h, state[TOKEN_1 + i - 1])
        if i == TOKENS[k - N_BYTE_KINDS]:
            hashes[k] = h
            k += 1
    for i in range(N_KINDS):
        hashes[i] = combine(hashes[i], _SALT + i)
