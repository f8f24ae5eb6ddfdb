"""NC06: what is written is read, and nothing else is accepted."""

import contextlib
import hashlib
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.errors import FormatError, NacrithError, UnsupportedError
from nacrith.format.container import (
    MAGIC,
    VERSION,
    MemberReader,
    Trailer,
    Writer,
    check_records,
    sole_member,
)
from nacrith.format.frame import MAX_ORIGINAL, Frame, Kind, Segment, check_of
from nacrith.format.header import Header, Metadata, ModelRecord
from nacrith.format.numerics import FEATURES, NumericsRecord
from nacrith.format.parameters import Parameters
from nacrith.format.varint import Reader, to_varint

NUMERICS = NumericsRecord("llama.cpp", "0.3.36", "x86_64", frozenset({"AVX2", "FMA"}), 2)
KNOWN_SHA = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
HEADERS = [
    Header(),
    Header(metadata=Metadata(0o644, 1_700_000_000)),
    Header(ModelRecord("SmolLM2-135M-Instruct.Q4_1", KNOWN_SHA, NUMERICS, 0x12345678)),
    Header(
        ModelRecord(
            "über.f32",
            "ab" * 32,
            NumericsRecord("transformers", "1", "other", frozenset(FEATURES.values()), 1, "GPU"),
            0,
        ),
        Parameters(window=512, sinks=8, bias_rate=0),
        Metadata(0o4755, 0),
    ),
    Header(
        ModelRecord("exact.f32", "cd" * 32, NumericsRecord("exact", "1"), 0), Parameters(window=512)
    ),
]


def binary_frame(data: bytes) -> Frame:
    segments = [Segment(Kind.STORED, len(data))] if data else []
    return Frame(segments, check_of(data), {Kind.STORED: data} if data else {})


def write(header: Header, frames: list[Frame], original: bytes) -> bytes:
    sink = io.BytesIO()
    writer = Writer(sink, header)
    for frame in frames:
        writer.add(frame)
    writer.finish(hashlib.blake2b(original, digest_size=16).digest())
    assert writer.size == len(sink.getvalue())
    return sink.getvalue()


def read(data: bytes) -> list[tuple[Header, list[Frame], Trailer | None]]:
    return [(m.header, list(m.frames()), m.trailer) for m in MemberReader(io.BytesIO(data))]


def digest_of(original: bytes) -> bytes:
    return hashlib.blake2b(original, digest_size=16).digest()


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("data", [b"", b"x", b"y" * 70_000])
def test_headers_survive(header, data):
    frame = binary_frame(data)
    assert read(write(header, [frame], data)) == [
        (header, [frame], Trailer(1, len(data), digest_of(data)))
    ]
    assert read(sole_member(header, frame)) == [(header, [frame], None)]


segments_strategy = st.lists(
    st.builds(Segment, st.sampled_from(Kind), st.integers(1, 5000)), max_size=20
)


@given(segments_strategy, st.data())
def test_frames_survive(segments, data):
    kinds = {segment.kind for segment in segments}
    size = sum(segment.length for segment in segments)
    text_size = sum(segment.length for segment in segments if segment.kind == Kind.TEXT)
    frame = Frame(
        segments,
        data.draw(st.binary(min_size=8, max_size=8))[: len(check_of(bytes(size)))],
        {kind: data.draw(st.binary(max_size=100)) for kind in sorted(kinds)},
        data.draw(st.integers(1, 2 * text_size)) if text_size else 0,
    )
    assert Frame.from_bytes(frame.to_bytes()) == frame
    assert frame.original_size == size and frame.size_of(Kind.TEXT) == text_size


def test_the_check_is_as_long_as_the_size_deserves():
    assert [len(check_of(bytes(n))) for n in (0, 1, 65535, 65536)] == [4, 4, 4, 8]


def test_members_can_be_concatenated():
    one, two = write(Header(), [binary_frame(b"one")], b"one"), write(HEADERS[1], [], b"")
    three = sole_member(HEADERS[2], binary_frame(b"three"))
    headers = [h for h, _, _ in read(one + three + two + one)]
    assert headers == [Header(), HEADERS[2], HEADERS[1], Header()]
    assert check_records(io.BytesIO(one + three + two + one)) == 11


def test_missing_and_repeated_frames_are_noticed():
    a, b, c = (SAMPLE.index(b"F"), SAMPLE.rindex(b"F"), SAMPLE.rindex(b"T"))
    for file in (
        SAMPLE[:a] + SAMPLE[b:],
        SAMPLE[:b] + SAMPLE[c:],
        SAMPLE[:b] + SAMPLE[a:],
    ):
        with pytest.raises(FormatError, match="missing or were added"):
            read(file)


SAMPLE = write(
    HEADERS[2], [binary_frame(b"hello"), binary_frame(b"world" * 9)], b"hello" + b"world" * 9
)


SOLE = sole_member(HEADERS[1], binary_frame(b"hello"))


@pytest.mark.parametrize("file", [SAMPLE, SOLE])
def test_every_truncation_is_an_error(file):
    for n in range(len(file)):
        with pytest.raises(FormatError):
            read(file[:n])


@pytest.mark.parametrize("file", [SAMPLE, SOLE])
def test_every_flipped_bit_is_an_error(file):
    for i in range(len(file)):
        for bit in range(8):
            spoiled = bytearray(file)
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
    for parse in (Frame.from_bytes, Trailer.from_bytes):
        try:
            parsed = parse(body)
        except NacrithError:
            continue
        assert parsed.to_bytes() == body
    with contextlib.suppress(NacrithError):
        Header.read(Reader(body, "header"))


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
    for body in (
        to_varint(claim) + b"\7\7\7\7",
        to_varint(1) + to_varint(min(claim, (1 << 60) - 1) << 3 | Kind.STORED) + b"1234xx",
        to_varint(1) + to_varint(100 << 3 | Kind.TEXT) + b"1234" + to_varint(claim),
        to_varint(2) + b"\4\7" + b"1234" + to_varint(claim) + b"xx",
    ):
        with pytest.raises(FormatError):
            Frame.from_bytes(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


OWN = VERSION - 0x80
"""The format's number in messages."""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"PK\3\4", "does not begin"),
        (b"NC05\x0f\x27\x10\0\1" + b"x" * 40, "reference"),
        (b"NC06\x0f\x27\x10\0\0\0\1\0\0\0\1" + b"x" * 40, "reference"),
        (
            b"NC06" + bytes([VERSION + 1]) + b"x" * 40,
            f"format {OWN + 1}, .*install a newer version",
        ),
        (b"NC06\xff" + b"x" * 40, "format 127, .*install a newer version"),
        (
            b"NC06" + bytes([VERSION - 1]) + b"x" * 40,
            f"older version .*the nacrith of format {OWN - 1}",
        ),
        (b"NC06\x81" + b"x" * 40, "older version .*the nacrith of format 1"),
        (SAMPLE + b"\0\0", "after the end"),
        (SAMPLE + b"garbage", "after the end"),
    ],
)
def test_messages(data, message):
    with pytest.raises(NacrithError, match=message):
        read(data)


def test_a_later_feature_is_told_from_damage():
    with pytest.raises(UnsupportedError, match="newer"):
        Header.read(Reader(b"\x80", "header"))


def test_the_format_document_names_what_the_code_has():
    from pathlib import Path

    text = (Path(__file__).parent.parent / "docs" / "format.md").read_text("utf-8")
    assert KNOWN_SHA in text
    assert f"0x{VERSION:02X}" in text
    for name in FEATURES.values():
        assert name in text
