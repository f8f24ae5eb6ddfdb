"""The output head learns what follows which hidden state."""

import numpy as np

from predictors.heads.candidates import Candidates, reweigh
from predictors.heads.hidden_state import HiddenState, new_hidden_state, observe
from predictors.heads.output_head import OutputHead, new_output_head, predict, update
from tests.distributions import candidates_of, share_of, softmax_of


def predicted(head: OutputHead, state: HiddenState, scores: np.ndarray) -> Candidates:
    softmax = softmax_of(scores)
    candidates = candidates_of(softmax)
    predict(head, state.features, candidates)
    reweigh(softmax, candidates)
    return candidates


def run(rate: int, n_symbols: int = 40, steps: int = 600, hidden_size: int = 600) -> list[float]:
    """Bits of each symbol: the state alone says which of 8 comes."""
    random = np.random.default_rng(1)
    directions = random.standard_normal((8, hidden_size)).astype(np.float32)
    head = new_output_head(n_symbols, hidden_size, rate)
    state = new_hidden_state(hidden_size)
    bits = []
    for _ in range(steps):
        symbol = int(random.integers(8))
        noise = 0.2 * random.standard_normal(hidden_size).astype(np.float32)
        observe(state, directions[symbol] + noise)
        candidates = predicted(head, state, np.zeros(n_symbols))
        bits.append(-float(np.log2(share_of(candidates, symbol))))
        update(head, state.features, candidates, symbol)
    return bits


def test_it_learns_the_symbol_of_a_state():
    bits = run(1070)
    assert np.mean(bits[:10]) > 4
    assert np.mean(bits[-100:]) < 1


def test_a_rate_of_0_switches_it_off():
    assert np.ptp(run(0, steps=20)) == 0


def test_a_symbol_that_was_no_candidate_becomes_one_that_gains():
    head = new_output_head(4, 64, 60_000)
    state = new_hidden_state(64)
    hidden = np.random.default_rng(1).standard_normal(64).astype(np.float32)
    far, near = np.array([0, 0, 0, -13.0]), np.array([0, 0, 0, -11.0])
    observe(state, hidden)
    before = share_of(predicted(head, state, near), 3)
    for i in range(60):
        observe(state, hidden * np.float32(1 + i % 3))
        update(head, state.features, predicted(head, state, far), 3)
    assert share_of(predicted(head, state, near), 3) > 10 * before


def row(head, symbol):
    return head.weights[head.places[symbol]]


def test_only_rows_that_move_take_a_place():
    head = new_output_head(9, 8, 5330)
    assert (head.places == -1).all()
    candidates = candidates_of(softmax_of([0, -1, *[-14] * 7]))
    update(head, np.full(8, 100, dtype=np.int16), candidates, 1)
    assert sorted(head.places[:2]) == [0, 1] and head.count[0] == 2
    assert (head.places[2:] == -1).all() and not head.weights[2:].any()


def test_weights_stay_within_16_bits_under_the_fastest_rate():
    head = new_output_head(2, 8, 1 << 16)
    features = np.full(8, 127, dtype=np.int16)
    candidates = candidates_of(softmax_of([0, -11]))
    for _ in range(50):
        update(head, features, candidates, 1)
    assert (row(head, 1) == 1 << 14).all() and (row(head, 0) < 0).all()
