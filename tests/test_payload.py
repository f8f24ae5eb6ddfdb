"""What an encoder makes of very regular data is never too short for the decoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.codec.binary_codec import decode_binary, encode_binary
from nacrith.codec.payload import can_hold, padded
from nacrith.errors import FormatError
from nacrith.format.frame import Kind


@given(st.binary(max_size=9), st.integers(0, 1 << 40))
def test_padding_is_what_is_needed_and_no_more(payload, cost):
    long = padded(payload, cost)
    assert can_hold(long, cost)
    assert long.rstrip(b"\0") == payload.rstrip(b"\0")
    assert long == payload or not can_hold(long[:-1], cost)


@pytest.mark.parametrize("tail", [b"", bytes(range(256))])
def test_zeros_that_cost_nothing_can_be_restored(tail, monkeypatch):
    """Without the slack of 64 bits, for which there would have to be 520,000 zeros."""
    monkeypatch.setattr("nacrith.codec.payload._SLACK", 0)
    data = tail + bytes(40_000)
    kind, payload = encode_binary(data)
    assert kind == Kind.MIXED
    assert decode_binary(kind, payload, len(data)) == data
    if not tail:
        with pytest.raises(FormatError, match="is damaged: 40000 bytes in"):
            decode_binary(kind, payload[:-1], len(data))
