"""Nearest neighbors: what followed the past hidden states that are most like this one.

The kNN language model (Khandelwal et al. 2020), with the document's own past as
its datastore. A state is reduced to the signs of its centered dimensions, whose
Hamming distance stands for the angle between two states (random hyperplanes,
Charikar 2002); so a state takes 48 bytes and comparing is bitwise arithmetic. Each
past state near the nearest one votes for the symbol that followed it. The
refinement learns what the votes on the two sides of a decision are worth.

The states are centered by `HiddenState`; all here is integers.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.fixed_point import EXP2_TABLE
from coder.kernels import inlined, njit
from predictors.mixing.logistic import PROBABILITY_ONE

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
"""A vote halves with each further 1/57 of the dimensions: 6.7 of 384."""

_REACH = 9
"""The least vote is 2**-9 of the first."""

_DOUBT = 1 << 9
"""Votes that an untrained map adds to either side."""

_SHARED_PART = 4
"""At least 1/4 of the states that are asked are those that all streams share."""

_BLOCK = 256
"""States whose distances are computed together, in registers and the nearest cache."""

OWN_STATES = 24_576
"""Where streams may be unlike, each keeps so many states of its own, and asks these first: what
they leave of the states that are asked goes to the newest of all streams, and at least a quarter.
With two texts of source code of 190,000 bytes side by side, each has half of the ring, which costs
0.29 %."""

MAX_DIMENSIONS = 384
"""The first dimensions of a state are compared: 576 gain 0.01 % in half as much time again."""

_ROWS = 3
"""Words of a state that are compared in one pass over a block: its number is padded to it."""

_ONES = np.uint64(0x5555555555555555)
_TWOS = np.uint64(0x3333333333333333)
_FOURS = np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES = np.uint64(0x0101010101010101)

Votes = namedtuple("Votes", "symbols sums state")
Votes.__doc__ = """Who votes for what.

symbols: [A + 1] int64, the first n are the symbols that have votes, in any order.
sums: [A] int64, votes by symbol. state: [2] int64: n, and the nearest state's quality.
"""


def new_votes(n_symbols: int) -> Votes:
    """No votes for anything."""
    return Votes(
        symbols=np.zeros(n_symbols + 1, dtype=np.int64),
        sums=np.zeros(n_symbols, dtype=np.int64),
        state=np.zeros(2, dtype=np.int64),
    )


def vote_of_distance(dimensions: int) -> npt.NDArray[np.int64]:
    """[n] int64: the vote of a state by how many bits it is farther than the nearest."""
    reach = _REACH * dimensions // _HALVINGS
    halvings = np.arange(reach + 1) * (_HALVINGS << 12) // dimensions
    whole = EXP2_TABLE[halvings & 4095].astype(np.int64)
    return whole >> (30 - _FIRST_VOTE + (halvings >> 12))


@inlined
def _count_ones(x: np.uint64) -> Any:
    # The compiler makes a population count of this.
    x = x - ((x >> np.uint64(1)) & _ONES)
    x = (x & _TWOS) + ((x >> np.uint64(2)) & _TWOS)
    x = (x + (x >> np.uint64(4))) & _FOURS
    return (x * _BYTES) >> np.uint64(56)


@inlined
def _measure_block(
    states: npt.NDArray[np.uint64],
    begin: int,
    words: npt.NDArray[np.uint64],
    sums: npt.NDArray[np.uint64],
    distances: npt.NDArray[np.uint16],
) -> Any:
    """Hamming distances of the states of a block from one; returns the least, uint16.

    Args:
        states: [W, capacity] uint64, a state in a column.
        begin: the first of the block.
        words: [W] uint64, the one.
        sums: [_BLOCK] uint64, overwritten.
        distances: [_BLOCK] uint16, written.
    """
    sums[:] = np.uint64(0)
    for k in range(0, len(words), _ROWS):
        row_0 = states[k, begin : begin + _BLOCK]
        row_1 = states[k + 1, begin : begin + _BLOCK]
        row_2 = states[k + 2, begin : begin + _BLOCK]
        word_0, word_1, word_2 = words[k], words[k + 1], words[k + 2]
        for i in range(_BLOCK):
            sums[i] += (
                _count_ones(row_0[i] ^ word_0)
                + _count_ones(row_1[i] ^ word_1)
                + _count_ones(row_2[i] ^ word_2)
            )
    least = np.uint16(65535)
    for i in range(_BLOCK):
        distances[i] = np.uint16(sums[i])
    for i in range(_BLOCK):
        least = min(least, distances[i])
    return least


Neighbors = namedtuple(
    "Neighbors",
    "states followers distances blocks least near sums words weights votes n_states n_own capacity "
    "dimensions",
)
Neighbors.__doc__ = """Past states and what followed each: a ring that all streams share, and behind
it one of each stream if they may be unlike.

