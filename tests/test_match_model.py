"""The match model points to what followed the last time."""

import numpy as np
import pytest

from predictors.mixing import match_model as mm


def predictions(text: bytes, capacity: int, stream: int = 0) -> list[int]:
    """The byte predicted before each byte of the text, -1 where nothing is."""
    history = np.zeros(2 * capacity, dtype=np.uint8)
    table = mm.new_table()
    mask = np.int64(capacity - 1)
    base = stream * capacity
    pointer = length = np.int64(0)
    found = []
    for i, byte in enumerate(text):
        found.append(int(history[pointer]) if length > 0 else -1)
        history[base | (i & mask)] = byte
        end = np.int64(base | ((i + 1) & mask))
        pointer, length = mm.follow(table, history, mask, end, pointer, length)
    return found


@pytest.mark.parametrize("stream", [0, 1])
def test_a_repeat_is_followed(stream):
    text = b"the quick brown fox; the quick brown fox; the quick"
    found = predictions(text, 1 << 10, stream)
    repeated = range(22 + mm.MIN_LENGTH, len(text))
    assert [found[i] for i in repeated] == [text[i] for i in repeated]


def test_random_bytes_do_not_match():
    text = np.random.default_rng(1).integers(0, 256, 2000, dtype=np.uint8).tobytes()
    assert set(predictions(text, 1 << 12)) == {-1}


def test_the_ring_may_wrap():
    text = bytes(range(48)) * 20
    found = predictions(text, 64)
    assert found[100:] == list(text[100:])


@pytest.mark.parametrize(
    ("byte", "partial", "expected"),
    [(0b10110000, 1, 1), (0b10110000, 0b110, 1), (0b10110000, 0b111, -1), (0b10110000, 0, -1)],
)
def test_the_expected_bit_agrees_with_the_known_ones(byte, partial, expected):
    assert mm.expected_bit(np.int64(byte), np.int64(partial)) == expected


def test_the_match_map_is_learned():
    match_map = mm.new_match_map()
    before = mm.odds(match_map, 8, 1)
    for _ in range(200):
        mm.learn(match_map, 8, 1, np.int64(0))
    assert mm.odds(match_map, 8, 1) < 0 < before
    assert mm.odds(match_map, 9, 1) == before
