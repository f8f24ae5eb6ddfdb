"""Segmentation: text, binary, and files that hold both."""

import base64
import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.codec import segments
from nacrith.codec.segments import PIECE, find_segments
from nacrith.format.frame import Kind, Segment

PROSE = b"It was the best of times, it was the worst of times.\r\n" * 40
NOISE = random.Random(1).randbytes(3000)


@given(st.lists(st.one_of(st.binary(max_size=600), st.just(PROSE)), max_size=6).map(b"".join))
def test_segments_cover_the_data_and_alternate(data):
    segments = find_segments(data)
    assert sum(s.length for s in segments) == len(data)
    assert all(s.length > 0 for s in segments)
    assert all(a.kind != b.kind for a, b in pairwise(segments))


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "Ça c'est déjà très bien, où êtes-vous?\n".encode("latin-1") * 40,
        "東京は日本の首都です。\n".encode() * 40,
        "😀".encode() * 500,
        PROSE + b"\0\1\2" + PROSE,
        "Ночь, улица, фонарь, аптека.\n".encode("utf-16") * 40,
        "It was the best of times.\r\n".encode("utf-16-be") * 40,
        b"a",
    ],
)
def test_text_is_one_segment(text):
    assert find_segments(text) == [Segment(Kind.TEXT, len(text))]


@pytest.mark.parametrize("data", [NOISE, b"\0" * 5000, b"\0", b"\xff\xd8\xff\xe0"])
def test_binary_is_one_segment(data):
    assert find_segments(data) == [Segment(Kind.MIXED, len(data))]


def test_text_between_binary_data_is_found():
    segments = find_segments(NOISE + PROSE + NOISE)
    assert [s.kind for s in segments] == [Kind.MIXED, Kind.TEXT, Kind.MIXED]
    assert abs(segments[1].length - len(PROSE)) < 16


@pytest.mark.parametrize("n", [1, 2, 3])
def test_text_beside_binary_data_is_cut_at_whole_words_but_not_inside_a_character(n):
    binary = b"\0\1\2\3" * 500 + b"\0" * n
    given = [Segment(Kind.MIXED, len(binary)), Segment(Kind.TEXT, 800)]
    cut = segments._with_whole_words(given, binary + PROSE[:800])
    assert cut == [Segment(Kind.MIXED, 2004), Segment(Kind.TEXT, 796 + n)]
    chinese = "程式碼的".encode("big5") * 100
    assert segments._with_whole_words(given, binary + chinese) == given


def test_a_short_name_inside_binary_data_stays_there():
    assert find_segments(NOISE + b"Lorem ipsum dolor" + NOISE) == [Segment(Kind.MIXED, 6017)]


def test_empty():
    assert find_segments(b"") == []


def test_base64_and_dna_are_binary_data():
    encoded = base64.encodebytes(NOISE * 2)
    kinds = [s.kind for s in find_segments(PROSE + encoded + PROSE)]
    assert kinds == [Kind.TEXT, Kind.MIXED, Kind.TEXT]
    genome = "\n".join("".join(random.choices("ACGT", k=70)) for _ in range(60)).encode()
    assert find_segments(genome) == [Segment(Kind.MIXED, len(genome))]


def test_what_is_compressed_already_is_stored():
    deflated = random.Random(3).randbytes(3 * PIECE)
    table = bytes(range(256)) * (PIECE // 256)
    segments = find_segments(b"\0\1" * PIECE + deflated + table * 2)
    assert segments == [
        Segment(Kind.MIXED, 2 * PIECE),
        Segment(Kind.STORED, 3 * PIECE),
        Segment(Kind.MIXED, 2 * PIECE),
    ]


def test_random_bytes_that_occur_again_are_not_stored():
    once = random.Random(3).randbytes(PIECE // 2 + 1000)
    assert find_segments(once * 4) == [Segment(Kind.MIXED, 4 * len(once))]


def test_it_is_fast_whatever_the_data():
    """20 MB/s and more; a loaded machine gets a tenth of that."""
    text, noise = PROSE * 300, random.Random(1).randbytes(1 << 20)
    mixed = b"".join(text[i : i + 64] + noise[i : i + 64] for i in range(0, 1 << 19, 64))
    for data in (text, noise, bytes(1 << 20), b"a" * (1 << 20), mixed, base64.b64encode(noise)):
        find_segments(data[:PIECE])
        begin = time.process_time()
        find_segments(data)
        assert len(data) / (time.process_time() - begin) > 2e6
