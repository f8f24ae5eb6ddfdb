"""What an encoder makes of very regular data is never too short for the decoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.codec.binary_codec import decode_binary, encode_binary
from nacrith.codec.payload import can_hold, padded
from nacrith.format.frame import Kind


@given(st.binary(max_size=9), st.integers(0, 1 << 40))
def test_padding_is_what_is_needed_and_no_more(payload, cost):
    long = padded(payload, cost)
    assert can_hold(long, cost)
    assert long.rstrip(b"\0") == payload.rstrip(b"\0")
    assert long == payload or not can_hold(long[:-1], cost)


@pytest.mark.parametrize(("tail", "zeros"), [(b"", 900_000), (bytes(range(256)), 100_000)])
def test_zeros_that_cost_nothing_can_be_restored(tail, zeros):
    data = tail + bytes(zeros)
    kind, payload = encode_binary(data)
    assert kind == Kind.MIXED
    assert decode_binary(kind, payload, len(data)) == data
