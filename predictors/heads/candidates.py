"""The candidates: the probable symbols, and what the heads make of their weights.

The heads change the scores of a few hundred symbols; the others together matter little
to what they learn. So the sum of the weights of a range after the heads is that before
them (`Softmax`), plus the differences of the candidates in it.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.fixed_point import SCORE_FRACTION_BITS
from coder.kernels import inlined, njit
from predictors.heads.adagrad import GRADIENT_BITS
from predictors.mixing.logistic import bit_length, lowest_bit
from predictors.softmax import BLOCK, TOP_BITS, Softmax, high_weight, score_of

_REACH = 12
"""Candidates have more than 2**-12 of the top weight."""

MAX_CANDIDATES = 256
"""Where there are more, the reach shrinks: this bounds the time of a token."""

_RAISE_BITS = 20
"""The heads raise no symbol further above the model's first choice than so many bits."""

# Places in `Candidates.state`.
_COUNT, _LIKELIEST, _TOTAL = range(3)

Candidates = namedtuple("Candidates", "symbols changes weights sums shares state")
Candidates.__doc__ = """The candidates of one token, in ascending order.

symbols: [MAX_CANDIDATES] int32. changes: [MAX_CANDIDATES] int32, what the heads add to the
scores, in 2**-16 bit. weights: [MAX_CANDIDATES] int64, after the heads.
sums: [MAX_CANDIDATES + 1] int64, by how much the heads raised the weights of the candidates
before each. shares: [MAX_CANDIDATES] int32, probabilities in 2**-30 after the heads.
state: [3] int64: their number, the place of the likeliest, the sum of all symbols' weights.
"""


def new_candidates() -> Candidates:
    """None."""
    return Candidates(
        symbols=np.zeros(MAX_CANDIDATES, dtype=np.int32),
        changes=np.zeros(MAX_CANDIDATES, dtype=np.int32),
        weights=np.zeros(MAX_CANDIDATES, dtype=np.int64),
        sums=np.zeros(MAX_CANDIDATES + 1, dtype=np.int64),
        shares=np.zeros(MAX_CANDIDATES, dtype=np.int32),
        state=np.zeros(3, dtype=np.int64),
    )


@inlined
def count_of(c: Candidates) -> Any:
    """The number of candidates, at least 1."""
    return c.state[_COUNT]


@inlined
def likeliest(c: Candidates) -> Any:
    """(symbol, weight, sum of all weights) of the likeliest after the heads; int64."""
    place = c.state[_LIKELIEST]
    return np.int64(c.symbols[place]), c.weights[place], c.state[_TOTAL]


@njit(cache=True)
def find_candidates(s: Softmax, c: Candidates) -> None:
    """Write the candidates, which no head has changed yet."""
    # By how many times a weight falls short of the top's. A weight is 1 more than its share.
    n_by_reach = np.zeros(_REACH + 2, dtype=np.int64)
    floor = np.uint32(1) << np.uint32(TOP_BITS - _REACH)
    near = np.empty(len(s.weights) + 1, dtype=np.int32)
    n_near = 0
    for block in range(len(s.peaks)):
        if s.peaks[block] <= floor:
            continue
        begin = np.int32(block * BLOCK)
        of_block = s.weights[begin : begin + BLOCK]
        # A bit for each symbol that is near: few are.
        bits = np.uint64(0)
        for i in range(BLOCK):
            bits |= np.uint64(of_block[i] > floor) << np.uint64(i)
        while bits:
            near[n_near] = begin + np.int32(lowest_bit(bits))
            n_near += 1
            bits &= bits - np.uint64(1)
    for i in near[:n_near]:
        n_by_reach[TOP_BITS + 1 - bit_length(np.int64(s.weights[i]) - 1)] += 1
    reach = 1
    n = n_by_reach[1]
    while reach < _REACH and n + n_by_reach[reach + 1] <= MAX_CANDIDATES:
        reach += 1
        n += n_by_reach[reach]
    floor = np.uint32(1) << np.uint32(TOP_BITS - reach)
    n = 0
    for i in near[:n_near]:
        if s.weights[i] > floor and n < MAX_CANDIDATES:
            c.symbols[n] = i
            c.changes[n] = 0
            n += 1
    c.state[_COUNT] = n


@njit(cache=True)
def reweigh(s: Softmax, c: Candidates) -> None:
    """Take the weights after the heads from the changes."""
    n = c.state[_COUNT]
    highest = s.top[0] + (_RAISE_BITS << SCORE_FRACTION_BITS)
    total = np.int64(0)
    best = np.int64(0)
    for k in range(n):
        i = np.int64(c.symbols[k])
        distance = max(highest - score_of(s, i) - c.changes[k], np.int64(0))
        weight = high_weight(distance, _RAISE_BITS)
        c.weights[k] = weight
        if weight > c.weights[best]:
            best = np.int64(k)
        c.sums[k] = total
        total += weight - np.int64(s.weights[i])
    c.sums[n] = total
    total += s.blocks[-1]
    c.state[_LIKELIEST] = best
    c.state[_TOTAL] = total
    # Probabilities by a product: of 31 bits of the weight and of the inverse of the total.
    shift = np.int64(bit_length(total)) - 31
    inverse = (np.int64(1) << 61) // (total >> shift if shift > 0 else total << -shift)
    for k in range(n):
        weight = c.weights[k] >> shift if shift > 0 else c.weights[k] << -shift
        c.shares[k] = np.int32(weight * inverse >> 31)


@njit(cache=True)
def write_scores(s: Softmax, c: Candidates, scores: npt.NDArray[np.int32]) -> None:
    """Write the scores of all symbols with the changes, [A] int32 in 2**-16 bit."""
    for i in range(len(scores)):
        scores[i] = np.int32(score_of(s, i))
    for k in range(c.state[_COUNT]):
        scores[c.symbols[k]] += c.changes[k]


@inlined
def descent(c: Candidates, k: int, symbol: int) -> Any:
    """By how much the code length in nats falls with the logit of candidate k.

    Returns:
        [it is the symbol] - its probability, int64 in 2**-30.
    """
    return (np.int64(c.symbols[k] == symbol) << GRADIENT_BITS) - np.int64(c.shares[k])


@inlined
def place_of(c: Candidates, symbol: int, first: int, last: int) -> Any:
    """The first of the candidates first .. last - 1 that is not below a symbol, else `last`."""
    while first < last:
        middle = (first + last) >> 1
        if c.symbols[middle] < symbol:
            first = middle + 1
        else:
            last = middle
    return first


@inlined
def has(c: Candidates, symbol: int) -> Any:
    """Whether a symbol is a candidate."""
    place = place_of(c, symbol, np.int64(0), c.state[_COUNT])
    return place < c.state[_COUNT] and c.symbols[place] == symbol
