"""Guesses: what repeats itself is guessed, what does not is not, and lengths go by their cost."""

import numpy as np
import pytest

from nacrith.codec.guesser import MAX_STREAMS, Guesser
from nacrith.codec.ngrams import Ngrams, no_ngrams
from nacrith.codec.step_cost import MAX_ROWS, StepCost

NONE = no_ngrams()
PHRASE = np.random.default_rng(3).permutation(500)[:40]


def guesses(streams: np.ndarray, ngrams: Ngrams = NONE) -> tuple[int, int, int]:
    """(Steps that evaluate something, tokens guessed, those of them that were right).

    Args:
        streams: [S, n] tokens that are fed.
    """
    n_streams, n = streams.shape
    guesser = Guesser(n_streams, n, ngrams)
    evaluated: list[list[int]] = []
    steps = guessed = right = 0
    for tokens in streams.T.astype(np.int32):
        guesser.update(tokens)
        found = guesser.guess()
        if evaluated and evaluated[0] == tokens.tolist():
            evaluated.pop(0)
            right += 1
            # A batch that goes on is not guessed anew.
            assert not len(found)
            continue
        steps += 1
        guessed += len(found)
        evaluated = found.tolist()
        assert n_streams * (1 + len(found)) <= MAX_ROWS
    return steps, guessed, right


def test_a_repeated_phrase_is_guessed():
    steps, guessed, right = guesses(np.tile(PHRASE, 50)[None])
    assert steps < 0.12 * 50 * len(PHRASE)
    assert right > 0.95 * guessed


def test_guesses_cost_little_where_nothing_repeats_itself():
    noise = np.random.default_rng(4).integers(0, 40_000, (1, 3000))
    steps, guessed, _ = guesses(noise)
    a_row = StepCost(1).costs()[1] - 1
    assert steps == 3000 and guessed * a_row < 0.02 * steps


@pytest.mark.parametrize("n_streams", range(2, MAX_STREAMS + 1))
def test_streams_learn_from_each_other(n_streams):
    text = np.tile(PHRASE, 3 * n_streams)
    # They begin alike, and part.
    streams = [np.concatenate([PHRASE[:9], np.roll(text, -7 * i)]) for i in range(n_streams)]
    steps, guessed, right = guesses(np.array(streams))
    assert right > 0.9 * guessed
    assert steps + right == len(streams[0])
    # Alone the first repetition would be new to every stream.
    assert steps < 0.7 * len(streams[0])


def test_a_number_in_a_line_interrupts_nothing_but_itself():
    random = np.random.default_rng(5)
    lines = [[*PHRASE[:12], random.integers(1000, 40_000), *PHRASE[12:24]] for _ in range(80)]
    steps, _, _ = guesses(np.concatenate(lines)[None])
    assert steps < 80 * 5.5


def test_a_row_more_costs_what_it_was_seen_to_cost():
    """On a processor where a second row takes as long as the first, nothing is guessed."""
    cost = StepCost(1)
    cheap = cost.costs()
    assert cheap[0] == 1 and (np.diff(cheap) > 0).all() and len(cheap) == MAX_ROWS
    for _ in range(200):
        cost.took(1, 0.010)
        cost.took(4, 0.040)
    assert 3.7 < cost.costs()[3] < 4.3
    for _ in range(200):
        cost.took(1, 0.010)
        cost.took(4, 0.0115)
    assert 1.1 < cost.costs()[3] < 1.2


def test_costs_are_by_tokens_of_each_stream():
    one, two = StepCost(1).costs(), StepCost(2).costs()
    assert two[2] == pytest.approx(one[5] / one[1])
    assert len(two) == MAX_ROWS // 2


def test_where_rows_are_dear_guesses_are_only_tried_now_and_then():
    guesser = Guesser(1, 4000, NONE)
    guessed = []
    for token in np.tile(PHRASE, 100):
        guesser.update(np.array([token], dtype=np.int32))
        guessed.append(len(guesser.guess()))
        guesser.took(0.010 * (1 + 2 * guessed[-1]))
    assert sum(guessed[:200]) > 100
    assert 0 < sum(guessed[2000:]) < 200
