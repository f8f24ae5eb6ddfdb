"""The contexts in which decisions are counted: bytes, words, columns, tokens.

Each kind hashes some part of the past. Byte contexts go on inside a token, so
they know the bytes of the token so far; token contexts know the tokens before
it and are paired with its bytes so far. Orders, words and columns
are those of the PAQ series (Mahoney 2005).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.mixing.hashing import combine
from predictors.mixing.past import (
    END,
    LAST_LINE,
    LAST_WORD,
    LINE,
    MAX_TOKENS,
    TOKEN_1,
    WORD,
    WORD_BEFORE,
    Past,
    byte_before,
)

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

_OWN_KINDS = 1 | 1 << N_BYTE_KINDS
"""Where streams may be unlike, each has its own histories of the kinds that know least: the last
two bytes, and the last token. Eight texts of source code side by side became 0.10 % smaller, a
novel in 8 streams 0.00 % larger; with the words and two tokens 0.14 % smaller and 0.04 % larger."""

_OWN_SHIFT = 16
"""In a salt, the stream's number stands above the kind."""

# Tells apart histories of different kinds in the one table they share.
_SALT = np.int64(0x3C6EF372FE94F82B)


@inlined
def hash_contexts(past: Past, node: int, hashes: npt.NDArray[np.int64], own: int) -> None:
    """Write the hash of every kind of context, [N_KINDS] int64, at a byte boundary.

    Args:
        past: with the bytes of the token so far.
        node: the first in the `Trie` that knows them, which tells them to the token contexts.
        hashes: written.
        own: int64, see `own_of`.
    """
    state = past.state
    h = np.int64(1)
    k = 0
    for i in range(1, ORDERS[-1] + 1):
        h = combine(h, byte_before(past, i) + 1)
        if i == ORDERS[k]:
            hashes[k] = h
            k += 1
    hashes[k] = combine(state[WORD], byte_before(past, 1))
    two_words = combine(state[WORD], state[LAST_WORD])
    hashes[k + 1] = two_words
    hashes[k + 2] = combine(two_words, state[WORD_BEFORE])
    column = state[END] - state[LINE]
    hashes[k + 3] = combine(_byte_above(past, column), column)
    k = N_BYTE_KINDS
    h = np.int64(1)
    for i in range(1, MAX_TOKENS + 1):
        h = combine(h, state[TOKEN_1 + i - 1])
        if i == TOKENS[k - N_BYTE_KINDS]:
            hashes[k] = combine(h, node)
            k += 1
    for i in range(N_KINDS):
        salt = _SALT + i
        if (_OWN_KINDS >> i) & 1:
            salt += own << _OWN_SHIFT
        hashes[i] = combine(hashes[i], salt)


@inlined
def _byte_above(past: Past, column: int) -> Any:
    """The byte in this column of the line before, 0 if that was shorter or is too long ago."""
    place = past.state[LAST_LINE] + column
    distance = past.state[END] - place
    if place < past.state[LINE] and distance <= past.mask:
        return byte_before(past, distance)
    return np.int64(0)
