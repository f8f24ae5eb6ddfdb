"""Checks within a frame, and what is restored before a frame ends."""

import io
import textwrap
from dataclasses import replace

import numpy as np
import pytest

from coder import Decoder, Encoder
from nacrith.codec import stream_texts
from nacrith.codec.assembly import Assembly
from nacrith.codec.frame_codec import decode_frame, encode_frame
from nacrith.codec.stream_choice import Cutting
from nacrith.codec.stream_texts import Known, StreamTexts
from nacrith.codec.text_codec import TextCodec
from nacrith.errors import FormatError
from nacrith.format.frame import Frame, Kind, Segment
from nacrith.format.parameters import Parameters
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import DEFAULT

WORDS = ["sea", "land", "river", "boat", "fish", "net", "stone", "house", "morning", "evening"]
PROSE = "\n\n".join(
    textwrap.fill(" ".join(WORDS[i * j * (i + j) % 10] for j in range(60)).capitalize() + ".", 60)
    for i in range(1, 9)
)
LINES = "".join(f"{i * 7919 % 1000} élèves\n" for i in range(150))
TEXTS = {
    "wrapped": (PROSE + "\n").encode(),
    "lines": LINES.encode(),
    "crlf": LINES.replace("\n", "\r\n").encode(),
    "latin": LINES.encode("latin-1"),
    "one word": b"abcdefghij" * 90,
}


@pytest.fixture(autouse=True)
def many_checks(monkeypatch):
    monkeypatch.setattr(stream_texts, "_FIRST", 3)
    monkeypatch.setattr(stream_texts, "_MOST", 40)
    monkeypatch.setattr(stream_texts, "_SYMBOLS", 24)


@pytest.fixture(scope="module", params=[1, 3])
def codec(request, tiny_gguf):
    codec = TextCodec.for_compression(
        tiny_gguf, "exact", 1, Parameters(window=256), Cutting(request.param), None
    )
    yield codec
    codec.close()


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_known_at_a_check_is_right(codec, name):
    text = TEXTS[name]
    n_symbols, payload = codec.encode(text)
    known_sizes = []
    for texts in codec.decode(payload, n_symbols, len(text)):
        known = texts.known()
        for begin, end in known:
            assert texts.original[begin:end] == text[begin:end]
        known_sizes.append(sum(end - begin for begin, end in known))
    assert texts.is_whole and known_sizes[-1] == len(text)
    assert known_sizes == sorted(known_sizes) and len(known_sizes) > 5
    assert known_sizes[-2] > 0.7 * len(text)


