"""The softmax: sums right whatever the size of the alphabet, and close to powers of two."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictors.language_models.vocabulary import Vocabulary
from predictors.softmax import high_weight, new_softmax, score_of, sum_before, weigh
from tests.distributions import NATS_PER_BIT, softmax_of


@given(st.integers(1, 300), st.integers(0, 1 << 32))
def test_a_sum_is_that_of_all_weights_before(n, seed):
    softmax = softmax_of(np.random.default_rng(seed).uniform(-2000, 2000, n))
    before = np.concatenate([[0], np.cumsum(softmax.weights[:n].astype(np.int64))])
    assert [sum_before(softmax, i) for i in range(n + 1)] == before.tolist()
    assert softmax.blocks[-1] == before[-1]
    assert softmax.weights[:n].min() >= 1
    assert softmax.peaks.max() == softmax.weights.max()


def test_weights_are_powers_of_two():
    bits = -np.arange(0, 40, 0.0015)
    softmax = softmax_of(bits)
    exact = 2.0 ** (30 + bits)
    assert (abs(softmax.weights[: len(bits)] - exact) <= 0.0004 * exact + 1).all()


def test_a_high_weight_is_the_same_function_further_up():
    for distance in range(0, 30 << 16, 12_345):
        low = int(high_weight(distance, 0))
        high = int(high_weight(distance, 20))
        assert 0 <= (high - 1) - ((low - 1) << 20) < 1 << 20
        assert int(high_weight(distance + (20 << 16), 20)) == low


def test_weights_are_those_of_the_last_logits():
    softmax = softmax_of(np.arange(70.0))
    weigh(softmax, np.full(70, -5, dtype=np.float32))
    assert sum_before(softmax, 70) == 70 * sum_before(softmax, 1)


def test_tokens_that_no_symbol_uses_do_not_count():
    bytes_ = [bytes([b]) for b in range(256)]
    vocabulary = Vocabulary([b"a", *bytes_, None, None], lambda t: [], 257)
    softmax = new_softmax(vocabulary)
    logits = np.zeros(259, dtype=np.float32)
    # A second spelling of "a", and tokens that spell nothing.
    logits[[1 + 97, 257, 258]] = 50
    assert weigh(softmax, logits)
    assert len(set(softmax.weights[: len(vocabulary)].tolist())) == 1


def test_symbols_that_share_a_token_share_its_weight():
    # Two tokens spell nothing: 256 bytes share one of them.
    vocabulary = Vocabulary([b"ab", None, None], lambda t: [], 1)
    softmax = new_softmax(vocabulary)
    assert weigh(softmax, np.zeros(3, dtype=np.float32))
    together, alone = vocabulary.spellings.index(b"ab"), vocabulary.spellings.index(b"x")
    assert score_of(softmax, together) - score_of(softmax, alone) == 8 << 16
    assert (softmax.weights[together] - 1) >> 8 == softmax.weights[alone] - 1


def test_a_logit_that_is_no_number_is_told():
    for broken in (np.nan, np.inf, -np.inf):
        softmax = softmax_of(np.zeros(3))
        assert not weigh(softmax, np.array([0, broken, 1], dtype=np.float32))
        assert weigh(softmax, np.array([0, NATS_PER_BIT, 1], dtype=np.float32))
