"""Segmentation: text, binary, and files that hold both."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.segments import Segment, find_segments

PROSE = b"It was the best of times, it was the worst of times.\r\n" * 40
NOISE = random.Random(1).randbytes(3000)


@given(st.lists(st.one_of(st.binary(max_size=600), st.just(PROSE)), max_size=6).map(b"".join))
def test_segments_cover_the_data_and_alternate(data):
    segments = find_segments(data)
    assert sum(s.length for s in segments) == len(data)
    assert all(s.length > 0 for s in segments)
    assert all(a.is_text != b.is_text for a, b in pairwise(segments))


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "Ça c'est déjà très bien, où êtes-vous?\n".encode("latin-1") * 40,
        "東京は日本の首都です。\n".encode() * 40,
        "😀".encode() * 500,
        PROSE + b"\0\1\2" + PROSE,
        b"a",
    ],
)
def test_text_is_one_segment(text):
    assert find_segments(text) == [Segment(True, len(text))]


@pytest.mark.parametrize("data", [NOISE, b"\0" * 5000, b"\0", b"\xff\xd8\xff\xe0"])
def test_binary_is_one_segment(data):
    assert find_segments(data) == [Segment(False, len(data))]


def test_text_between_binary_data_is_found():
    segments = find_segments(NOISE + PROSE + NOISE)
    assert [s.is_text for s in segments] == [False, True, False]
    assert abs(segments[1].length - len(PROSE)) < 16


def test_a_short_name_inside_binary_data_stays_there():
    assert find_segments(NOISE + b"Lorem ipsum dolor" + NOISE) == [Segment(False, 6017)]


def test_empty():
    assert find_segments(b"") == []
