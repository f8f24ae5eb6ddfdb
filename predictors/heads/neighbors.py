"""Nearest neighbors: what followed the past hidden states that are most like this one.

The kNN language model (Khandelwal et al. 2020), with the document's own past as
its datastore. A state is reduced to the signs of its centered dimensions, whose
Hamming distance stands for the angle between two states (random hyperplanes,
Charikar 2002); so a state takes 72 bytes and comparing is bitwise arithmetic. Each
past state near the nearest one votes for the symbol that followed it. The
refinement learns what the votes on the two sides of a decision are worth.

Centering is float64, single correctly rounded operations; the rest is integers.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.fixed_point import EXP2_TABLE
from coder.kernels import njit
from predictors.base import FloatArray
from predictors.heads.running_mean import center, share_of_newest
from predictors.mixing.logistic import PROBABILITY_ONE

MAX_STATES = 1 << 16
"""The most past states that are kept: 4.5 MiB with 576 dimensions."""

LEVELS = 28
"""Levels of the votes of a side: the bits of their sum, 12 for a nearest state alone."""

QUALITIES = 8
"""Classes of the nearest state's distance, in sixteenths of the dimensions."""

_MAX_LEAN = 6
LEANS = 1 + QUALITIES * (2 * _MAX_LEAN + 1)
"""How many classes `lean` knows."""

_FIRST_VOTE = 12
"""Binary logarithm of the vote of a nearest state."""

_HALVINGS = 57
"""A vote halves with each further 1/57 of the dimensions: 10 of 576."""

_REACH = 11
"""The least vote is 2**-11 of the first."""

_DOUBT = 1 << 9
"""Votes that an untrained map adds to either side."""

_CHUNK = 512
"""Distances are computed for so many states at a time, in the nearest cache."""

_ONES = np.uint64(0x5555555555555555)
_TWOS = np.uint64(0x3333333333333333)
_FOURS = np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES = np.uint64(0x0101010101010101)

Votes = namedtuple("Votes", "symbols sums state")
Votes.__doc__ = """Who votes for what.

symbols: [A] int64, the first n are the symbols that have votes, in any order.
sums: [A] int64, votes by symbol. state: [2] int64: n, and the nearest state's quality.
"""


def new_votes(n_symbols: int) -> Votes:
    """No votes for anything."""
    return Votes(
        symbols=np.zeros(n_symbols, dtype=np.int64),
        sums=np.zeros(n_symbols, dtype=np.int64),
        state=np.zeros(2, dtype=np.int64),
    )


def vote_of_distance(dimensions: int) -> npt.NDArray[np.int64]:
    """[n] int64: the vote of a state by how many bits it is farther than the nearest."""
    reach = _REACH * dimensions // _HALVINGS
    halvings = np.arange(reach + 1) * (_HALVINGS << 12) // dimensions
    whole = EXP2_TABLE[halvings & 4095].astype(np.int64)
    return whole >> (30 - _FIRST_VOTE + (halvings >> 12))


@njit(cache=True)
def _count_ones(x: np.uint64) -> Any:
    # The compiler makes a population count of this.
    x = x - ((x >> np.uint64(1)) & _ONES)
    x = (x & _TWOS) + ((x >> np.uint64(2)) & _TWOS)
    x = (x + (x >> np.uint64(4))) & _FOURS
    return (x * _BYTES) >> np.uint64(56)


@njit(cache=True)
def _signs(
    hidden: FloatArray,
    mean: npt.NDArray[np.float64],
    share: float,
    words: npt.NDArray[np.uint64],
) -> None:
    """Write which dimensions are at least their mean; update the mean.

    Args:
        hidden: [E] float32.
        mean: [E] float64, updated.
        share: float64, see `share_of_newest`.
        words: [E / 64 rounded up] uint64, written: one bit a dimension.
    """
    words[:] = 0
    for j in range(len(hidden)):
        if center(hidden, mean, j, share) >= 0.0:
            words[j >> 6] |= np.uint64(1) << np.uint64(j & 63)


@njit(cache=True)
def _measure(
    states: npt.NDArray[np.uint64],
    n: int,
    words: npt.NDArray[np.uint64],
    distances: npt.NDArray[np.uint64],
) -> None:
    """Hamming distances of states from one.

    Args:
        states: [W, ≥ n] uint64, a state in a column.
        n: number of states.
        words: [W] uint64, the one.
        distances: [≥ n] uint64, the first n are written.
    """
    for begin in range(0, n, _CHUNK):
        part = distances[begin : min(begin + _CHUNK, n)]
        part[:] = 0
        for k in range(len(words)):
            row = states[k, begin : begin + len(part)]
            word = words[k]
            for i in range(len(part)):
                part[i] += _count_ones(row[i] ^ word)