states: [W, P] uint64, a state in a column, W and each ring rounded up to whole passes and blocks;
W is 0 if nobody is asked. followers: [P] int32 symbols. distances: [P] uint16 from the state
that is voted on. blocks: [n, 2] int64, places and numbers of states that are compared, least: [n]
uint16, the least distance in each. near: [n * _BLOCK + 1] int32, places.
sums: [_BLOCK] uint64. words: [W] uint64, the state. weights: [n] int64, see
`vote_of_distance`. votes: `Votes`. n_states: [1] int64, states of all streams that there were,
n_own: [S] int64, of each, S is 0 without rings of their own. capacity: int64, of the shared ring.
dimensions: int64, those that are compared.
"""


def new_neighbors(n_symbols: int, dimensions: int, capacity: int, n_streams: int = 0) -> Neighbors:
    """No states yet.

    Args:
        n_symbols: size of the alphabet.
        dimensions: E, of the hidden states; 0 = there are none.
        capacity: states that are kept, the newest ones; 0 = none.
        n_streams: that have rings of their own.
    """
    compared = min(dimensions, MAX_DIMENSIONS)
    n_words = -(-compared // (64 * _ROWS)) * _ROWS if capacity else 0
    own = n_streams if capacity else 0
    shared_blocks = -(-capacity // _BLOCK)
    most = shared_blocks + (OWN_STATES // _BLOCK if own else 0)
    places = shared_blocks * _BLOCK + own * OWN_STATES
    return Neighbors(
        states=np.zeros((n_words, places), dtype=np.uint64),
        followers=np.zeros(places, dtype=np.int32),
        distances=np.zeros(places, dtype=np.uint16),
        blocks=np.zeros((most, 2), dtype=np.int64),
        least=np.zeros(most, dtype=np.uint16),
        near=np.zeros(most * _BLOCK + 1, dtype=np.int32),
        sums=np.zeros(_BLOCK, dtype=np.uint64),
        words=np.zeros(n_words, dtype=np.uint64),
        weights=vote_of_distance(max(compared, 1)),
        votes=new_votes(n_symbols),
        n_states=np.zeros(1, dtype=np.int64),
        n_own=np.zeros(own, dtype=np.int64),
        capacity=np.int64(capacity),
        dimensions=np.int64(compared),
    )


@inlined
def _own_ring(neighbors: Neighbors, stream: int) -> Any:
    """The first place of a stream's own ring, int64: these are the last ones."""
    return len(neighbors.followers) - (len(neighbors.n_own) - stream) * OWN_STATES


