"""What follows one token and two in most texts, to guess by where a text has not said it yet.

n-grams of tokens, counted in the training texts (`nacrith.correction.count_ngrams`), of the
vocabulary of the default model, which others of its family have, too.
"""

import zipfile
from collections import namedtuple
from functools import cache
from pathlib import Path

import numpy as np

from coder.kernels import inlined
from predictors.language_models.vocabulary import Vocabulary

SHIPPED = Path(__file__).with_name("ngrams.npz")

SHARES = (0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 0.7)
"""How often the likeliest token follows, of all times: from so often on it is in the next state."""

NOTHING = -1

Ngrams = namedtuple("Ngrams", "likeliest state begins seconds followers states says says_not bias")
Ngrams.__doc__ = """What follows tokens of a vocabulary of V most often, and n pairs of tokens.

likeliest, state: [V] uint16 and uint8, what follows a token, and how often it does so: the number
of `SHARES` up to that; 0 = not even the first. begins: [V + 1] int32, where the pairs with a first
token begin. seconds: [n] uint16, the second token, ascending. followers, states: [n], like the
first two. says, says_not, bias: with these weights `Drafts` begin, float64; [0] = they are not
known.
"""


def no_ngrams() -> Ngrams:
    """Of a vocabulary that none are known of."""
    tokens, states, weights = (np.zeros(0, dtype=kind) for kind in (np.uint16, np.uint8, float))
    begins = np.zeros(1, dtype=np.int32)
    table = weights.reshape(0, 0)
    return Ngrams(tokens, states, begins, tokens, tokens, states, table, table, weights)


def ngrams_of(vocabulary: Vocabulary) -> Ngrams:
    """Those that are shipped, if they are of this vocabulary.

    What can't be read is as if it were not there: it would only have saved time.
    """
    digest, ngrams = _shipped()
    return ngrams if digest == vocabulary.digest else no_ngrams()


@cache
def _shipped() -> tuple[str, Ngrams]:
    try:
        with np.load(SHIPPED) as arrays:
            return str(arrays["vocabulary"]), Ngrams(*(arrays[name] for name in Ngrams._fields))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return "", no_ngrams()


@inlined
def follower(ngrams: Ngrams, token: int) -> tuple[int, int]:
    """(What follows a token, state); `NOTHING` if that is not known."""
    if token >= len(ngrams.state) or ngrams.state[token] == 0:
        return np.int64(NOTHING), np.int64(0)
    return np.int64(ngrams.likeliest[token]), np.int64(ngrams.state[token])


@inlined
def follower_of_pair(ngrams: Ngrams, first: int, second: int) -> tuple[int, int]:
    """(What follows two tokens, state); `NOTHING` if that is not known."""
    if first + 1 < len(ngrams.begins):
        low, high = np.int64(ngrams.begins[first]), np.int64(ngrams.begins[first + 1])
        while low < high:
            middle = (low + high) >> 1
            if np.int64(ngrams.seconds[middle]) < second:
                low = middle + 1
            else:
                high = middle
        if low < ngrams.begins[first + 1] and np.int64(ngrams.seconds[low]) == second:
            return np.int64(ngrams.followers[low]), np.int64(ngrams.states[low])
    return np.int64(NOTHING), np.int64(0)
