"""Text transforms are inverted exactly, and line breaks cost little where they should."""

import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder import Decoder, Encoder
from nacrith.text_transform import gaps, has_crlf_lines, rewrap, unwrap, with_cr, without_cr
from predictors.line_breaks import code_line_breaks

TEXT = st.text(alphabet="ab \n\r\t\x0b", max_size=80).map(str.encode)
LINES = st.lists(st.sampled_from([b"", b"a", b"bc d", b" e"]), max_size=9).map(b"\r\n".join)


@given(TEXT | st.binary(max_size=60))
def test_rewrapping_inverts_unwrapping(text):
    places = gaps(text)
    unwrapped, breaks = unwrap(text, places)
    assert np.array_equal(gaps(unwrapped), places)
    assert rewrap(unwrapped, places, breaks) == text
    assert len(unwrapped) == len(text)


@pytest.mark.parametrize(
    ("text", "unwrapped"),
    [
        (b"one\ntwo three\n", b"one two three\n"),
        (b"\none\n\ntwo\n  three\n", b"\none\n\ntwo\n  three\n"),
        (b"one \ntwo\n", b"one \ntwo\n"),
        (b"\n", b"\n"),
        (b"", b""),
    ],
)
def test_only_breaks_between_words_are_unwrapped(text, unwrapped):
    assert unwrap(text, gaps(text))[0] == unwrapped


@given(LINES | TEXT)
def test_carriage_returns_come_back(text):
    if has_crlf_lines(text):
        assert b"\r" not in without_cr(text)
        assert with_cr(without_cr(text)) == text


@pytest.mark.parametrize("text", [b"", b"a\nb", b"a\r\nb\n", b"a\rb\r\n", b"a\r\r\n"])
def test_mixed_line_ends_stay_as_they_are(text):
    assert not has_crlf_lines(text)


@given(TEXT)
def test_line_breaks_survive_coding(text):
    places = gaps(text)
    unwrapped, breaks = unwrap(text, places)
    encoder = Encoder()
    code_line_breaks(encoder, unwrapped, places, breaks.copy())
    found = np.zeros_like(breaks)
    code_line_breaks(Decoder(encoder.finish()), unwrapped, places, found)
    assert np.array_equal(found, breaks)


def cost(text: bytes) -> float:
    """Bits a line break between two words."""
    places = gaps(text)
    unwrapped, breaks = unwrap(text, places)
    encoder = Encoder()
    code_line_breaks(encoder, unwrapped, places, breaks)
    return 8 * len(encoder.finish()) / breaks.sum()


def random_words(n: int) -> list[str]:
    random = np.random.default_rng(1)
    return ["x" * length for length in random.integers(1, 12, n)]


def test_a_filled_text_costs_almost_nothing():
    text = textwrap.fill(" ".join(random_words(4000)), 70).encode()
    assert cost(text) < 0.4


def test_random_breaks_cost_what_they_must():
    random = np.random.default_rng(2)
    gap = random.choice([" ", "\n"], 4000, p=[0.9, 0.1])
    text = "".join(w + g for w, g in zip(random_words(4000), gap, strict=True)).encode()
    # The entropy is 4.69 bits a break.
    assert 4.4 < cost(text) < 5.6
