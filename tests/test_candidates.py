"""Candidates: the probable symbols, and sums of weights after the heads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictors.heads.candidates import MAX_CANDIDATES, has, likeliest, place_of, reweigh
from predictors.softmax import sum_before
from tests.distributions import candidates_of, softmax_of


def test_they_are_those_within_reach_in_ascending_order():
    candidates = candidates_of(softmax_of([-3, -20, 0, -11.5, -12.5, -1]))
    assert candidates.symbols[: candidates.state[0]].tolist() == [0, 2, 3, 5]
    assert has(candidates, 3) and not has(candidates, 4)


def test_their_number_is_bounded_by_a_shorter_reach():
    n = 3 * MAX_CANDIDATES
    candidates = candidates_of(softmax_of(-np.arange(n) / MAX_CANDIDATES - 0.001))
    assert candidates.symbols[: candidates.state[0]].tolist() == list(range(MAX_CANDIDATES))
    flat = candidates_of(softmax_of(np.zeros(n)))
    assert flat.symbols[: flat.state[0]].tolist() == list(range(MAX_CANDIDATES))


@given(st.integers(1, 400), st.integers(0, 1 << 32))
def test_sums_after_the_heads_are_those_of_changed_scores(n, seed):
    random = np.random.default_rng(seed)
    bits = random.uniform(-30, 0, n)
    softmax = softmax_of(bits)
    candidates = candidates_of(softmax)
    count = int(candidates.state[0])
    changes = random.uniform(-15, 15, count)
    candidates.changes[:count] = changes * 65536
    reweigh(softmax, candidates)
    exact = 2.0 ** (30 + bits - bits.max())
    exact[candidates.symbols[:count]] *= 2.0**changes
    for symbol in range(n + 1):
        place = place_of(candidates, symbol, 0, count)
        found = sum_before(softmax, symbol) + candidates.sums[place]
        assert abs(found - exact[:symbol].sum()) <= 0.001 * exact[:symbol].sum() + symbol
    symbol, weight, total = likeliest(candidates)
    best = candidates.symbols[:count][exact[candidates.symbols[:count]].argmax()]
    assert exact[symbol] >= 0.999 * exact[best]
    assert abs(weight / total - exact[symbol] / exact.sum()) < 0.001
    shares = candidates.shares[:count] / (1 << 30)
    assert np.abs(shares - exact[candidates.symbols[:count]] / exact.sum()).max() < 0.001


def test_no_change_is_too_large_for_the_sums():
    softmax = softmax_of(np.zeros(MAX_CANDIDATES))
    for bits in (1088, -1088):
        candidates = candidates_of(softmax)
        candidates.changes[:] = bits << 16
        reweigh(softmax, candidates)
        assert (candidates.weights > 0).all()
        total = int(candidates.state[2])
        assert total == sum(candidates.weights.tolist()) < 1 << 62
        assert abs(int(candidates.shares.sum()) - (1 << 30)) <= MAX_CANDIDATES
