"""Slots of half a byte: found again, apart from each other, and bounded."""

import numpy as np
import pytest

from predictors.mixing import context_lines as cl
from predictors.mixing.logistic import ODDS_ONE
from predictors.mixing.mixer import new_inputs

KINDS = 3


def lines(bits: int = 10, enabled: int = (1 << KINDS) - 1) -> cl.ContextLines:
    return cl.new_context_lines(KINDS, bits, enabled)


def ask(c: cl.ContextLines, contexts: list[int], partial: int) -> np.ndarray:
    """The log-odds of all kinds."""
    c.hashes[:] = contexts
    cl.begin_byte(c)
    inputs = new_inputs(KINDS)
    known = cl.look_up(c, np.int64(partial), inputs)
    assert known == sum(1 << k for k in range(KINDS) if c.histories[k] >= 0)
    return inputs[:KINDS]


def teach(c: cl.ContextLines, contexts: list[int], partial: int, bits: str) -> None:
    for bit in bits:
        ask(c, contexts, partial)
        cl.learn(c, np.int64(int(bit)))


@pytest.mark.parametrize(
    ("bits", "expected"),
    [("0", (1, 0, 0)), ("0001", (2, 1, 1)), ("1" * 300, (0, 127, 1)), ("11111110", (1, 4, 0))],
)
def test_opposites_halve_a_count(bits, expected):
    slot = np.int64(0)
    for bit in bits:
        slot = cl.observe(slot, np.int64(int(bit)))
    assert (slot & 127, slot >> 7 & 127, slot >> 14) == expected


def test_what_was_seen_is_predicted_in_its_context_only():
    c = lines()
    teach(c, [1 << 40, 2 << 40, 3 << 40], 1, "1111")
    assert (ask(c, [1 << 40, 2 << 40, 3 << 40], 1) > 2 * ODDS_ONE).all()
    assert ask(c, [1 << 40, 7 << 40, 8 << 40], 1).tolist()[1:] == [0, 0]


def test_every_known_bits_have_a_slot_of_their_own():
    c = lines(16)
    context = [5 << 40] * KINDS
    # An end decision shares one with bytes from 224 on.
    for partial in [0, *(p for p in range(1, 256) if p != 15)]:
        assert not ask(c, context, partial).any()
        teach(c, context, partial, "1")
    assert ask(c, context, 15).all()


def test_kinds_that_are_off_say_nothing():
    c = lines(enabled=0b101)
    teach(c, [1 << 40] * KINDS, 1, "111")
    odds = ask(c, [1 << 40] * KINDS, 1)
    assert odds[0] > 0 and odds[1] == 0 and odds[2] > 0


def test_a_context_survives_strangers_that_are_seen_less():
    c = lines(6)
    mine = [1 << 41] * KINDS
    teach(c, mine, 1, "1" * 20)
    random = np.random.default_rng(3)
    for stranger in random.integers(1 << 62, size=500).tolist():
        c.hashes[:] = stranger
        cl.begin_byte(c)
        cl.look_up(c, np.int64(1), new_inputs(KINDS))
        assert (c.histories == -1).all(), "a context that was never seen has a history"
        cl.learn(c, np.int64(0))
    assert (ask(c, mine, 1) > 3 * ODDS_ONE).all()
