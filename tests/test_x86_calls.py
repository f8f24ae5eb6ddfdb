"""Calls of x86 code: the transform comes back, is used for code and pays there."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.codec.binary_codec import decode_binary, encode_binary
from nacrith.format.frame import Kind
from nacrith.transforms.calls import Calls, find_calls
from nacrith.transforms.x86_calls import to_absolute, to_relative

operands = st.one_of(
    st.binary(min_size=4, max_size=4),
    st.integers(-300, 300).map(lambda n: n.to_bytes(4, "little", signed=True)),
)
pieces = st.one_of(
    st.builds(
        lambda opcode, operand: opcode + operand, st.sampled_from([b"\xe8", b"\xe9"]), operands
    ),
    st.binary(max_size=9),
    st.sampled_from([b"\xe8", b"\xe9\xe8\xe8", b"\xff" * 4]),
)


@given(st.lists(pieces, max_size=40).map(b"".join))
def test_it_comes_back(data):
    values = np.frombuffer(data, dtype=np.uint8).copy()
    to_absolute(values)
    to_relative(values)
    assert values.tobytes() == data


def test_calls_of_one_function_look_the_same():
    code = bytearray(200)
    for place in (10, 50, 120):
        code[place] = 0xE8
        code[place + 1 : place + 5] = (150 - place - 5).to_bytes(4, "little", signed=True)
    values = np.frombuffer(bytes(code), dtype=np.uint8).copy()
    to_absolute(values)
    for place in (10, 50, 120):
        assert values[place + 1 : place + 5].tobytes() == (150).to_bytes(4, "little")


@pytest.fixture
def machine_code() -> bytes:
    """Calls of 20 functions between other instructions."""
    source = random.Random(1)
    functions = [source.randrange(8000) for _ in range(20)]
    code = bytearray()
    while len(code) < 8000:
        code += source.choice([b"\x48\x89\xc7", b"\x31\xc0", b"\x0f\x1f\x00", b"\x90"])
        if source.random() < 0.3:
            distance = source.choice(functions) - len(code) - 5
            code += b"\xe8" + distance.to_bytes(4, "little", signed=True)
    return bytes(code)


def test_machine_code_is_told_from_other_data_and_gets_smaller(machine_code, monkeypatch):
    assert find_calls(np.frombuffer(machine_code, dtype=np.uint8)) == Calls.X86
    noise = np.random.default_rng(0).integers(0, 256, 50_000).astype(np.uint8)
    for data in (noise, np.zeros(50_000, dtype=np.uint8), np.full(50_000, 0xE8, dtype=np.uint8)):
        assert find_calls(data) == Calls.NONE
    kind, payload = encode_binary(machine_code)
    assert kind == Kind.MIXED and decode_binary(kind, payload, len(machine_code)) == machine_code
    monkeypatch.setattr("nacrith.codec.binary_codec.find_calls", lambda values: Calls.NONE)
    assert len(payload) < 0.9 * len(encode_binary(machine_code)[1])
