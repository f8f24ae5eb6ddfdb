"""NC06: what is written is read, and nothing else is accepted."""

import hashlib
import io
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.container import (
    MAGIC,
    MAX_ORIGINAL,
    STORED,
    VERSION,
    Frame,
    MemberReader,
    Trailer,
    Writer,
    digest_size,
    read_last_trailer,
)
from nacrith.errors import FormatError, NacrithError, UnsupportedError
from nacrith.header import Header, Metadata, ModelRecord
from nacrith.parameters import Parameters
from nacrith.segments import Segment
from nacrith.varint import to_varint
from predictors.numerics import FEATURES, Numerics, exact_numerics

NUMERICS = Numerics("llama.cpp", "0.3.36", "x86_64", frozenset({"AVX2", "FMA"}), 2)
KNOWN_SHA = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
HEADERS = [
    Header(),
    Header(metadata=Metadata(0o644, 1_700_000_000)),
    Header(ModelRecord("SmolLM2-135M-Instruct.Q4_1", KNOWN_SHA, NUMERICS, 0x12345678)),
    Header(
        ModelRecord(
            "über.f32",
            "ab" * 32,
            Numerics("transformers", "1", "other", frozenset(FEATURES), 1, "GPU"),
            0,
        ),
        Parameters(streams=7, window=1024, sinks=8, bias_rate=0),
        Metadata(0o4755, 0),
    ),
    Header(ModelRecord("exact.f32", "cd" * 32, exact_numerics("1"), 0), Parameters(streams=7)),
]


def binary_frame(data: bytes) -> Frame:
    return Frame([Segment(False, len(data))], zlib.crc32(data), 0, b"", STORED, data)


def write(header: Header, frames: list[Frame], original: bytes) -> bytes:
    sink = io.BytesIO()
    writer = Writer(sink, header)
    for frame in frames:
        writer.add(frame)
    writer.finish(hashlib.blake2b(original, digest_size=16).digest())
    assert writer.size == len(sink.getvalue())
    return sink.getvalue()


def read(data: bytes) -> list[tuple[Header, list[Frame], Trailer]]:
    return [(m.header, list(m.frames()), m.trailer) for m in MemberReader(io.BytesIO(data))]


@pytest.mark.parametrize("header", HEADERS)
def test_headers_survive(header):
    assert read(write(header, [], b"")) == [(header, [], Trailer([], digest_of(b"")))]


def digest_of(original: bytes) -> bytes:
    return hashlib.blake2b(original, digest_size=16).digest()[: digest_size(len(original))]


segments_strategy = st.builds(
    lambda lengths, first: [Segment(first ^ bool(i % 2), n) for i, n in enumerate(lengths)],
    st.lists(st.integers(1, 5000), min_size=1, max_size=20),
    st.booleans(),
)


@given(segments_strategy, st.binary(max_size=100), st.binary(max_size=100), st.data())
def test_frames_survive(segments, text, binary, data):
    has_text = any(s.is_text for s in segments)
    text_size = sum(s.length for s in segments if s.is_text)
    frame = Frame(
        segments,
        data.draw(st.integers(0, 2**32 - 1)),
        data.draw(st.integers(1, text_size)) if has_text else 0,
        text if has_text else b"",
        data.draw(st.sampled_from([0, 1])) if not all(s.is_text for s in segments) else 0,
        binary if not all(s.is_text for s in segments) else b"",
    )
    assert Frame.from_bytes(frame.to_bytes()) == frame


def test_frames_and_index_survive():
    parts = [b"a" * 10, b"b" * 3000, b"c" * 2000]
    file = write(Header(), [binary_frame(p) for p in parts], b"".join(parts))
    ((header, frames, trailer),) = read(file)
    assert header == Header()
    assert [f.binary for f in frames] == parts
    assert [original for _, original in trailer.frames] == [10, 3000, 2000]
    assert trailer.original_size == 5010 and len(trailer.digest) == 16


def test_the_index_finds_every_frame():
    parts = [random.Random(i).randbytes(50 + i) for i in range(5)]
    file = write(Header(), [binary_frame(p) for p in parts], b"".join(parts))
    ((_, _, trailer),) = read(file)
    position = file.index(b"F")
    for (size, original), part in zip(trailer.frames, parts, strict=True):
        assert file[position : position + 1] == b"F"
        assert part in file[position : position + size] and original == len(part)
        position += size
    assert file[position : position + 1] == b"T"
    # The trailer's length, read backwards from the end of the file.
    assert len(file) - position - 1 == file[-1]


def test_the_last_trailer_is_found_from_the_end():
    for file in (SAMPLE, write(Header(), [], b""), SAMPLE * 2):
        source = io.BytesIO(file)
        source.seek(3)
        assert read_last_trailer(source) == read(file)[-1][2]
        assert source.tell() == 3


