"""The output head learns what follows which hidden state."""

import numpy as np

from coder import MAX_CDF_BITS, cdf_from_scores
from predictors.heads.output_head import MAX_CANDIDATES, OutputHead


def run(rate: int, n_symbols: int = 40, steps: int = 600, hidden_size: int = 500) -> list[float]:
    """Bits of each symbol: the state alone says which of 8 comes."""
    random = np.random.default_rng(1)
    directions = random.standard_normal((8, hidden_size)).astype(np.float32)
    head = OutputHead(n_symbols, rate, MAX_CDF_BITS)
    scores = np.empty(n_symbols, dtype=np.int32)
    cdf = np.empty(n_symbols + 1, dtype=np.uint32)
    bits = []
    for _ in range(steps):
        symbol = int(random.integers(8))
        noise = 0.2 * random.standard_normal(hidden_size).astype(np.float32)
        scores[:] = 0
        head.predict(scores, directions[symbol] + noise)
        cdf_from_scores(scores, cdf, MAX_CDF_BITS)
        bits.append(MAX_CDF_BITS - np.log2(float(cdf[symbol + 1]) - float(cdf[symbol])))
        head.update(cdf, symbol)
    return bits


def test_it_learns_the_symbol_of_a_state():
    bits = run(1070)
    assert np.mean(bits[:10]) > 4
    assert np.mean(bits[-100:]) < 1


def test_candidates_are_bounded_by_a_shorter_reach():
    n = 3 * MAX_CANDIDATES
    head = OutputHead(n, 1000, MAX_CDF_BITS)
    scores = -(np.arange(n, dtype=np.int32) << 16) // MAX_CANDIDATES
    before = scores.copy()
    hidden = np.ones(4, dtype=np.float32)
    cdf = np.empty(n + 1, dtype=np.uint32)
    for _ in range(3):
        scores[:] = before
        head.predict(scores, hidden * np.float32(_ + 1))
        cdf_from_scores(scores, cdf, MAX_CDF_BITS)
        head.update(cdf, 0)
    changed = np.flatnonzero(scores != before)
    assert changed.tolist() == list(range(MAX_CANDIDATES))


def test_a_symbol_that_was_no_candidate_becomes_one():
    head = OutputHead(4, 60_000, MAX_CDF_BITS)
    cdf = np.empty(5, dtype=np.uint32)
    hidden = np.random.default_rng(1).standard_normal(64).astype(np.float32)
    costs = []
    for i in range(60):
        scores = np.array([0, 0, 0, -(11 << 16)], dtype=np.int32)
        head.predict(scores, hidden * np.float32(1 + i % 3))
        cdf_from_scores(scores, cdf, MAX_CDF_BITS)
        costs.append(float(cdf[4]) - float(cdf[3]))
        head.update(cdf, 3)
    assert costs[-1] > 10 * costs[0]


def test_without_hidden_states_it_does_nothing():
    head = OutputHead(5, 1000, MAX_CDF_BITS)
    scores = np.arange(5, dtype=np.int32)
    head.predict(scores, None)
    head.update(np.arange(6, dtype=np.uint32), 2)
    assert scores.tolist() == [0, 1, 2, 3, 4]
