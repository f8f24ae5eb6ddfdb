"""Byte-level refinement: exact in both directions, shared by streams, and worth it."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder import Coder, Decoder, Encoder
from predictors.heads.candidates import Candidates, reweigh
from predictors.heads.neighbors import new_votes
from predictors.language_models.trie import Trie
from predictors.mixing.contexts import ALL_KINDS, KINDS
from predictors.mixing.decision import MAX_LINE_BITS, MAX_UNLIKE_LINE_BITS, line_bits
from predictors.mixing.refinement import code_symbol, new_tables
from predictors.softmax import Softmax
from tests.distributions import candidates_of, softmax_of
from tests.reachable import reachable_bytes

SPELLINGS = sorted(
    [bytes([b]) for b in range(97, 123)] + [b"the", b" ", b" the", b"and", b"an", b"\n"]
)
N = len(SPELLINGS)


Distribution = tuple[Softmax, Candidates]


def distribution(scores: npt.ArrayLike) -> Distribution:
    softmax = softmax_of(scores)
    return softmax, candidates_of(softmax)


def random_scores(random: np.random.Generator) -> np.ndarray:
    return np.log2(random.random(N)) * random.choice([1, 20])


FLAT = distribution([0] * N)


class Refinement:
    """The kernel with its tables."""

    def __init__(self, streams: int, kinds: int, unlike: bool = False) -> None:
        self.trie = Trie(SPELLINGS)
        self.tables = new_tables(self.trie, streams, 1000, kinds, unlike)

    def code(self, coder: Coder, stream: int, weights: Distribution, symbol: int) -> int:
        state, buffer = coder.kernel_state(self.trie.max_decisions)
        coded = code_symbol(
            state, buffer, self.tables, new_votes(1), *weights, stream, np.int64(symbol)
        )
        return int(coded)


def code(coder, symbols, distributions, streams=1, kinds=ALL_KINDS, unlike=False) -> list[int]:
    model = Refinement(streams, kinds, unlike)
    return [
        model.code(coder, i % streams, weights, symbol)
        for i, (symbol, weights) in enumerate(zip(symbols, distributions, strict=True))
    ]


def size(symbols: list[int], streams: int = 1, kinds: int = ALL_KINDS) -> int:
    encoder = Encoder()
    assert code(encoder, symbols, [FLAT] * len(symbols), streams, kinds) == symbols
    return len(encoder.finish())


@settings(max_examples=20)
@given(
    st.lists(st.integers(0, N - 1), max_size=200),
    st.integers(1, 5),
    st.integers(0, ALL_KINDS),
    st.integers(0, 1000),
    st.booleans(),
)
def test_decoding_inverts_encoding(symbols, streams, kinds, seed, unlike):
    random = np.random.default_rng(seed)
    weights = [distribution(random_scores(random)) for _ in symbols]
    encoder = Encoder()
    assert code(encoder, symbols, weights, streams, kinds, unlike) == symbols
    decoder = Decoder(encoder.finish())
    assert code(decoder, [-1] * len(symbols), weights, streams, kinds, unlike) == symbols


@pytest.mark.parametrize("streams", [1, 4])
def test_unlike_streams_do_not_disturb_each_other(streams):
    """In each another symbol is likely behind a symbol."""
    random = np.random.default_rng(4)
    texts = []
    for _ in range(streams):
        likely = random.permutation(N)
        text = [0]
        while len(text) < 1000:
            text.append(int(likely[text[-1]] if random.random() < 0.7 else random.integers(N)))
        texts.append(text)
    symbols = np.array(texts).T.ravel().tolist()

    def size(unlike: bool) -> int:
        encoder = Encoder()
        code(encoder, symbols, [FLAT] * len(symbols), streams, ALL_KINDS, unlike)
        return len(encoder.finish())

    assert size(True) < 0.97 * size(False) if streams > 1 else size(True) == size(False)


def test_the_language_models_odds_are_used_as_they_are_at_first():
    random = np.random.default_rng(1)
    encoder = Encoder()
    model = Refinement(1, ALL_KINDS)
    ideal = 0.0
    for _ in range(300):
        scores = random_scores(random)
        p = 2.0**scores / (2.0**scores).sum()
        symbol = int(random.choice(N, p=p))
        ideal -= np.log2(p[symbol])
        model.code(encoder, 0, distribution(scores), symbol)
    # A model that is right leaves nothing to learn, so what is learned is noise.
    assert 8 * len(encoder.finish()) < 1.08 * ideal + 8


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_every_kind_of_context_learns_a_repetition(kind):
    text = [SPELLINGS.index(s) for s in (b"the", b" ", b"a", b"b", b" the", b"\n")] * 60
    # The match model, which is always on, learns it too.
    assert size(text, kinds=1 << kind) < 0.8 * size(text, kinds=0)


def test_the_match_model_alone_learns_long_repeats():
    random = np.random.default_rng(2)
    phrase = random.integers(0, N, 60).tolist()
    assert size(phrase * 10, kinds=0) < 0.5 * 10 * size(phrase, kinds=0)


def test_streams_learn_from_each_other():
    random = np.random.default_rng(3)
    phrase = random.integers(0, N, 300).tolist()
    # Both streams read the same phrase, one after the other.
    interleaved = [s for pair in zip(phrase[:150], phrase[150:], strict=True) for s in pair] * 2
    assert size(interleaved, streams=2) < 1.3 * size(phrase)


def test_what_the_model_said_before_the_heads_is_not_lost():
    random = np.random.default_rng(4)
    symbols = random.integers(0, N, 600).tolist()

    def coded(tell: bool) -> int:
        model = Refinement(1, 0)
        encoder = Encoder()
        for symbol in symbols:
            softmax, candidates = distribution(6.0 * (np.arange(N) == symbol) if tell else [0] * N)
            # The heads made the model's good prediction flat.
            candidates.changes[:N] = -(6 << 16) * (candidates.symbols[:N] == symbol) * tell
            reweigh(softmax, candidates)
            model.code(encoder, 0, (softmax, candidates), symbol)
        return len(encoder.finish())

    assert coded(True) < 0.6 * coded(False)


def test_what_is_certain_costs_almost_nothing():
    assert size([5] * 3000) < 40


def test_memory_is_bounded():
    assert reachable_bytes(Refinement(256, ALL_KINDS)) < 170 << 20
    assert line_bits(1 << 40) == MAX_LINE_BITS <= 22


def test_unlike_streams_of_a_long_text_have_a_larger_table():
    for n in (1, 1000, 1 << 17):
        assert line_bits(n, unlike=True) == line_bits(n)
    assert line_bits(1 + (1 << 17), unlike=True) == MAX_LINE_BITS + 1
    assert line_bits(1 << 40, unlike=True) == MAX_UNLIKE_LINE_BITS <= 24


def test_memory_does_not_grow():
    random = np.random.default_rng(5)
    model = Refinement(3, ALL_KINDS)
    sizes = []
    for n_symbols in (300, 30_000):
        coder = Encoder()
        for i, symbol in enumerate(random.integers(0, N, n_symbols).tolist()):
            model.code(coder, i % 3, FLAT, symbol)
        sizes.append(reachable_bytes(model))
    # Numbers of Python that are counted up need another digit at times.
    assert sizes[1] < sizes[0] + 256
