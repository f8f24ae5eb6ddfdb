"""The votes of past states: against a plain reference, bounded, and worth something."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coder import MAX_CDF_BITS, Encoder
from predictors.heads.neighbors import (
    LEANS,
    QUALITIES,
    Neighbors,
    lean,
    new_votes,
    place,
    split_votes,
    vote_of_distance,
)
from predictors.language_models.trie import Trie
from predictors.mixing.contexts import ALL_KINDS
from predictors.mixing.refinement import Refinement

N = 40
DIMENSIONS = 100


def votes_of(neighbors: Neighbors) -> dict[int, int]:
    symbols = neighbors.votes.symbols[: neighbors.votes.state[0]]
    return {int(s): int(neighbors.votes.sums[s]) for s in symbols}


def test_votes_are_those_of_a_plain_search_through_the_newest_states():
    random = np.random.default_rng(1)
    capacity = 30
    neighbors = Neighbors(N, capacity)
    weights = vote_of_distance(DIMENSIONS)
    mean = np.zeros(DIMENSIONS)
    past: list[tuple[np.ndarray, int]] = []
    topics = random.standard_normal((5, DIMENSIONS))
    for step in range(100):
        state = (topics[step % 5] + random.standard_normal(DIMENSIONS)).astype(np.float32)
        signs = state - mean >= 0
        mean += max(1 / (step + 1.5), 0.001) * (state - mean)
        neighbors.vote(state)
        expected: dict[int, int] = {}
        distances = [int((signs != old).sum()) for old, _ in past]
        for distance, (_, symbol) in zip(distances, past, strict=True):
            farther = distance - min(distances)
            if farther < len(weights):
                expected[symbol] = expected.get(symbol, 0) + int(weights[farther])
        assert votes_of(neighbors) == expected
        symbol = int(random.integers(N))
        neighbors.remember(symbol)
        past = [*past, (signs, symbol)][-capacity:]


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
    refinement = Refinement(Trie(spellings), 1, ALL_KINDS)
    neighbors = Neighbors(len(spellings), 200)
    flat = np.linspace(0, 1 << MAX_CDF_BITS, 9).astype(np.uint32)
    coder = Encoder()
    for _ in range(600):
        symbol = int(random.integers(8))
        noise = 0.5 * random.standard_normal(DIMENSIONS)
        neighbors.vote((topics[symbol] + noise).astype(np.float32))
        refinement.code(coder, 0, flat, symbol, neighbors.votes if ask else None)
        neighbors.remember(symbol)
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
