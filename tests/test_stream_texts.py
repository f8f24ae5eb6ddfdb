"""Checks within a frame, and what is restored before a frame ends."""

import io
import textwrap
from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest

from coder import Decoder, Encoder
from nacrith.codec import stream_texts
from nacrith.codec.assembly import Assembly
from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.frame_encoder import encode_frame
from nacrith.codec.layout import Layout, code_layout
from nacrith.codec.model_choice import codec_for_compression
from nacrith.codec.run import Run
from nacrith.codec.stream_choice import Cutting
from nacrith.codec.stream_texts import StreamTexts
from nacrith.codec.text_codec import TextCodec
from nacrith.errors import FormatError, NacrithError
from nacrith.format.frame import Frame, Kind, Segment
from nacrith.format.parameters import Parameters
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import DEFAULT
from nacrith.system.progress import Progress
from nacrith.transforms.transforms_made import code_transforms

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
    codec = codec_for_compression(
        tiny_gguf, "exact", 1, Parameters(window=256), Cutting(request.param), None
    )
    yield codec
    codec.close()


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_known_at_a_check_is_right(codec, name):
    text = TEXTS[name]
    n_symbols, payload = codec.encode(text)
    made = code_transforms(Decoder(payload))
    assert made.wrapped == (name == "wrapped") and made.crlf == (name == "crlf")
    assert (made.charset > 0) == (name == "latin")
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


def given_of(frame: Frame, codec: TextCodec, wanted: range | None = None) -> tuple[bytes, bool]:
    """What is given of a frame, and whether that is all."""
    given = b""
    try:
        for part in decode_frame(frame, codec, wanted):
            given += part
    except NacrithError:
        return given, False
    return given, True


def with_flipped_bit(frame: Frame, bit: int) -> Frame:
    payload = bytearray(frame.payloads[Kind.TEXT])
    payload[bit // 8] ^= 1 << bit % 8
    return replace(frame, payloads=frame.payloads | {Kind.TEXT: bytes(payload)})


def bits_in_front(frame: Frame, codec: TextCodec) -> int:
    """Bits of payload that hold the transforms and the layout, at most."""
    decoder = Decoder(frame.payloads[Kind.TEXT])
    made = code_transforms(decoder)
    layout = code_layout(decoder, Layout((frame.n_symbols,), (frame.size_of(Kind.TEXT),)))
    encoder = Encoder()
    code_transforms(encoder, made)
    code_layout(encoder, layout)
    # What begins in these bits may end in the next ones.
    return int(encoder.bits) + 16


@pytest.mark.parametrize("name", ["wrapped", "lines", "crlf", "latin"])
def test_damage_that_no_crc_has_seen_gives_no_wrong_byte(codec, name, monkeypatch):
    """Of symbols, line breaks or checks."""
    monkeypatch.setattr(stream_texts, "_FEW_BITS", 16)
    text = TEXTS[name]
    frame = encode_frame(text, codec)
    first = bits_in_front(frame, codec)
    bits = 8 * len(frame.payloads[Kind.TEXT])
    given_sizes = []
    for bit in [*range(first, first + 40, 9), *range(first + 40, bits - 32, bits // 8)]:
        given, is_all = given_of(with_flipped_bit(frame, bit), codec)
        assert not is_all and text.startswith(given)
        given_sizes.append(len(given))
    # What comes before the damage is given.
    assert given_sizes[0] < given_sizes[-1]


@pytest.mark.parametrize("name", ["wrapped", "lines", "crlf", "latin"])
def test_damaged_transforms_and_layouts_give_no_wrong_byte(codec, name, monkeypatch):
    monkeypatch.setattr(stream_texts, "_FEW_BITS", 16)
    frame = encode_frame(TEXTS[name], codec)
    bits = bits_in_front(frame, codec)
    found = 0
    for bit in range(bits):
        # The most significant bit of a byte is coded first.
        given, is_all = given_of(with_flipped_bit(frame, bit ^ 7), codec)
        assert TEXTS[name].startswith(given)
        assert given == TEXTS[name] if is_all else len(given) < len(TEXTS[name])
        found += not is_all
    assert found >= bits - 2


def test_a_range_behind_damage_is_not_given(codec):
    text = TEXTS["lines"]
    frame = encode_frame(text, codec)
    damaged = with_flipped_bit(frame, 4 * len(frame.payloads[Kind.TEXT]))
    complete = 0
    for start in range(0, len(text), 97):
        wanted = range(start, min(start + 20, len(text)))
        given, is_all = given_of(damaged, codec, wanted)
        right = text[start : wanted.stop]
        assert right.startswith(given) and (not is_all or given == right)
        complete += is_all
    assert 0 < complete < 0.7 * len(text) / 97


def test_ranges_within_and_across_streams_and_segments(codec):
    binary = bytes(range(256)) * 4
    text = TEXTS["wrapped"]
    block = binary + text[:700] + binary[::-1] + text[700:] + binary
    frame = encode_frame(block, codec)
    assert [segment.kind == Kind.TEXT for segment in frame.segments][:4] == [
        False, True, False, True,
    ]  # fmt: skip
    edges = [0, *accumulate(segment.length for segment in frame.segments)]
    # Where streams meet, too.
    places = sorted({*edges, *range(0, len(block), 701)})
    for start in places:
        for stop in {start, start + 1, start + 50, start + 1800}:
            wanted = range(start, min(stop, len(block)))
            assert given_of(frame, codec, wanted) == (block[wanted.start : wanted.stop], True)


@pytest.mark.parametrize("streams", [1, 3])
def test_a_range_of_a_file_is_decoded_up_to_the_next_check(tiny_gguf, streams):
    options = CompressOptions(
        tiny_gguf, threads=1, preset=replace(DEFAULT, least_saving=None), streams=streams,
        parameters=Parameters(window=256),
    )  # fmt: skip
    packed = io.BytesIO()
    text = TEXTS["wrapped"]
    compress_stream(io.BytesIO(text), packed, options)

    class Counted(Progress):
        tokens = 0

        def update(self, position: int, tokens: int, payload: int) -> None:
            self.tokens = max(self.tokens, tokens)

    counts = []
    for wanted in (range(5), range(len(text) // 2, len(text) // 2 + 5), range(len(text))):
        packed.seek(0)
        sink, progress = io.BytesIO(), Counted()
        decompress_stream(packed, sink, tiny_gguf, progress, wanted=wanted)
        assert sink.getvalue() == text[wanted.start : wanted.stop]
        counts.append(progress.tokens)
    assert counts[0] < 0.15 * counts[2] and counts[0] < counts[1] < 0.8 * counts[2]


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
    from nacrith.transforms.prepare import Piece
    from nacrith.transforms.transforms_made import NO_TRANSFORMS
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
        ([], 0, 3), ([Run(0, 2)], 0, 5), ([Run(0, 4)], 0, 9), ([Run(0, 5)], 0, 10),
        ([Run(0, 4), Run(4, 10)], 0, 16), ([Run(0, 1), Run(6, 10)], 0, 4),
        ([Run(0, 1), Run(6, 10)], 11, 16), ([Run(0, 1)], 12, 12), ([], 15, 16),
    ]:  # fmt: skip
        assert assembly.known_up_to(place, known) == end, (known, place)


def test_a_frame_without_text_is_whole_at_once():
    frame = Frame.from_bytes(encode_frame(bytes(range(256)) * 9, None).to_bytes())
    assert b"".join(decode_frame(frame, None, range(10, 20))) == bytes(range(10, 20))
