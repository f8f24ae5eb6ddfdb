"""Into which streams a text is cut, and what a payload says of it."""

import lzma
import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coder import Decoder, Encoder
from nacrith.codec.cutting import HEAD, cuts
from nacrith.codec.layout import MAX_HEAD, Layout, code_layout
from nacrith.codec.stream_choice import Cutting
from nacrith.errors import FormatError
from nacrith.pipeline.presets import LEVELS
from nacrith.transforms.charset_table import CODECS
from nacrith.transforms.prepare import prepare, restore
from nacrith.transforms.transforms_made import CHARSETS
from tests.byte_vocabulary import BYTES
from tests.charset_texts import TEXTS

LENGTHS = st.lists(st.integers(1, 1 << 40), min_size=1, max_size=20)


@given(LENGTHS, st.integers(0, MAX_HEAD), st.randoms())
def test_a_layout_survives(symbols, head, source):
    sizes = [source.randint(1, 1 << 40) for _ in symbols]
    head = min(head, symbols[0]) if len(symbols) > 1 else 0
    layout = Layout(tuple(symbols), tuple(sizes), head)
    encoder = Encoder()
    assert code_layout(encoder, layout) == layout
    whole = Layout((sum(symbols),), (sum(sizes),))
    assert code_layout(Decoder(encoder.finish()), whole) == layout


def test_a_single_stream_costs_a_tenth_of_a_bit():
    encoder = Encoder()
    before = encoder.bits
    code_layout(encoder, Layout((100,), (400,)))
    assert encoder.bits - before < 0.1


def test_a_collection_of_unlike_texts_gets_fewer_streams():
    """Side by side they are unlike; one after the other they are not."""
    source = random.Random(1)

    def words(letters: str, size: int) -> bytes:
        known = ["".join(source.choices(letters, k=12)) for _ in range(1000)]
        return " ".join(source.choices(known, k=size // 13)).encode()

    alphabets = ["abcdefgh", "ijklmnop", "qrstuvwx", "ABCDEFGH", "IJKLMNOP", "QRSTUVWX"]
    unlike = b"".join(words(letters, 200_000) for letters in alphabets)
    alike = words(alphabets[0], len(unlike))
    default = LEVELS[6].cutting
    assert 1 < default.streams_for(unlike) < 0.5 * default.streams_for(alike)
    # A level that lets streams cost more has more of them.
    assert LEVELS[4].cutting.streams_for(unlike) > 1.5 * default.streams_for(unlike)


@settings(max_examples=300)
@given(
    st.one_of(st.just(0), st.integers(0, 255)),
    st.binary(max_size=40),
    st.integers(1, 1 << 30),
    st.integers(1, 1 << 26),
)
@example(0, b"", 100, 400)
def test_damage_is_an_error_or_a_layout_of_the_right_sums(others, data, n_symbols, size):
    """`others`: streams but the first; what is behind that is any bytes."""
    encoder = Encoder()
    encoder.code_bit(1 << 12, 1)
    for i in reversed(range(8)):
        encoder.code_bit(1 << 15, others >> i & 1)
    # What is decoded next begins within the four bytes that an encoder ends with.
    begun = encoder.finish()[:2]
    try:
        layout = code_layout(Decoder(begun + data), Layout((n_symbols,), (size,)))
    except FormatError:
        return
    assert sum(layout.symbols) == n_symbols and sum(layout.sizes) == size
    assert min(layout.symbols) > 0 and min(layout.sizes) > 0 and layout.head <= layout.symbols[0]


PARAGRAPH = "The sea was calm, and the boats had gone out before it was light.\n" * 3
PAGE = "  <page>\n" + PARAGRAPH + "\n" + PARAGRAPH


@given(st.text(max_size=400), st.integers(2, 300))
def test_cuts_are_ascending_and_between_characters(text, streams):
    data = text.encode()
    found = cuts(data, streams, BYTES)
    assert sorted(set(found)) == found and len(found) < streams
    for place in found:
        assert 0 < place < len(data)
        data[:place].decode()


@pytest.mark.parametrize(
    ("text", "before"),
    [
        (PARAGRAPH * 40, b"\n"),
        (("x" * 997 + "\n\n") * 40, b"\n\n"),
        (PAGE * 200, b""),
    ],
)
def test_cuts_are_where_the_text_begins_anew(text, before):
    data = text.encode()
    for place in cuts(data, 8, BYTES):
        assert data[:place].endswith(before)
        if "<page>" in text:
            assert data[place:].startswith(b"  <page>")


def test_streams_are_about_equally_long():
    random.seed(1)
    words = [random.choice(PARAGRAPH.split()) for _ in range(20_000)]
    data = " ".join(words).encode()
    lengths = np.diff([HEAD, *cuts(data, 16, BYTES), len(data)])
    assert lengths.max() < 1.15 * lengths.min()


@pytest.mark.parametrize(
    ("level", "size", "streams"), [(6, 3_000, 1), (6, 1 << 22, 64), (9, 1 << 22, 1), (4, 40_000, 7)]
)
def test_there_are_as_many_streams_as_the_payload_pays_for(level, size, streams):
    # LZMA makes about 0.42 of such words: a payload of 0.14.
    source = random.Random(1)
    words = ["".join(source.choices("abcdefghij", k=5)) for _ in range(4000)]
    text = " ".join(source.choices(words, k=size // 6 + 1)).encode()[:size]
    found = LEVELS[level].cutting.streams_for(text)
    assert abs(found - streams) <= streams // 2
    assert Cutting(7, 64, 1).streams_for(text) == 7


def test_text_that_repeats_itself_gets_fewer_streams_for_the_same_payload():
    source = random.Random(1)
    plain = "".join(source.choices("abcdefghijklmnop \n", k=20_000)).encode()
    lines = b"".join(b"%06d GET /index.html 200\n" % source.randrange(10**6) for _ in range(12_000))
    found = []
    for text in (plain, lines):
        payload = len(lzma.compress(text, lzma.FORMAT_ALONE, preset=1))
        found.append(payload / (Cutting(0, 64, 500).streams_for(text) - 1))
    assert found[1] > 2 * found[0]


@given(
    st.lists(st.sampled_from(["Où est l'été? ", "\n", "\n\n", "  ein Wort\n", "x", "漢字"])).map(
        "".join
    ),
    st.booleans(),
    st.lists(st.integers(0, 200), max_size=3),
)
def test_pieces_restore_to_the_text(text, crlf, places):
    check_pieces(text.replace("\n", "\r\n").encode() if crlf else text.encode(), places)


@pytest.mark.parametrize("name", CHARSETS[1:])
def test_pieces_of_every_charset(name):
    text = TEXTS.get(name, "Où sont les élèves? À la forêt.\n" * 5)
    data = text.encode(CODECS.get(name, name)) + (b"" if name.startswith("utf") else b"\xff\x80.")
    check_pieces(data, [3, 17, 60])


def check_pieces(data: bytes, places: list[int]) -> None:
    def cut(text: bytes) -> list[int]:
        starts = [0]
        for char in text.decode("utf-8", "surrogateescape"):
            starts.append(starts[-1] + len(char.encode("utf-8", "surrogateescape")))
        return sorted({p for p in places if p in starts[1:-1]})

    prepared = prepare(data, cut)
    parts = [restore(p.text, p.breaks, prepared.transforms, 1 << 20) for p in prepared.pieces]
    assert b"".join(parts) == data
    assert [len(part) for part in parts] == [piece.size for piece in prepared.pieces]
