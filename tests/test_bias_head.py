"""The bias head learns a skewed source, in integers."""

import numpy as np

from predictors.heads.bias_head import BiasHead, new_bias_head, update
from predictors.heads.candidates import Candidates
from predictors.softmax import Softmax, weigh
from tests.distributions import NATS_PER_BIT, candidates_of, share_of, softmax_of


def predicted(softmax: Softmax, scores: list[float]) -> Candidates:
    assert weigh(softmax, (np.array(scores) * NATS_PER_BIT).astype(np.float32))
    return candidates_of(softmax)


def new(n: int, rate: int) -> tuple[Softmax, BiasHead]:
    softmax = softmax_of([0] * n)
    return softmax, new_bias_head(softmax, rate)


def test_it_learns_the_frequencies_of_a_source():
    random = np.random.default_rng(0)
    p = np.array([0.7, 0.2, 0.05, 0.05])
    symbols = random.choice(4, size=4000, p=p).tolist()
    entropy = -(p * np.log2(p)).sum() * len(symbols)
    softmax, head = new(4, 100)
    bits = 0.0
    for symbol in symbols:
        candidates = predicted(softmax, [0] * 4)
        bits -= np.log2(share_of(candidates, symbol))
        update(head, softmax, candidates, symbol)
    assert bits < 1.05 * entropy


def test_the_first_step_is_the_gradient():
    softmax, head = new(4, 100)
    update(head, softmax, predicted(softmax, [0] * 4), 2)
    nat = 65536 / np.log(2)
    gradient = np.array([-0.25, -0.25, 0.75, -0.25])
    expected = 0.1 * nat * gradient / np.sqrt(0.3 + gradient**2)
    assert np.abs(softmax.bias - expected).max() <= 2


def test_the_bias_stays_bounded_under_a_hostile_model():
    softmax, head = new(2, 1 << 16)
    for _ in range(3000):
        # The model is ever surer that it is not this symbol.
        update(head, softmax, predicted(softmax, [2000, -2000]), 1)
    assert softmax.bias.tolist() == [-(1024 << 16), 1024 << 16]


def test_negligible_symbols_stay_as_they_are():
    softmax, head = new(3, 200)
    update(head, softmax, predicted(softmax, [0, -40, -13.5]), 2)
    # The last was no candidate when it came.
    assert softmax.bias[0] < 0 and softmax.bias[1] == 0 and softmax.bias[2] > 0


def test_a_rate_of_0_switches_it_off():
    softmax, head = new(3, 0)
    update(head, softmax, predicted(softmax, [0, 0, 0]), 2)
    assert softmax.bias.tolist() == [0, 0, 0]
