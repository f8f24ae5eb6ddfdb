"""Fixed-point logistic arithmetic against floating point."""

import numpy as np
import pytest

from predictors.mixing.logistic import (
    ODDS_LIMIT,
    ODDS_ONE,
    PROBABILITY_ONE,
    adapt,
    clamp_odds,
    log2_fixed,
    lowest_bit,
    squash,
    squash_array,
    stretch,
)


def test_log2_is_exact_to_three_units():
    random = np.random.default_rng(1)
    numbers = [1, 2, 3, (1 << 51) - 1, *(int(2**x) for x in random.uniform(0, 50.9, 2000))]
    for n in numbers:
        assert abs(log2_fixed(n) / ODDS_ONE - np.log2(n)) < 3 / ODDS_ONE


def test_the_lowest_bit_is_found_wherever_it_is():
    for place in range(64):
        for above in (0, 0xA5A5_A5A5_A5A5_A5A5):
            number = (above << place | 1 << place) & (1 << 64) - 1
            assert lowest_bit(np.uint64(number)) == place


def test_squash_is_the_logistic_function_of_base_two():
    for x in range(-ODDS_LIMIT, ODDS_LIMIT + 1, 97):
        expected = PROBABILITY_ONE / (1 + 2.0 ** (-x / ODDS_ONE))
        assert abs(squash(x) - expected) <= 4.5
        assert 0 < squash(x) < PROBABILITY_ONE


def test_squash_of_arrays_is_squash():
    x = np.arange(-ODDS_LIMIT, ODDS_LIMIT + 1, 37, dtype=np.int64)
    assert squash_array(x).tolist() == [squash(odds) for odds in x.tolist()]
    ends = np.array([-ODDS_LIMIT, -1, 0, 1, ODDS_LIMIT])
    assert squash_array(ends).tolist() == [squash(odds) for odds in ends.tolist()]


def test_squash_never_falls():
    values = [squash(x) for x in range(-ODDS_LIMIT, ODDS_LIMIT + 1, 13)]
    assert np.all(np.diff(values) >= 0)


@pytest.mark.parametrize("p", [0.001, 0.1, 0.5, 0.77, 0.999])
def test_stretch_inverts_squash(p):
    n = int(p * PROBABILITY_ONE)
    assert squash(stretch(n)) / PROBABILITY_ONE == pytest.approx(p, abs=2e-4)


def test_odds_are_clamped():
    assert clamp_odds(ODDS_LIMIT + 5) == ODDS_LIMIT
    assert clamp_odds(-ODDS_LIMIT - 5) == -ODDS_LIMIT
    assert clamp_odds(17) == 17


def test_adapting_converges_and_stays_inside():
    p = np.int64(PROBABILITY_ONE // 2)
    for _ in range(2000):
        p = adapt(p, np.int64(1), 6)
    assert 0.999 < p / PROBABILITY_ONE < 1
    for _ in range(3000):
        p = adapt(p, np.int64(0), 6)
    assert 0 <= p / PROBABILITY_ONE < 0.001