@inlined
def _list_blocks(neighbors: Neighbors, stream: int) -> Any:
    """Write the blocks of states that are compared; return their number, int64."""
    blocks = neighbors.blocks
    found = 0
    shared = (neighbors.capacity + _BLOCK - 1) // _BLOCK
    asked = shared
    if len(neighbors.n_own):
        n = min(neighbors.n_own[stream], OWN_STATES)
        first = _own_ring(neighbors, stream)
        for begin in range(0, n, _BLOCK):
            blocks[found, 0] = first + begin
            blocks[found, 1] = min(n - begin, _BLOCK)
            found += 1
        asked = max(shared - found, shared // _SHARED_PART)
    n = min(neighbors.n_states[0], neighbors.capacity)
    used = (n + _BLOCK - 1) // _BLOCK
    # The newest ones, which end where the next state will be.
    newest = max(neighbors.n_states[0] - 1, 0) % neighbors.capacity // _BLOCK
    for i in range(min(asked, used)):
        block = (newest - i) % used
        blocks[found, 0] = block * _BLOCK
        blocks[found, 1] = min(n - block * _BLOCK, _BLOCK)
        found += 1
    return found


@njit(cache=True)
def vote(neighbors: Neighbors, signs: npt.NDArray[np.uint64], stream: int) -> None:
    """Collect the votes for a state in `neighbors.votes`, for which `remember` is called next.

    Args:
        neighbors: see there.
        signs: uint64, see `HiddenState`.
        stream: whose state it is.
    """
    if len(neighbors.words) == 0:
        return
    votes = neighbors.votes
    for i in range(votes.state[0]):
        votes.sums[votes.symbols[i]] = 0
    votes.state[0] = 0
    for k in range(min(len(signs), len(neighbors.words))):
        neighbors.words[k] = signs[k]
    if neighbors.n_states[0] == 0:
        return
    distances = neighbors.distances
    nearest = np.uint16(65535)
    n_blocks = _list_blocks(neighbors, stream)
    for block in range(n_blocks):
        begin, n = neighbors.blocks[block]
        of_block = distances[begin : begin + _BLOCK]
        least = _measure_block(neighbors.states, begin, neighbors.words, neighbors.sums, of_block)
        if n < _BLOCK:
            # What is behind the last state is none.
            for i in range(n, _BLOCK):
                of_block[i] = np.uint16(65535)
            least = np.uint16(65535)
            for i in range(_BLOCK):
                least = min(least, of_block[i])
        neighbors.least[block] = least
        nearest = min(nearest, least)
    limit = np.uint32(nearest) + np.uint32(len(neighbors.weights))
    # Without branches, which would often be mispredicted: what is not near is overwritten.
    near = neighbors.near
    n_near = 0
    for block in range(n_blocks):
        if neighbors.least[block] >= limit:
            continue
        begin = neighbors.blocks[block, 0]
        of_block = distances[begin : begin + _BLOCK]
        for i in range(_BLOCK):
            near[n_near] = begin + i
            n_near += of_block[i] < limit
    found = 0
    for place in near[:n_near]:
        symbol = neighbors.followers[place]
        votes.symbols[found] = symbol
        found += votes.sums[symbol] == 0
        votes.sums[symbol] += neighbors.weights[distances[place] - nearest]
    votes.state[0] = found
    votes.state[1] = min(np.int64(nearest) * 16 // neighbors.dimensions, QUALITIES - 1)


@inlined
def remember(neighbors: Neighbors, symbol: int, stream: int) -> None:
    """Note what followed the state of a stream that was voted on last."""
    if len(neighbors.words) == 0:
        return
    _keep(neighbors, neighbors.n_states[0] % neighbors.capacity, symbol)
    neighbors.n_states[0] += 1
    if len(neighbors.n_own):
        place = _own_ring(neighbors, stream) + neighbors.n_own[stream] % OWN_STATES
        _keep(neighbors, place, symbol)
        neighbors.n_own[stream] += 1


@inlined
def _keep(neighbors: Neighbors, place: int, symbol: int) -> None:
    for k in range(len(neighbors.words)):
        neighbors.states[k, place] = neighbors.words[k]
    neighbors.followers[place] = symbol


@inlined
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


@inlined
def _level(total: int) -> Any:
    """The number of bits of a sum of votes."""
    bits = np.int64(0)
    while total >> bits:
        bits += 1
    return min(bits, LEVELS - 1)


@inlined
def place(votes: Votes, below: int, above: int) -> Any:
    """Where the map of `new_map` has the probability of such votes; -1 = there are none."""
    if below + above == 0:
        return np.int64(-1)
    return (votes.state[1] * LEVELS + _level(below)) * LEVELS + _level(above)


@inlined
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
