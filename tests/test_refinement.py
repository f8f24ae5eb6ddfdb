"""Byte-level refinement: exact in both directions, shared by streams, and worth it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder import MAX_CDF_BITS, Decoder, Encoder
from predictors.language_models.trie import Trie
from predictors.mixing.contexts import ALL_KINDS, KINDS
from predictors.mixing.decision import SLOT_BITS
from predictors.mixing.prefix_sums import add_up, new_prefix_sums
from predictors.mixing.refinement import Refinement
from tests.reachable import reachable_bytes

SPELLINGS = sorted(
    [bytes([b]) for b in range(97, 123)] + [b"the", b" ", b" the", b"and", b"an", b"\n"]
)
N = len(SPELLINGS)


def random_cdf(random: np.random.Generator) -> np.ndarray:
    weights = random.random(N) ** random.choice([1, 20])
    counts = 1 + np.floor(weights / weights.sum() * ((1 << MAX_CDF_BITS) - N)).astype(np.int64)
    counts[0] += (1 << MAX_CDF_BITS) - counts.sum()
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)


FLAT = np.linspace(0, 1 << MAX_CDF_BITS, N + 1).astype(np.uint32)


def code(coder, symbols, cdfs, streams=1, kinds=ALL_KINDS) -> list[int]:
    model = Refinement(Trie(SPELLINGS), streams, kinds)
    return [
        model.code(coder, i % streams, cdf, symbol)
        for i, (symbol, cdf) in enumerate(zip(symbols, cdfs, strict=True))
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
)
def test_decoding_inverts_encoding(symbols, streams, kinds, seed):
    random = np.random.default_rng(seed)
    cdfs = [random_cdf(random) for _ in symbols]
    encoder = Encoder()
    assert code(encoder, symbols, cdfs, streams, kinds) == symbols
    decoder = Decoder(encoder.finish())
    assert code(decoder, [-1] * len(symbols), cdfs, streams, kinds) == symbols


def test_the_language_models_odds_are_used_as_they_are_at_first():
    random = np.random.default_rng(1)
    encoder = Encoder()
    model = Refinement(Trie(SPELLINGS), 1, ALL_KINDS)
    ideal = 0.0
    for _ in range(300):
        cdf = random_cdf(random)
        symbol = int(np.searchsorted(cdf, random.integers(1 << MAX_CDF_BITS), side="right")) - 1
        ideal += MAX_CDF_BITS - np.log2(float(cdf[symbol + 1]) - float(cdf[symbol]))
        model.code(encoder, 0, cdf, symbol)
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
        model = Refinement(Trie(SPELLINGS), 1, 0)
        sums = new_prefix_sums(N)
        encoder = Encoder()
        for symbol in symbols:
            scores = np.zeros(N, dtype=np.int32)
            scores[symbol] = 6 << 16
            add_up(sums, scores)
            model.code(encoder, 0, FLAT, symbol, None, sums if tell else None)
        return len(encoder.finish())

    # The heads made the model's good prediction flat.
    assert coded(True) < 0.6 * coded(False)


def test_what_is_certain_costs_almost_nothing():
    assert size([5] * 3000) < 40


def test_memory_is_bounded():
    assert reachable_bytes(Refinement(Trie(SPELLINGS), 256, ALL_KINDS)) < 170 << 20
    assert SLOT_BITS <= 24


def test_memory_does_not_grow():
    random = np.random.default_rng(5)
    model = Refinement(Trie(SPELLINGS), 3, ALL_KINDS)
    sizes = []
    for n_symbols in (300, 30_000):
        coder = Encoder()
        for i, symbol in enumerate(random.integers(0, N, n_symbols).tolist()):
            model.code(coder, i % 3, FLAT, symbol)
        sizes.append(reachable_bytes(model))
    # Numbers of Python that are counted up need another digit at times.
    assert sizes[1] < sizes[0] + 256
