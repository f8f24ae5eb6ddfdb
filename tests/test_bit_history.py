"""Bit histories: counts, their hash table, and the state map."""

import numpy as np
import pytest

from predictors.mixing import bit_history as bh
from predictors.mixing.logistic import PROBABILITY_ONE


def counts(slot: int) -> tuple[int, int]:
    return slot & 255, slot >> 8 & 255


def observed(bits: str) -> int:
    slot = np.int64(0)
    for bit in bits:
        slot = bh.observe(slot, np.int64(int(bit)))
    return int(slot)


@pytest.mark.parametrize(
    ("bits", "expected"),
    [("", (0, 0)), ("0", (1, 0)), ("0001", (2, 1)), ("1" * 300, (0, 255)), ("11111110", (1, 4))],
)
def test_opposites_halve_a_count(bits, expected):
    assert counts(observed(bits)) == expected


def test_nothing_seen_has_no_history():
    assert bh.history_of(np.int64(0)) == -1


def test_histories_are_told_apart():
    seen = ["0", "1", "00", "01", "10", "11", "000", "0001", "1" * 20, "1" * 200]
    assert len({int(bh.history_of(np.int64(observed(s)))) for s in seen}) == len(seen)


def test_a_new_state_map_holds_the_share_of_ones():
    state_map = bh.new_state_map(2)
    assert state_map.shape == (2, bh.HISTORIES)
    for bits, low, high in [("1", 0.6, 0.99), ("0", 0.01, 0.4), ("01", 0.4, 0.6)]:
        history = bh.history_of(np.int64(observed(bits)))
        assert low < state_map[1, history] / PROBABILITY_ONE < high
    assert state_map.min() > 0 and state_map.max() < PROBABILITY_ONE


def test_a_slot_is_found_again_and_survives_strangers():
    slots = bh.new_slots(10)
    random = np.random.default_rng(3)
    mine = np.int64(random.integers(1 << 62))
    place = bh.find_slot(slots, mine)
    for _ in range(20):
        slots[place] = bh.observe(slots[place], np.int64(1))
    for _ in range(400):
        other = bh.find_slot(slots, np.int64(random.integers(1 << 62)))
        slots[other] = bh.observe(slots[other], np.int64(0))
    assert bh.find_slot(slots, mine) == place
    assert counts(int(slots[place])) == (0, 20)


def test_a_stranger_starts_empty():
    slots = bh.new_slots(4)
    random = np.random.default_rng(4)
    for _ in range(500):
        place = bh.find_slot(slots, np.int64(random.integers(1 << 62)))
        if counts(int(slots[place])) == (0, 0):
            slots[place] = bh.observe(slots[place], np.int64(1))
        else:
            pytest.fail("a context that was never seen has counts")
