"""Hidden states: centered and scaled by those before, as plain arithmetic does."""

import numpy as np

from predictors.heads.hidden_state import new_hidden_state, observe

DIMENSIONS = 100


def test_features_and_signs_are_those_of_plain_arithmetic():
    random = np.random.default_rng(1)
    state = new_hidden_state(DIMENSIONS)
    mean, variance = np.zeros(DIMENSIONS), np.ones(DIMENSIONS)
    for step in range(50):
        hidden = (random.standard_normal(DIMENSIONS) * 30 + 5).astype(np.float32)
        share = max(1 / (step + 1.5), 0.001)
        x = hidden.astype(np.float64) - mean
        mean = mean + share * x
        variance = variance + share * (x * x - variance)
        y = np.clip(x / np.sqrt(variance + 1e-6) * 16, -127, 127)
        observe(state, hidden)
        assert state.features.tolist() == np.floor(y + 0.5).astype(int).tolist()
        bits = [int(state.signs[j >> 6]) >> (j & 63) & 1 for j in range(DIMENSIONS)]
        assert bits == (x >= 0).astype(int).tolist()


def test_a_dimension_that_never_changes_divides_by_no_zero():
    state = new_hidden_state(2)
    for _ in range(3000):
        observe(state, np.array([3, 0], dtype=np.float32))
    assert (abs(state.features) <= 127).all()
