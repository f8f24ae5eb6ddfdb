"""Drafts: what may follow in a text, from what has followed the same tokens before.

Prompt lookup decoding (Saxena 2023) with several sources: what followed the last occurrence of the
last 1, 2, 3 and 5 tokens, what follows where the longest match with the past stands, and what
follows the last one or two tokens in most texts (`Ngrams`). How
likely a candidate is to be right is learned by logistic regression, of which sources say so and
which say something else, as the mixers of PAQ do (Mahoney 2005). It reaches 1.02 to 1.11 times the
speed of the longest match alone.

Floating point is in order here: a draft changes the time that decoding takes, never a bit.
"""

import math
from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from nacrith.codec.ngrams import NOTHING, Ngrams, follower, follower_of_pair
from predictors.base import IntArray
from predictors.mixing.hashing import combine

_ORDERS = np.array([1, 2, 3, 5], dtype=np.int64)
_N_ORDERS = len(_ORDERS)
"""So many last tokens are looked up."""

_MATCH_ORDERS = np.array([3, 6, 12], dtype=np.int64)
"""Where so many last tokens stood, a match may begin; the most first count."""

_MATCH, _PAIR, _TOKEN = _N_ORDERS, _N_ORDERS + 1, _N_ORDERS + 2
"""The other sources: a match, and n-grams of three tokens and of two."""

_SOURCES = _TOKEN + 1
_STATES = 8
"""States of a source that are told apart: how often it was right in a row, the match's length, how
often it is right in most texts."""

_MAX_COUNT = 3
_MATCH_LENGTHS = (2, 3, 5, 8, 12, 20, 32)
"""From so many tokens on a match is in the next state."""

_MAX_LENGTH = 32

_SLOTS_PER_TOKEN = 8
_MAX_BITS = 18
"""The tables have at most 2**18 slots; contexts that share one are not told apart."""

_FOR, _AGAINST, _BIAS = 0.4, -0.3, -1.0
"""Weights at first, where none have been learned before: of a source that says a candidate, of one
that says another, and of all."""

_RATE, _BIAS_RATE = 0.05, 0.002
"""How fast the weights learn."""

_UNLIKELY = 0.02
"""A draft ends where it would be right less often."""

Weights = npt.NDArray[np.float64]

Drafts = namedtuple(
    "Drafts", "tokens followers counts places matches says says_not bias found ngrams"
)
Drafts.__doc__ = """What S streams of one text have in common, and what each has read.

tokens: [S, n + room] int32, of each stream; behind those that are known, its draft.
followers, counts: [orders, 2**bits] int32, 1 + what followed a context last, 0 = nothing, and
how often it did so in a row. places: [match orders, 2**bits] int64, stream << 32 | place behind a
context, 0 = none. matches: [S, 3] int64, stream and place of what follows in a match, and its
length, 0 = there is none. says, says_not: [sources, states] and bias: [1] float64, the weights.
found: [2, sources] int64, what each source says, `NOTHING` if it does not, and its state.
"""


def new_drafts(n_streams: int, n_tokens: int, room: int, ngrams: Ngrams) -> Drafts:
    """Nothing is known but n-grams.

    Args:
        n_tokens: of each stream, at most.
        room: tokens of a draft, at most.
    """
    bits = _bits(n_streams * n_tokens)
    says, says_not, bias = _first_weights(ngrams)
    return Drafts(
        tokens=np.zeros((n_streams, n_tokens + room), dtype=np.int32),
        followers=np.zeros((_N_ORDERS, 1 << bits), dtype=np.int32),
        counts=np.zeros((_N_ORDERS, 1 << bits), dtype=np.int32),
        places=np.zeros((len(_MATCH_ORDERS), 1 << bits), dtype=np.int64),
        matches=np.zeros((n_streams, 3), dtype=np.int64),
        says=says,
        says_not=says_not,
        bias=bias,
        found=np.zeros((2, _SOURCES), dtype=np.int64),
        ngrams=ngrams,
    )


def _first_weights(ngrams: Ngrams) -> tuple[Weights, Weights, Weights]:
    """What `Drafts` has of them, to be changed."""
    if len(ngrams.bias):
        return ngrams.says.copy(), ngrams.says_not.copy(), ngrams.bias.copy()
    shape = _SOURCES, _STATES
    return np.full(shape, _FOR), np.full(shape, _AGAINST), np.array([_BIAS])


def bytes_of_tables(n_tokens: int) -> int:
    """What the tables take.

    Args:
        n_tokens: of all streams together, at most.
    """
    return (2 * 4 * _N_ORDERS + 8 * len(_MATCH_ORDERS)) << _bits(n_tokens)


def _bits(n_tokens: int) -> int:
    """log2 of the slots of a table, for so many tokens of all streams together."""
    return min((_SLOTS_PER_TOKEN * n_tokens).bit_length(), _MAX_BITS)


def part(d: Drafts, n: int) -> None:
    """From here on the streams differ: so far the first one has read n tokens for all of them."""
    d.tokens[1:, :n] = d.tokens[:1, :n]
    d.matches[1:] = d.matches[:1]


@inlined
def _slot(tokens: IntArray, n: int, order: int, slots: int) -> Any:
    """The slot of the last `order` of n tokens."""
    h = np.int64(order)
    for i in range(n - order, n):
        h = combine(h, np.int64(tokens[i]))
    return (h >> 40) & (slots - 1)


