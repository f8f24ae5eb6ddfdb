"""Unwrapping is inverted exactly, and line breaks cost little where they should."""

import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder import Decoder, Encoder
from nacrith.transforms.line_breaks import LineBreaks, is_gap, last_word_end
from nacrith.transforms.line_wrapping import rewrap, unwrap

PIECES = ["a", "bc", "X", "é", " ", "\n", "\n", "\n\n", "\n\t", "\n   ", "\r", "\x0b", " \n"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=60).map(lambda parts: "".join(parts).encode())


def gaps(text: bytes) -> list[int]:
    characters = np.frombuffer(text, dtype=np.uint8)
    return [i for i in range(len(text)) if is_gap(characters, i)]


def code_all(coder: Encoder | Decoder, text: bytes, breaks: np.ndarray) -> None:
    LineBreaks(1).code(coder, 0, np.frombuffer(text, dtype=np.uint8), breaks, len(text))


@given(TEXT | st.binary(max_size=60))
def test_rewrapping_inverts_unwrapping(text):
    unwrapped, breaks = unwrap(text)
    assert set(np.flatnonzero(breaks)) <= set(gaps(unwrapped))
    assert rewrap(unwrapped, breaks, len(text)) == text


@given(TEXT)
def test_line_breaks_survive_coding(text):
    unwrapped, breaks = unwrap(text)
    encoder = Encoder()
    code_all(encoder, unwrapped, breaks.copy())
    found = np.zeros_like(breaks)
    code_all(Decoder(encoder.finish()), unwrapped, found)
    assert np.array_equal(found, breaks)


@given(st.lists(TEXT, min_size=1, max_size=3), st.lists(st.integers(0, 80), max_size=4))
def test_line_breaks_are_coded_as_far_as_the_words_are_known(texts, lengths):
    """The encoder has all of each text, the decoder its beginning: both code the same."""
    changed = [unwrap(text) for text in texts]
    encoder, lines = Encoder(), LineBreaks(len(texts))
    steps = [*sorted(lengths), 1 << 20]

    def end_of(text: np.ndarray, length: int) -> int:
        return len(text) if length >= len(text) else int(last_word_end(text[:length]))

    for length in steps:
        for i, (unwrapped, breaks) in enumerate(changed):
            text = np.frombuffer(unwrapped, dtype=np.uint8)
            lines.code(encoder, i, text, breaks.copy(), end_of(text, length))
    decoder, lines = Decoder(encoder.finish()), LineBreaks(len(texts))
    found = [np.zeros_like(breaks) for _, breaks in changed]
    for length in steps:
        for i, (unwrapped, _) in enumerate(changed):
            text = np.frombuffer(unwrapped, dtype=np.uint8)
            lines.code(decoder, i, text[:length], found[i], end_of(text, length))
            known = lines.place(i)
            restored = rewrap(unwrapped[:known], found[i], len(texts[i]))
            assert texts[i].startswith(restored)
    for (_, breaks), coded in zip(changed, found, strict=True):
        assert np.array_equal(coded, breaks)


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
    unwrapped, breaks = unwrap(f"{prose}\n\n{verse}\n\n{short}\n\n{prose}\n".encode())
    one_line = prose.replace("\n", " ")
    assert unwrapped.decode() == f"{one_line}\n\n{verse}\n\n{short}\n\n{one_line}\n"
    assert breaks.sum() == 2 * prose.count("\n")


def test_a_long_indentation_cannot_blow_up_what_is_restored():
    # One line break shows the indentation, the others are claimed by flags.
    text = ("a\n" + " " * 60 + "a " + "a " * 1000).encode()
    all_breaks = np.zeros(len(text), dtype=np.uint8)
    all_breaks[gaps(text)] = 1
    assert rewrap(text, all_breaks, 2 * len(text)) == b""
    assert len(rewrap(text, all_breaks, 100 * len(text))) > 20 * len(text)


def cost(text: str) -> float:
    """Bits a line break between two words."""
    unwrapped, breaks = unwrap(text.encode())
    encoder = Encoder()
    code_all(encoder, unwrapped, breaks)
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
    text = " ".join(words).encode()
    flags = np.zeros(len(text), dtype=np.uint8)
    flags[gaps(text)] = breaks[:-1]
    encoder = Encoder()
    code_all(encoder, text, flags)
    # The entropy is 4.69 bits a break.
    assert 4.4 < 8 * len(encoder.finish()) / breaks[:-1].sum() < 5.6
