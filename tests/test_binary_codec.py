"""Binary data: context mixing, Kind.LZMA or stored, and damage."""

import lzma
import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coder import Encoder
from nacrith.codec.binary_codec import decode_binary, encode_binary
from nacrith.errors import FormatError
from nacrith.format.frame import Kind
from nacrith.format.varint import to_varint
from predictors.binary.byte_model import code_bytes
from predictors.binary.record_length import DEFAULT_RECORD, MAX_RECORD, MIN_RECORD, record_length

NOISE = random.Random(0).randbytes(5000)


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 30))
def test_it_survives(data, times):
    data = data * times
    kind, payload = encode_binary(data)
    assert decode_binary(kind, payload, len(data)) == data
    assert len(payload) <= len(data)


@given(st.binary(min_size=1, max_size=300), st.integers(MIN_RECORD, MAX_RECORD), st.integers(1, 9))
@example(b"\0\1", MIN_RECORD, 1)
def test_mixing_survives_any_record_length(data, record, times):
    data = data * times
    values = np.frombuffer(data, dtype=np.uint8).copy()
    coder = Encoder()
    code_bytes(coder, values, record)
    payload = b"\0" + to_varint(record) + coder.finish()
    assert decode_binary(Kind.MIXED, payload, len(data)) == data


@pytest.mark.parametrize("name, record", [("kennedy.xls", 13), ("ptt5", 216), ("sum", 12)])
def test_canterbury_files_are_mixed_much_smaller_than_lzma(canterbury, name, record):
    data = canterbury[name].read_bytes()[20_000:40_000]
    assert record_length(np.frombuffer(canterbury[name].read_bytes(), dtype=np.uint8)) == record
    kind, payload = encode_binary(data)
    assert kind == Kind.MIXED
    assert len(payload) < 0.9 * len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    assert decode_binary(kind, payload, len(data)) == data


def test_records_are_found():
    random = np.random.default_rng(0)
    rows = np.tile(random.integers(0, 256, 37), 400)
    noise = random.integers(0, 256, len(rows))
    data = np.where(random.random(len(rows)) < 0.5, rows, noise).astype(np.uint8)
    assert record_length(data) == 37
    assert record_length(noise.astype(np.uint8)) == DEFAULT_RECORD
    for n in range(12):
        assert record_length(data[:n]) >= MIN_RECORD


def test_a_false_record_length_or_size_is_an_error():
    data = bytes(range(200)) * 30
    kind, payload = encode_binary(data)
    assert kind == Kind.MIXED
    lengths = (to_varint(n) for n in (0, 1, MAX_RECORD + 1))
    for start in (*(b"\0" + length for length in lengths), to_varint(1 << 60)):
        with pytest.raises(FormatError):
            decode_binary(Kind.MIXED, start + payload[2:], len(data))
    with pytest.raises(FormatError, match="bytes in"):
        decode_binary(Kind.MIXED, payload, 1 << 30)


def test_the_smallest_kind_wins():
    assert encode_binary(NOISE) == (Kind.STORED, NOISE)
    kind, payload = encode_binary(b"\0" * 100_000)
    assert kind == Kind.MIXED and len(payload) < 100
    assert len(encode_binary((NOISE * 20)[:90_000])[1]) < 6000


def test_lzma_wins_where_mixing_does_badly(monkeypatch):
    monkeypatch.setattr("nacrith.codec.binary_codec.mix", lambda data, **_: (data, []))
    monkeypatch.setattr("nacrith.codec.binary_codec.mix_text", lambda data, *_: data)
    data = b"many words and more words " * 50
    kind, payload = encode_binary(data)
    assert kind == Kind.LZMA and len(payload) < len(data) / 10
    assert decode_binary(Kind.LZMA, payload, len(data)) == data


def test_every_truncation_and_every_flip_is_noticed_or_harmless():
    data = b"the same words, the same words " * 40
    kind, payload = encode_binary(data, as_text=False)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 1 << 12}]
    packed = lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters)
    cases = [(Kind.MIXED, payload), (Kind.LZMA, packed)]
    assert kind == Kind.MIXED
    for kind, spoiled in [
        *((m, p[:n]) for m, p in cases for n in range(len(p))),
        *((m, p[:i] + bytes([p[i] ^ 0x55]) + p[i + 1 :]) for m, p in cases for i in range(len(p))),
    ]:
        try:
            restored = decode_binary(kind, spoiled, len(data))
        except FormatError:
            continue
        assert len(restored) == len(data)


def test_a_bomb_stops_at_the_recorded_size():
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9}]
    payload = lzma.compress(b"\0" * 10_000_000, format=lzma.FORMAT_RAW, filters=filters)
    kind = Kind.LZMA
    with pytest.raises(FormatError, match="length"):
        decode_binary(kind, payload, 1000)
    with pytest.raises(FormatError):
        decode_binary(kind, payload, 10_000_001)


def test_nearly_empty_data_is_not_mixed():
    kind, payload = encode_binary(b"\0" * (1 << 20))
    assert kind == Kind.LZMA and len(payload) < 500