@inlined
def _ask(d: Drafts, stream: int, n: int, of: int, place: int, length: int) -> None:
    """Write what each source says follows the first n tokens of a stream.

    Args:
        of, place, length: of the match, as in `matches`.
    """
    tokens = d.tokens[stream]
    for k in range(_N_ORDERS):
        d.found[0, k] = NOTHING
        if _ORDERS[k] <= n:
            slot = _slot(tokens, n, _ORDERS[k], d.followers.shape[1])
            d.found[0, k] = d.followers[k, slot] - 1
            d.found[1, k] = d.counts[k, slot]
    d.found[0, _MATCH] = NOTHING
    if length > 0:
        state = np.int64(0)
        for least in _MATCH_LENGTHS:
            state += length >= least
        d.found[0, _MATCH] = d.tokens[of, place]
        d.found[1, _MATCH] = state
    d.found[:, _PAIR:] = NOTHING
    if n >= 1:
        last = np.int64(tokens[n - 1])
        d.found[0, _TOKEN], d.found[1, _TOKEN] = follower(d.ngrams, last)
        if n >= 2:
            found = follower_of_pair(d.ngrams, np.int64(tokens[n - 2]), last)
            d.found[0, _PAIR], d.found[1, _PAIR] = found


@inlined
def _odds(d: Drafts, token: int) -> Any:
    """Log-odds, in nats, that a token is what follows."""
    total = d.bias[0]
    for k in range(_SOURCES):
        if d.found[0, k] == token:
            total += d.says[k, d.found[1, k]]
        elif d.found[0, k] >= 0:
            total += d.says_not[k, d.found[1, k]]
    return total


@inlined
def _is_first(d: Drafts, k: int) -> Any:
    """Whether a source says something that none of those behind it says."""
    is_first = d.found[0, k] >= 0
    for j in range(k + 1, _SOURCES):
        is_first &= d.found[0, j] != d.found[0, k]
    return is_first


@njit(cache=True)
def draft(d: Drafts, stream: int, n: int, shares: Any) -> Any:
    """Write behind the first n tokens of a stream what is most likely to follow.

    Args:
        shares: [room] float64, multiplied by how likely the draft is to be right so far.

    Returns:
        How many tokens have been written; behind them the shares are 0.
    """
    tokens = d.tokens[stream]
    match = d.matches[stream]
    of, place, length = match[0], match[1], match[2]
    share = 1.0
    written = 0
    while written < len(shares):
        _ask(d, stream, n + written, of, place, length)
        best, best_odds = np.int64(-1), 0.0
        for k in range(_SOURCES):
            if _is_first(d, k):
                odds = _odds(d, d.found[0, k])
                if best < 0 or odds > best_odds:
                    best, best_odds = d.found[0, k], odds
        if best < 0:
            break
        share /= 1.0 + math.exp(-best_odds)
        if share < _UNLIKELY:
            break
        if length > 0 and d.tokens[of, place] == best:
            place, length = place + 1, min(length + 1, _MAX_LENGTH)
        else:
            length = np.int64(0)
        tokens[n + written] = best
        shares[written] *= share
        written += 1
    shares[written:] = 0.0
    return written


@njit(cache=True)
def learn(d: Drafts, stream: int, n: int, token: int) -> None:
    """What follows the first n tokens of a stream is known."""
    tokens = d.tokens[stream]
    match = d.matches[stream]
    _ask(d, stream, n, match[0], match[1], match[2])
    tokens[n] = token
    for k in range(_SOURCES):
        if not _is_first(d, k):
            continue
        said = d.found[0, k]
        error = np.float64(said == token) - 1.0 / (1.0 + math.exp(-_odds(d, said)))
        d.bias[0] += _BIAS_RATE * error
        for j in range(_SOURCES):
            if d.found[0, j] == said:
                d.says[j, d.found[1, j]] += _RATE * error
            elif d.found[0, j] >= 0:
                d.says_not[j, d.found[1, j]] += _RATE * error
    for k in range(_N_ORDERS):
        if _ORDERS[k] <= n:
            slot = _slot(tokens, n, _ORDERS[k], d.followers.shape[1])
            is_right = d.followers[k, slot] == token + 1
            d.counts[k, slot] = min(d.counts[k, slot] + 1, _MAX_COUNT) if is_right else 0
            d.followers[k, slot] = token + 1
    if match[2] > 0:
        is_right = d.tokens[match[0], match[1]] == token
        match[1] += 1
        match[2] = min(match[2] + 1, _MAX_LENGTH) if is_right else 0
    _find_match(d, stream, n + 1)


@inlined
def _find_match(d: Drafts, stream: int, n: int) -> None:
    """Look for a match of a stream that has none; note where its last tokens stand."""
    tokens = d.tokens[stream]
    match = d.matches[stream]
    for i in range(len(_MATCH_ORDERS) - 1, -1, -1):
        order = _MATCH_ORDERS[i]
        if order > n:
            continue
        slot = _slot(tokens, n, order, d.places.shape[1])
        found = d.places[i, slot]
        if match[2] == 0 and found > 0:
            of, place = found >> 32, found & 0xFFFFFFFF
            length = np.int64(0)
            most = min(place, n, _MAX_LENGTH)
            while length < most and d.tokens[of, place - 1 - length] == tokens[n - 1 - length]:
                length += 1
            if length >= order:
                match[0], match[1], match[2] = of, place, length
        d.places[i, slot] = np.int64(stream) << 32 | n
