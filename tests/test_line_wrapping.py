"""Unwrapping is inverted exactly, and line breaks cost little where they should."""

import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder import Decoder, Encoder
from nacrith.transforms.line_breaks import code_line_breaks
from nacrith.transforms.line_wrapping import gaps, rewrap, unwrap

PIECES = ["a", "bc", "X", "é", " ", "\n", "\n", "\n\n", "\n\t", "\n   ", "\r", "\x0b", " \n"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=60).map(lambda parts: "".join(parts).encode())


@given(TEXT | st.binary(max_size=60))
def test_rewrapping_inverts_unwrapping(text):
    unwrapped, places, breaks = unwrap(text)
    assert np.array_equal(gaps(unwrapped), places)
    assert rewrap(unwrapped, places, breaks, len(text)) == text


@given(TEXT)
def test_line_breaks_survive_coding(text):
    unwrapped, places, breaks = unwrap(text)
    encoder = Encoder()
    code_line_breaks(encoder, unwrapped, places, breaks.copy())
    found = np.zeros_like(breaks)
    code_line_breaks(Decoder(encoder.finish()), unwrapped, places, found)
    assert np.array_equal(found, breaks)


@pytest.mark.parametrize(
    ("text", "unwrapped"),
    [
        ("one\ntwo three\n", "one two three\n"),
        ("\none\n\ntwo\n  three\n", "\none\n\ntwo\n  three\n"),
        ("one \ntwo\n", "one \ntwo\n"),
        # The second line shows the indentation of those after it, in later paragraphs too.
        ("ADAM\ta\n\tb\n\tc\n\nEVE\td\n\te\n", "ADAM\ta\n\tb c\n\nEVE\td e\n"),
        ("  one\n  two\n\n  three\n  four\n", "  one two\n\n  three four\n"),
        # An item of a list begins otherwise, so it has an indentation of its own.
        (
            "  a\n  b\n\n  * c\n    d\n    e\n\n  f\n  g\n\n  * h\n    i\n",
            "  a b\n\n  * c\n    d e\n\n  f g\n\n  * h i\n",
        ),
        ("\n", "\n"),
        ("", ""),
    ],
)  # fmt: skip
def test_breaks_between_words_are_unwrapped(text, unwrapped):
    assert unwrap(text.encode())[0].decode() == unwrapped


def test_verse_keeps_its_line_breaks():
    prose = textwrap.fill("so it is told in many words and then in more of them " * 9, 40)
    verse = "\n".join(["Not as they say who never knew", "But as it was, and is, and shall be"] * 3)
    short = "\n".join(["of", "short", "lines", "and", "no", "end"] * 2)
    unwrapped, _, breaks = unwrap(f"{prose}\n\n{verse}\n\n{short}\n\n{prose}\n".encode())
    one_line = prose.replace("\n", " ")
    assert unwrapped.decode() == f"{one_line}\n\n{verse}\n\n{short}\n\n{one_line}\n"
    assert breaks.sum() == 2 * prose.count("\n")


def test_a_long_indentation_cannot_blow_up_what_is_restored():
    # One line break shows the indentation, the others are claimed by flags.
    text = ("a\n" + " " * 60 + "a " + "a " * 1000).encode()
    places = gaps(text)
    all_breaks = np.ones(len(places), dtype=np.uint8)
    assert rewrap(text, places, all_breaks, 2 * len(text)) == b""
    assert len(rewrap(text, places, all_breaks, 100 * len(text))) > 20 * len(text)


def cost(text: str) -> float:
    """Bits a line break between two words."""
    unwrapped, places, breaks = unwrap(text.encode())
    encoder = Encoder()
    code_line_breaks(encoder, unwrapped, places, breaks)
    return 8 * len(encoder.finish()) / breaks.sum()


def random_words(n: int) -> list[str]:
    random = np.random.default_rng(1)
    return ["x" * length for length in random.integers(1, 12, n)]


@pytest.mark.parametrize("indentation", ["", "\t", "      "])
def test_a_filled_text_costs_almost_nothing(indentation):
    text = textwrap.fill(" ".join(random_words(4000)), 70, subsequent_indent=indentation)
    assert cost(text) < 0.5


def test_random_breaks_cost_what_they_must():
    random = np.random.default_rng(2)
    words = random_words(4000)
    breaks = random.random(len(words)) < 0.1
    text = "".join(w + ("\n" if b else " ") for w, b in zip(words, breaks, strict=True)).encode()
    places = gaps(text.replace(b"\n", b" "))
    encoder = Encoder()
    code_line_breaks(encoder, text.replace(b"\n", b" "), places, breaks[:-1].astype(np.uint8))
    # The entropy is 4.69 bits a break.
    assert 4.4 < 8 * len(encoder.finish()) / breaks[:-1].sum() < 5.6
