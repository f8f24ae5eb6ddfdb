"""The votes of past states: against a plain reference, bounded, and worth something."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coder import Encoder
from predictors.heads.hidden_state import new_hidden_state, observe
from predictors.heads.neighbors import (
    LEANS,
    QUALITIES,
    Neighbors,
    lean,
    new_neighbors,
    new_votes,
    place,
    remember,
    split_votes,
    vote,
    vote_of_distance,
)
from predictors.language_models.trie import Trie
from predictors.mixing.contexts import ALL_KINDS
from predictors.mixing.refinement import code_symbol, new_tables
from tests.distributions import candidates_of, softmax_of

N = 40
DIMENSIONS = 100


def votes_of(neighbors: Neighbors) -> dict[int, int]:
    symbols = neighbors.votes.symbols[: neighbors.votes.state[0]]
    return {int(s): int(neighbors.votes.sums[s]) for s in symbols}


Past = list[tuple[np.ndarray, int]]


def expected_votes(past: Past, signs: np.ndarray) -> dict[int, int]:
    weights = vote_of_distance(DIMENSIONS)
    expected: dict[int, int] = {}
    distances = [int((signs != old).sum()) for old, _ in past]
    for distance, (_, symbol) in zip(distances, past, strict=True):
        farther = distance - min(distances)
        if farther < len(weights):
            expected[symbol] = expected.get(symbol, 0) + int(weights[farther])
    return expected


def test_votes_are_those_of_a_plain_search_through_the_newest_states():
    random = np.random.default_rng(1)
    # Blocks have 256 states: the ring ends within the second one.
    capacity = 300
    neighbors = new_neighbors(N, DIMENSIONS, capacity)
    hidden = new_hidden_state(DIMENSIONS)
    mean = np.zeros(DIMENSIONS)
    past: Past = []
    topics = random.standard_normal((5, DIMENSIONS))
    for step in range(700):
        state = (topics[step % 5] + random.standard_normal(DIMENSIONS)).astype(np.float32)
        signs = state - mean >= 0
        mean += max(1 / (step + 1.5), 0.001) * (state - mean)
        observe(hidden, state)
        vote(neighbors, hidden.signs, 0)
        assert votes_of(neighbors) == expected_votes(past, signs)
        symbol = int(random.integers(N))
        remember(neighbors, symbol, 0)
        past = [*past, (signs, symbol)][-capacity:]


def test_unlike_streams_ask_their_own_states_first():
    random = np.random.default_rng(3)
    # Four blocks of 256, of which a stream asks one at least.
    capacity = 1000
    streams = 3
    neighbors = new_neighbors(N, DIMENSIONS, capacity, streams)
    hidden = new_hidden_state(DIMENSIONS)
    ring: Past = []
    own: list[Past] = [[] for _ in range(streams)]
    asked_of_others = 0
    for n in range(1500):
        stream = int(random.choice(streams, p=[0.7, 0.2, 0.1]))
        observe(hidden, random.standard_normal(DIMENSIONS).astype(np.float32))
        signs = np.unpackbits(hidden.signs.view(np.uint8), bitorder="little")[:DIMENSIONS]
        own_blocks = -(-len(own[stream]) // 256)
        asked = max(4 - own_blocks, 1)
        newest = (n - 1) % capacity // 256
        blocks = {(newest - i) % max(-(-len(ring) // 256), 1) for i in range(asked)}
        shared = [state for i, state in enumerate(ring) if i // 256 in blocks]
        asked_of_others += 0 < len(shared) < len(ring)
        if n % 7 == 0:
            vote(neighbors, hidden.signs, stream)
            assert votes_of(neighbors) == expected_votes(own[stream] + shared, signs)
        else:
            neighbors.words[: len(hidden.signs)] = hidden.signs
        symbol = int(random.integers(N))
        remember(neighbors, symbol, stream)
        ring[n % capacity : n % capacity + 1] = [(signs, symbol)]
        own[stream].append((signs, symbol))
    assert asked_of_others > 500


def test_a_vote_halves_with_the_distance():
    weights = vote_of_distance(576)
    assert weights[0] == 1 << 12 and weights[-1] > 0
    assert (np.diff(weights) <= 0).all()
    assert abs(weights[0] / weights[10] - 2) < 0.05


@given(st.dictionaries(st.integers(0, N - 1), st.integers(1, 1000)), st.integers(0, N))
def test_splitting_parts_the_symbols_and_adds_up_their_votes(sums, split):
    votes = new_votes(N)
    for i, (symbol, total) in enumerate(sums.items()):
        votes.symbols[i], votes.sums[symbol] = symbol, total
    middle, below, above = split_votes(votes, 0, len(sums), split)
    symbols = votes.symbols[: len(sums)].tolist()
    assert sorted(symbols) == sorted(sums)
    assert all(s < split for s in symbols[:middle]) and all(s >= split for s in symbols[middle:])
    assert below == sum(v for s, v in sums.items() if s < split)
    assert below + above == sum(sums.values())
    assert (place(votes, below, above) < 0) == (not sums)


def size(ask: bool) -> int:
    """Bytes of 600 symbols that only the state foretells."""
    random = np.random.default_rng(2)
    topics = random.standard_normal((8, DIMENSIONS))
    spellings = [bytes([97 + i]) for i in range(8)]
    tables = new_tables(Trie(spellings), 1, 1000, ALL_KINDS)
    neighbors = new_neighbors(len(spellings), DIMENSIONS, 200)
    hidden = new_hidden_state(DIMENSIONS)
    softmax = softmax_of([0] * 8)
    candidates = candidates_of(softmax)
    coder = Encoder()
    for _ in range(600):
        symbol = np.int64(random.integers(8))
        noise = 0.5 * random.standard_normal(DIMENSIONS)
        observe(hidden, (topics[symbol] + noise).astype(np.float32))
        vote(neighbors, hidden.signs, 0)
        votes = neighbors.votes if ask else new_votes(1)
        code_symbol(*coder.kernel_state(64), tables, votes, softmax, candidates, 0, symbol)
        remember(neighbors, symbol, 0)
    return len(coder.finish())


def test_similar_states_foretell_the_symbol():
    assert size(ask=True) < 0.5 * size(ask=False)


def test_a_lean_tells_quality_and_side():
    def lean_of(quality: int, below: int, above: int) -> int:
        votes = new_votes(1)
        votes.state[1] = quality
        return int(lean(place(votes, below, above)))

    assert lean_of(0, 0, 0) == 0
    for quality in range(QUALITIES):
        sides = [lean_of(quality, n, 1 << 20 >> n.bit_length()) for n in range(1 << 10)]
        assert len(set(sides)) > 1 and sides == sorted(sides)
    every = {
        lean_of(quality, 1 << below, 1 << above)
        for quality in range(QUALITIES)
        for below in range(20)
        for above in range(20)
    }
    assert every == set(range(1, LEANS))
