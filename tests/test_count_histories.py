"""The state map: what is expected after counts of zeros and ones."""

import pytest

from predictors.mixing.count_histories import HISTORIES, LEVELS, level_of_count, new_state_map
from predictors.mixing.logistic import PROBABILITY_ONE


@pytest.mark.parametrize(
    ("n0", "n1", "low", "high"), [(0, 1, 0.6, 0.99), (1, 0, 0.01, 0.4), (1, 1, 0.4, 0.6)]
)
def test_a_new_state_map_holds_the_share_of_ones(n0, n1, low, high):
    state_map = new_state_map(2)
    assert state_map.shape == (2, HISTORIES)
    history = (level_of_count(n0) * LEVELS + level_of_count(n1)) * 2
    assert low < state_map[1, history] / PROBABILITY_ONE < high
    assert state_map.min() > 0 and state_map.max() < PROBABILITY_ONE


def test_small_counts_are_told_apart_and_large_ones_in_steps():
    assert [level_of_count(n) for n in (0, 1, 2, 3, 4, 5, 6, 7)] == [0, 1, 2, 3, 4, 5, 5, 6]
    assert level_of_count(127) == LEVELS - 2
