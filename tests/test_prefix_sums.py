"""Prefix sums: right whatever the size of the alphabet, and close to powers of two."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictors.mixing.prefix_sums import add_up, new_prefix_sums, sum_before


@given(st.integers(1, 300), st.integers(0, 1 << 32))
def test_a_sum_is_that_of_all_weights_before(n, seed):
    scores = np.random.default_rng(seed).integers(-(1 << 27), 1 << 27, n).astype(np.int32)
    sums = new_prefix_sums(n)
    add_up(sums, scores)
    before = np.concatenate([[0], np.cumsum(sums.weights[:n].astype(np.int64))])
    assert [sum_before(sums, i) for i in range(n + 1)] == before.tolist()
    assert sums.blocks[-1] == before[-1]
    assert sums.weights[:n].min() >= 1


def test_weights_are_powers_of_two():
    scores = (-np.arange(0, 40 << 16, 97)).astype(np.int32)
    sums = new_prefix_sums(len(scores))
    add_up(sums, scores)
    exact = 2.0 ** (30 + scores / 65536)
    weights = sums.weights[: len(scores)]
    assert (abs(weights - exact) <= 0.0003 * exact + 1).all()


def test_sums_are_those_of_the_last_scores():
    sums = new_prefix_sums(70)
    add_up(sums, np.arange(70, dtype=np.int32))
    add_up(sums, np.full(70, -5, dtype=np.int32))
    assert sum_before(sums, 70) == 70 * sum_before(sums, 1)
