"""The range coder: what it encodes it decodes, at almost no cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder import CDF_BITS, Decoder, Encoder


def cdf_of_counts(counts: list[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)


def random_cdf(random: np.random.Generator, n: int, bits: int) -> np.ndarray:
    """Counts ≥ 1 that add up to 2**bits, from flat to extremely skewed."""
    weights = random.random(n) ** random.choice([1, 10, 100])
    counts = 1 + np.floor(weights / weights.sum() * ((1 << bits) - n)).astype(np.int64)
    counts[random.integers(n)] += (1 << bits) - counts.sum()
    return cdf_of_counts(counts.tolist())


@given(
    st.integers(0, 2**32), st.integers(1, 300), st.lists(st.sampled_from([8, 16, 24]), max_size=60)
)
def test_decoding_inverts_encoding(seed, n, all_bits):
    random = np.random.default_rng(seed)
    all_bits = [bits for bits in all_bits if n <= 1 << bits]
    cdfs = [random_cdf(random, n, bits) for bits in all_bits]
    symbols = random.integers(0, n, len(all_bits)).tolist()
    encoder = Encoder()
    for cdf, bits, symbol in zip(cdfs, all_bits, symbols, strict=True):
        assert encoder.code(cdf, bits, symbol) == symbol
    decoder = Decoder(encoder.finish())
    found = [decoder.code(cdf, bits) for cdf, bits in zip(cdfs, all_bits, strict=True)]
    assert found == symbols


@given(st.lists(st.tuples(st.integers(1, 65535), st.integers(0, 1)), max_size=300))
def test_bits_survive(pairs):
    encoder = Encoder()
    for p1, bit in pairs:
        encoder.code_bit(p1, bit)
    decoder = Decoder(encoder.finish())
    assert [decoder.code_bit(p1) for p1, _ in pairs] == [bit for _, bit in pairs]


@pytest.mark.parametrize("symbol", [0, 1, 2])
def test_carries_propagate_through_long_runs(symbol):
    # The middle symbol keeps the interval astride a carry; its count of 2 makes
    # `low` creep up to the boundary for thousands of bytes.
    half = 1 << (CDF_BITS - 1)
    cdf = cdf_of_counts([half - 1, 2, half - 1])
    symbols = [1] * 2000 + [symbol] * 3 + [1] * 500
    encoder = Encoder()
    for s in symbols:
        encoder.code(cdf, CDF_BITS, s)
    decoder = Decoder(encoder.finish())
    assert [decoder.code(cdf, CDF_BITS) for _ in symbols] == symbols


def test_code_length_is_within_two_ten_thousandths_of_the_ideal():
    random = np.random.default_rng(5)
    encoder = Encoder()
    ideal = 0.0
    cdfs = [random_cdf(random, 1000, CDF_BITS) for _ in range(50)]
    for i in range(20_000):
        cdf = cdfs[i % len(cdfs)]
        symbol = int(np.searchsorted(cdf, random.integers(1 << CDF_BITS), side="right")) - 1
        ideal += CDF_BITS - np.log2(float(cdf[symbol + 1] - cdf[symbol]))
        encoder.code(cdf, CDF_BITS, symbol)
    actual = 8 * len(encoder.finish())
    assert ideal <= actual <= ideal * 1.0002 + 8


def test_certain_symbols_cost_nothing():
    cdf = cdf_of_counts([1, (1 << CDF_BITS) - 2, 1])
    encoder = Encoder()
    for _ in range(1000):
        encoder.code(cdf, CDF_BITS, 1)
    assert len(encoder.finish()) <= 1


def test_nothing_encodes_to_nothing():
    assert Encoder().finish() == b""


@given(st.binary(max_size=50), st.integers(1, 300))
def test_any_bytes_decode_to_some_symbols(data, n):
    cdf = random_cdf(np.random.default_rng(n), n, CDF_BITS)
    decoder = Decoder(data)
    assert all(0 <= decoder.code(cdf, CDF_BITS) < n for _ in range(200))
