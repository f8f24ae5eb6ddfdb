"""The mixer and the probability maps learn from what comes."""

import numpy as np

from predictors.mixing import apm, mixer
from predictors.mixing.logistic import ODDS_LIMIT, ODDS_ONE, PROBABILITY_ONE, squash


def inputs_of(*odds: int) -> np.ndarray:
    inputs = mixer.new_inputs(len(odds))
    inputs[: len(odds)] = odds
    return inputs


def test_weights_move_to_the_input_that_is_right():
    random = np.random.default_rng(1)
    weights = inputs_of(*[mixer.WEIGHT_ONE // 3] * 3)
    for _ in range(5000):
        bit = np.int64(random.integers(2))
        informed = (2 * bit - 1) * 2 * ODDS_ONE
        inputs = inputs_of(informed, random.integers(-2, 3) * ODDS_ONE, -informed // 2)
        odds = mixer.dot(weights, 0, inputs)
        mixer.train(weights, 0, inputs, odds, bit, 2000)
    assert weights[0] > 2 * mixer.WEIGHT_ONE and weights[2] < 0
    assert abs(weights[1]) < mixer.WEIGHT_ONE / 4


def test_a_prediction_without_error_teaches_nothing():
    weights = inputs_of(mixer.WEIGHT_ONE)
    inputs = inputs_of(ODDS_LIMIT)
    mixer.train(weights, 0, inputs, mixer.dot(weights, 0, inputs), np.int64(1), 2000)
    assert weights[0] == mixer.WEIGHT_ONE


def test_mixed_odds_stay_within_the_limit():
    weights = inputs_of(*[1 << 30] * 4)
    assert mixer.dot(weights, 0, inputs_of(*[ODDS_LIMIT] * 4)) == ODDS_LIMIT
    assert mixer.dot(weights, 0, inputs_of(*[-ODDS_LIMIT] * 4)) == -ODDS_LIMIT


def rows(layer: mixer.Layer) -> np.ndarray:
    return layer.weights.reshape(layer.shape)


def test_a_layer_is_the_average_of_its_selected_sets():
    layer = mixer.new_layer(2, 4, [mixer.WEIGHT_ONE, 0], 0)
    rows(layer)[1, 3, :2] = [0, mixer.WEIGHT_ONE]
    inputs = inputs_of(4 * ODDS_ONE, -2 * ODDS_ONE)
    assert mixer.mix(layer, inputs) == 4 * ODDS_ONE
    layer.selected[1] = 3
    assert mixer.mix(layer, inputs) == ODDS_ONE
    assert layer.mixed[:2].tolist() == [4 * ODDS_ONE, -2 * ODDS_ONE]


def test_only_selected_sets_learn_and_slower_with_experience():
    layer = mixer.new_layer(1, 2, [0], 10_000)
    inputs = inputs_of(ODDS_ONE)
    steps = []
    for _ in range(2000):
        before = int(rows(layer)[0, 0, 0])
        layer.mixed[0] = 0
        mixer.learn(layer, inputs, np.int64(1), 100)
        steps.append(int(rows(layer)[0, 0, 0]) - before)
    assert steps == sorted(steps, reverse=True) and steps[0] > 3 * steps[-1] > 0
    assert (rows(layer)[0, 1] == 0).all()


def test_an_extra_rate_halves_after_as_many_decisions_as_it_says():
    layer = mixer.new_layer(1, 1, [0], 4000)
    for _ in range((1 << 20) // 4000):
        mixer.learn(layer, mixer.new_inputs(1), np.int64(1), 0)
    assert abs(int(layer.extra[0]) / (4000 << 16) - 0.5) < 0.01


def test_a_new_map_changes_little():
    maps = apm.new_maps(2)
    for x in range(-10 * ODDS_ONE, 10 * ODDS_ONE, 1000):
        before = squash(x) / PROBABILITY_ONE
        after = apm.refine(maps[1], apm.place(x)) / PROBABILITY_ONE
        assert abs(after - before) < 0.03


def test_a_map_corrects_what_is_always_wrong():
    maps = apm.new_maps(1)
    random = np.random.default_rng(2)
    place = apm.place(2 * ODDS_ONE)
    for _ in range(3000):
        apm.learn(maps[0], place, np.int64(random.random() < 0.3), 6)
    assert 0.15 < apm.refine(maps[0], place) / PROBABILITY_ONE < 0.45


def test_the_ends_of_a_map_are_inside():
    maps = apm.new_maps(1)
    for x in (-ODDS_LIMIT, ODDS_LIMIT):
        assert 0 < apm.refine(maps[0], apm.place(x)) < PROBABILITY_ONE
