"""The bias head learns a skewed source, in integers."""

import numpy as np

from coder import CDF_BITS, CDF_TOTAL, cdf_from_scores
from predictors.heads.bias_head import BiasHead


def run(head: BiasHead, symbols: list[int], n: int) -> float:
    """Code length in bits of `symbols` when the model alone knows nothing."""
    scores = np.empty(n, dtype=np.int32)
    cdf = np.empty(n + 1, dtype=np.uint32)
    bits = 0.0
    for symbol in symbols:
        scores[:] = 0
        head.predict(scores, None)
        cdf_from_scores(scores, cdf)
        bits += CDF_BITS - np.log2(float(cdf[symbol + 1] - cdf[symbol]))
        head.update(cdf, symbol)
    return bits


def test_it_learns_the_frequencies_of_a_source():
    random = np.random.default_rng(0)
    p = np.array([0.7, 0.2, 0.05, 0.05])
    symbols = random.choice(4, size=4000, p=p).tolist()
    entropy = -(p * np.log2(p)).sum() * len(symbols)
    assert run(BiasHead(4, rate=100, cdf_bits=CDF_BITS), symbols, 4) < 1.05 * entropy


def test_the_first_step_is_the_gradient():
    head = BiasHead(4, rate=100, cdf_bits=CDF_BITS)
    cdf = np.array([0, 1, 2, 3, 4], dtype=np.uint32) * (CDF_TOTAL // 4)
    head.update(cdf, 2)
    scores = np.zeros(4, dtype=np.int32)
    head.predict(scores, None)
    nat = 65536 / np.log(2)
    gradient = np.array([-0.25, -0.25, 0.75, -0.25])
    expected = 0.1 * nat * gradient / np.sqrt(0.3 + gradient**2)
    assert np.abs(scores - expected).max() <= 2


def test_the_bias_stays_bounded_under_a_hostile_model():
    head = BiasHead(2, rate=1 << 16, cdf_bits=CDF_BITS)
    cdf = np.array([0, CDF_TOTAL - 1, CDF_TOTAL], dtype=np.uint32)
    for _ in range(3000):
        head.update(cdf, 1)
    scores = np.zeros(2, dtype=np.int32)
    head.predict(scores, None)
    assert scores.tolist() == [-(1024 << 16), 1024 << 16]


def test_negligible_symbols_stay_as_they_are():
    head = BiasHead(3, rate=200, cdf_bits=CDF_BITS)
    cdf = np.array([0, CDF_TOTAL - 200, CDF_TOTAL - 100, CDF_TOTAL], dtype=np.uint32)
    head.update(cdf, 2)
    scores = np.zeros(3, dtype=np.int32)
    head.predict(scores, None)
    assert scores[0] < 0 and scores[1] == 0 and scores[2] > 0