def test_an_end_that_is_damaged_is_told_at_once():
    trailer = SAMPLE[SAMPLE.rindex(b"T") :]
    for n in range(len(SAMPLE)):
        with pytest.raises(FormatError, match="truncated or damaged"):
            read_last_trailer(io.BytesIO(SAMPLE[:n]))
    for i in range(1, len(trailer) + 1):
        spoiled = bytearray(SAMPLE)
        spoiled[-i] ^= 1
        with pytest.raises(FormatError, match="truncated or damaged"):
            read_last_trailer(io.BytesIO(bytes(spoiled)))
    with pytest.raises(FormatError):
        read_last_trailer(io.BytesIO(SAMPLE + b"garbage"))


def test_members_can_be_concatenated():
    one, two = write(Header(), [binary_frame(b"one")], b"one"), write(HEADERS[1], [], b"")
    assert [h for h, _, _ in read(one + two + one)] == [Header(), HEADERS[1], Header()]


SAMPLE = write(
    HEADERS[2], [binary_frame(b"hello"), binary_frame(b"world" * 9)], b"hello" + b"world" * 9
)


def test_every_truncation_is_an_error():
    for n in range(len(SAMPLE)):
        with pytest.raises(FormatError):
            read(SAMPLE[:n])


def test_every_flipped_bit_is_an_error():
    for i in range(len(SAMPLE)):
        for bit in range(8):
            spoiled = bytearray(SAMPLE)
            spoiled[i] ^= 1 << bit
            with pytest.raises(NacrithError):
                read(bytes(spoiled))


@given(st.integers(0, len(SAMPLE)), st.binary(min_size=1, max_size=30))
def test_insertions_are_errors(position, extra):
    with pytest.raises(NacrithError):
        read(SAMPLE[:position] + extra + SAMPLE[position:])


@given(st.binary(max_size=200))
def test_random_bytes_are_errors(data):
    for start in (b"", MAGIC, MAGIC + bytes([VERSION])):
        with pytest.raises(NacrithError):
            read(start + data)


@given(st.binary(max_size=60))
def test_bodies_with_a_valid_checksum_are_read_or_refused(body):
    """What a checksum can't tell: the parsers themselves must hold."""
    for parse in (Header.from_bytes, Frame.from_bytes, Trailer.from_bytes):
        try:
            parsed = parse(body)
        except NacrithError:
            continue
        assert parsed.to_bytes() == body or parse is Header.from_bytes


@pytest.mark.parametrize("claim", [MAX_ORIGINAL * 2, 2**40, 2**63 - 1])
def test_false_lengths_allocate_nothing(claim):
    head = MAGIC + bytes([VERSION])
    valid_header = SAMPLE[: SAMPLE.index(b"F")]
    tracemalloc.start()
    for data in (
        head + to_varint(claim) + b"x" * 100,
        valid_header + b"F" + to_varint(claim) + b"x" * 100,
        valid_header + b"T" + to_varint(claim) + b"x" * 100,
    ):
        with pytest.raises(FormatError):
            read(data)
    body = b"\0" * 4 + to_varint(claim) + b"\3\1\1\1x"
    with pytest.raises(FormatError):
        Frame.from_bytes(body)
    with pytest.raises(FormatError):
        Frame.from_bytes(b"\0" * 4 + to_varint(100) + to_varint(claim) + b"xx")
    with pytest.raises(FormatError):
        Trailer.from_bytes(to_varint(claim))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"PK\3\4", "does not begin"),
        (b"NC05\x0f\x27\x10\0\1" + b"x" * 40, "reference"),
        (b"NC06\x0f\x27\x10\0\0\0\1\0\0\0\1" + b"x" * 40, "reference"),
        (b"NC06" + bytes([VERSION + 1]) + b"x" * 40, "newer version"),
        (SAMPLE + b"\0\0", "after the end"),
        (SAMPLE + b"garbage", "after the end"),
    ],
)
def test_messages(data, message):
    with pytest.raises(NacrithError, match=message):
        read(data)


def test_a_later_feature_is_told_from_damage():
    with pytest.raises(UnsupportedError, match="newer"):
        Header.from_bytes(b"\x80")
    frame = bytearray(binary_frame(b"abc").to_bytes())
    frame[frame.index(b"abc") - 1] = 9
    with pytest.raises(UnsupportedError, match="method 9"):
        Frame.from_bytes(bytes(frame))


def test_the_format_document_names_what_the_code_has():
    from pathlib import Path

    text = (Path(__file__).parent.parent / "docs" / "format.md").read_text("utf-8")
    assert KNOWN_SHA in text
    assert f"0x{VERSION:02X}" in text
    for name in FEATURES:
        assert name in text
