"""The bias head learns a skewed source, in integers."""

import numpy as np

from predictors.heads.bias_head import BiasHead, new_bias_head, predict, update
from predictors.heads.candidates import Candidates, reweigh
from tests.distributions import candidates_of, share_of, softmax_of


def predicted(head: BiasHead, scores: list[float]) -> Candidates:
    softmax = softmax_of(scores)
    candidates = candidates_of(softmax)
    predict(head, candidates)
    reweigh(softmax, candidates)
    return candidates


def test_it_learns_the_frequencies_of_a_source():
    random = np.random.default_rng(0)
    p = np.array([0.7, 0.2, 0.05, 0.05])
    symbols = random.choice(4, size=4000, p=p).tolist()
    entropy = -(p * np.log2(p)).sum() * len(symbols)
    head = new_bias_head(4, 100)
    bits = 0.0
    for symbol in symbols:
        candidates = predicted(head, [0] * 4)
        bits -= np.log2(share_of(candidates, symbol))
        update(head, candidates, symbol)
    assert bits < 1.05 * entropy


def test_the_first_step_is_the_gradient():
    head = new_bias_head(4, 100)
    update(head, predicted(head, [0] * 4), 2)
    nat = 65536 / np.log(2)
    gradient = np.array([-0.25, -0.25, 0.75, -0.25])
    expected = 0.1 * nat * gradient / np.sqrt(0.3 + gradient**2)
    assert np.abs(predicted(head, [0] * 4).changes[:4] - expected).max() <= 2


def test_the_bias_stays_bounded_under_a_hostile_model():
    head = new_bias_head(2, 1 << 16)
    candidates = candidates_of(softmax_of([0, -11]))
    for _ in range(3000):
        # It is told that the symbol is improbable, whatever it learned.
        update(head, candidates, 1)
    assert predicted(head, [0, -11]).changes[1] == 1024 << 16


def test_negligible_symbols_stay_as_they_are():
    head = new_bias_head(3, 200)
    update(head, candidates_of(softmax_of([0, -40, -13.5])), 2)
    # The last was no candidate when it came.
    changes = predicted(head, [0, 0, 0]).changes[:3]
    assert changes[0] < 0 and changes[1] == 0 and changes[2] > 0


def test_a_rate_of_0_switches_it_off():
    head = new_bias_head(3, 0)
    update(head, candidates_of(softmax_of([0, 0, 0])), 2)
    assert predicted(head, [0, 0, 0]).changes[:3].tolist() == [0, 0, 0]