@njit(cache=True)
def _vote(
    states: npt.NDArray[np.uint64],
    followers: npt.NDArray[np.int64],
    n: int,
    words: npt.NDArray[np.uint64],
    distances: npt.NDArray[np.uint64],
    weights: npt.NDArray[np.int64],
    dimensions: int,
    votes: Votes,
) -> None:
    """Let the states near the nearest one vote.

    Args:
        states, n, words: as in `_measure`.
        followers: [≥ n] int64, the symbol behind each state.
        distances: [≥ n] uint64, overwritten.
        weights: from `vote_of_distance`.
        dimensions: E.
        votes: overwritten.
    """
    for i in range(votes.state[0]):
        votes.sums[votes.symbols[i]] = 0
    votes.state[0] = 0
    if n == 0:
        return
    _measure(states, n, words, distances)
    nearest = distances[0]
    for i in range(n):
        nearest = min(nearest, distances[i])
    limit = nearest + np.uint64(len(weights))
    found = 0
    for i in range(n):
        if distances[i] < limit:
            symbol = followers[i]
            if votes.sums[symbol] == 0:
                votes.symbols[found] = symbol
                found += 1
            votes.sums[symbol] += weights[distances[i] - nearest]
    votes.state[0] = found
    votes.state[1] = min(np.int64(nearest) * 16 // dimensions, QUALITIES - 1)


@njit(cache=True)
def split_votes(votes: Votes, first: int, last: int, split: int) -> Any:
    """Part the symbols at places first .. last - 1 of `votes.symbols`.

    Returns:
        (m, v0, v1): symbols below `split` are now at first .. m - 1 and have v0
        votes, the others at m .. last - 1 and have v1.
    """
    below = np.int64(0)
    above = np.int64(0)
    while first < last:
        symbol = votes.symbols[first]
        if symbol < split:
            below += votes.sums[symbol]
            first += 1
        else:
            above += votes.sums[symbol]
            last -= 1
            votes.symbols[first] = votes.symbols[last]
            votes.symbols[last] = symbol
    return first, below, above


@njit(cache=True)
def _level(total: int) -> Any:
    """The number of bits of a sum of votes."""
    bits = np.int64(0)
    while total >> bits:
        bits += 1
    return min(bits, LEVELS - 1)


@njit(cache=True)
def place(votes: Votes, below: int, above: int) -> Any:
    """Where the map of `new_map` has the probability of such votes; -1 = there are none."""
    if below + above == 0:
        return np.int64(-1)
    return (votes.state[1] * LEVELS + _level(below)) * LEVELS + _level(above)


@njit(cache=True)
def lean(where: int) -> Any:
    """A class of what `place` returned: the nearest state's quality, the votes' difference."""
    if where < 0:
        return np.int64(0)
    difference = where // LEVELS % LEVELS - where % LEVELS
    difference = min(max(difference, -_MAX_LEAN), _MAX_LEAN)
    return 1 + where // (LEVELS * LEVELS) * (2 * _MAX_LEAN + 1) + difference + _MAX_LEAN


def new_map() -> npt.NDArray[np.int64]:
    """[QUALITIES * LEVELS * LEVELS] int64 probabilities of a one in 2**-24, by the votes."""
    table = np.empty((QUALITIES, LEVELS, LEVELS), dtype=np.int64)
    for i in range(LEVELS):
        for j in range(LEVELS):
            below, above = (1 << i) // 2 + _DOUBT, (1 << j) // 2 + _DOUBT
            table[:, i, j] = PROBABILITY_ONE * above // (below + above)
    return table.reshape(-1)


class Neighbors:
    """A ring of past states and what followed each; all streams share it.

    For each token of each stream: `vote`, then (once the symbol is known) `remember`.
    """

    def __init__(self, n_symbols: int, capacity: int) -> None:
        """
        Args:
            n_symbols: size of the alphabet.
            capacity: states that are kept, the newest ones.
        """
        self.votes = new_votes(n_symbols)
        self._capacity = capacity
        self._steps = 0
        self._states: npt.NDArray[np.uint64] | None = None

    def vote(self, hidden: FloatArray | None) -> Votes | None:
        """Collect the votes for a state, [E] float32; they are valid until the next call."""
        if hidden is None:
            return None
        if self._states is None:
            n = len(hidden)
            self._mean = np.zeros(n)
            self._words = np.zeros(-(-n // 64), dtype=np.uint64)
            self._states = np.zeros((len(self._words), self._capacity), dtype=np.uint64)
            self._followers = np.zeros(self._capacity, dtype=np.int64)
            self._distances = np.zeros(self._capacity, dtype=np.uint64)
            self._weights = vote_of_distance(n)
        _signs(hidden, self._mean, share_of_newest(self._steps), self._words)
        _vote(
            self._states, self._followers, min(self._steps, self._capacity), self._words,
            self._distances, self._weights, len(hidden), self.votes,
        )  # fmt: skip
        return self.votes

    def remember(self, symbol: int) -> None:
        """Note what followed the state that was voted on last."""
        if self._states is None:
            return
        place = self._steps % self._capacity
        self._states[:, place] = self._words
        self._followers[place] = symbol
        self._steps += 1