@pytest.mark.parametrize("name", ["wrapped", "lines"])
def test_what_was_decoded_wrongly_is_found_at_the_next_check(codec, name, monkeypatch):
    text = TEXTS[name]
    n_symbols, payload = codec.encode(text)
    damaged = bytearray(payload)
    damaged[len(payload) // 2] ^= 1
    seen = []
    with pytest.raises(FormatError):
        for texts in codec.decode(bytes(damaged), n_symbols, len(text)):
            seen.append(sum(end - begin for begin, end in texts.known()))
    assert seen and max(seen) < 0.7 * len(text)


def test_a_range_is_decoded_up_to_the_next_check(codec):
    text = TEXTS["lines"]
    frame = encode_frame(text, codec)
    decoded: list[int] = []
    starts = [0, len(text) // 3 + 200, len(text) - 30]
    for start in starts:
        wanted = range(start, start + 5)
        decoded.append(0)

        def note(size, tokens, payload):
            decoded[-1] = tokens

        assert b"".join(decode_frame(frame, codec, wanted, note)) == text[start : start + 5]
    assert decoded[0] < 0.1 * frame.n_symbols
    # Later streams are restored beside the first one.
    assert decoded[1] <= frame.n_symbols * (0.7 if len(codec._sessions) else 1)


def test_parts_come_as_they_are_checked(codec):
    text = TEXTS["wrapped"]
    block = bytes(range(256)) * 4 + text[:700] + bytes(range(255, -1, -1)) * 4 + text
    frame = encode_frame(block, codec)
    parts = []
    tokens = []

    def note(size, done, payload):
        tokens.append(done)

    for part in decode_frame(frame, codec, None, note):
        parts.append((len(part), tokens[-1]))
    assert {Kind.TEXT, Kind.MIXED} <= {segment.kind for segment in frame.segments}
    assert sum(size for size, _ in parts) == len(block)
    assert parts[0][1] < 0.2 * frame.n_symbols and len(parts) > 4


def test_bytes_that_fail_the_frame_s_check_are_not_given(codec):
    frame = encode_frame(TEXTS["lines"], codec)
    frame = replace(frame, check=bytes(len(frame.check)))
    given = b""
    with pytest.raises(FormatError, match="checksum"):
        for part in decode_frame(frame, codec):
            given += part
    assert len(given) < len(TEXTS["lines"]) and TEXTS["lines"].startswith(given)


def test_a_sink_gets_its_first_bytes_early(tiny_gguf):
    options = CompressOptions(
        tiny_gguf, threads=1, preset=replace(DEFAULT, least_saving=None),
        parameters=Parameters(window=256),
    )  # fmt: skip
    packed = io.BytesIO()
    compress_stream(io.BytesIO(TEXTS["wrapped"]), packed, options)
    packed.seek(0)
    writes = []

    class Sink(io.BytesIO):
        def write(self, data):
            writes.append(len(data))
            return super().write(data)

    sink = Sink()
    decompress_stream(packed, sink, tiny_gguf)
    assert sink.getvalue() == TEXTS["wrapped"] and len(writes) > 4


def test_a_check_costs_its_bits_in_both_directions():
    from nacrith.codec.layout import Layout
    from nacrith.transforms.prepare import NO_TRANSFORMS, Piece
    from predictors.language_models.vocabulary import Vocabulary

    vocabulary = Vocabulary(
        [None, *[bytes([b]) for b in range(256)]], lambda t: [1 + b for b in t], 0
    )
    symbols = vocabulary.encode(b"0123456789")
    layout = Layout((10,), (10,))
    pieces = [Piece(b"0123456789", np.zeros(10, dtype=np.uint8), 10)]
    encoder = Encoder()
    texts = StreamTexts(encoder, vocabulary, symbols, layout, NO_TRANSFORMS, pieces)
    checked = []
    for i in range(10):
        # What codes the symbols.
        encoder.code_bit(1 << 15, 1, 24)
        checked.append(texts.after_step(i, i + 1))
    first = checked.index(True)
    assert 1 < first < 8
    for wrong in range(-1, 10):
        found = symbols.copy()
        if wrong >= 0:
            found[wrong] ^= 1
        decoder = Decoder(encoder.finish())
        texts = StreamTexts(decoder, vocabulary, found, layout, NO_TRANSFORMS, None)
        try:
            for i in range(10):
                assert decoder.code_bit(1 << 15, -1, 24) == 1
                assert texts.after_step(i, i + 1) == checked[i]
        except FormatError:
            assert 0 <= wrong <= i and checked[i]
        else:
            # What comes after the last check is for the frame's.
            last = max(i for i in range(10) if checked[i])
            assert wrong == -1 or wrong > last


def test_a_block_is_known_as_far_as_its_text_is():
    segments = [
        Segment(Kind.STORED, 3), Segment(Kind.TEXT, 4), Segment(Kind.STORED, 2),
        Segment(Kind.TEXT, 6), Segment(Kind.STORED, 1),
    ]  # fmt: skip
    assembly = Assembly(segments, {Kind.STORED: b"abcdef"})
    assembly.add_text(bytearray(b"0123456789"))
    assert assembly.block == b"abc0123de456789f"
    for known, place, end in [
        ([], 0, 3), ([Known(0, 2)], 0, 5), ([Known(0, 4)], 0, 9), ([Known(0, 5)], 0, 10),
        ([Known(0, 4), Known(4, 10)], 0, 16), ([Known(0, 1), Known(6, 10)], 0, 4),
        ([Known(0, 1), Known(6, 10)], 11, 16), ([Known(0, 1)], 12, 12), ([], 15, 16),
    ]:  # fmt: skip
        assert assembly.known_up_to(place, known) == end, (known, place)


def test_a_frame_without_text_is_whole_at_once():
    frame = Frame.from_bytes(encode_frame(bytes(range(256)) * 9, None).to_bytes())
    assert b"".join(decode_frame(frame, None, range(10, 20))) == bytes(range(10, 20))
