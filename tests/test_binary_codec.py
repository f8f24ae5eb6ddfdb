"""Binary segments: LZMA or stored, and damage."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.binary_codec import decode_binary, encode_binary
from nacrith.container import LZMA, STORED
from nacrith.errors import FormatError

NOISE = random.Random(0).randbytes(5000)


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 30))
def test_it_survives(data, times):
    data = data * times
    method, payload = encode_binary(data)
    assert decode_binary(method, payload, len(data)) == data
    assert len(payload) <= len(data)


def test_the_smaller_method_wins():
    assert encode_binary(NOISE) == (STORED, NOISE)
    method, payload = encode_binary(b"\0" * 100_000)
    assert method == LZMA and len(payload) < 200


def test_every_truncation_and_every_flip_is_noticed_or_harmless():
    data = b"the same words, the same words " * 40
    method, payload = encode_binary(data)
    for n in range(len(payload)):
        with pytest.raises(FormatError):
            decode_binary(method, payload[:n], len(data))
    for i in range(len(payload)):
        spoiled = payload[:i] + bytes([payload[i] ^ 0x55]) + payload[i + 1 :]
        try:
            restored = decode_binary(method, spoiled, len(data))
        except FormatError:
            continue
        assert len(restored) == len(data)


def test_a_bomb_stops_at_the_recorded_size():
    method, payload = encode_binary(b"\0" * 10_000_000)
    with pytest.raises(FormatError, match="length"):
        decode_binary(method, payload, 1000)
    with pytest.raises(FormatError):
        decode_binary(method, payload, 10_000_001)
