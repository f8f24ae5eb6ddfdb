"""Calls of machines with words for instructions: they come back, and are used where that pays."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacrith.codec.binary_codec import decode_binary, encode_binary
from nacrith.format.frame import Kind
from nacrith.transforms.calls import Calls, find_calls
from nacrith.transforms.word_calls import ARM, ARM64, POWERPC, SPARC, to_absolute, to_relative

MACHINES = {
    Calls.SPARC: SPARC,
    Calls.POWERPC: POWERPC,
    Calls.ARM: ARM,
    Calls.ARM64: ARM64,
}
words = st.one_of(
    st.binary(min_size=4, max_size=4),
    st.sampled_from([b"\x40\0\0\1", b"\x7f\xff\xff\xfe", b"\x7f\xbf\0\0", b"\x48\0\1\1"]),
    st.sampled_from([b"\xff\xff\xff\xeb", b"\1\0\0\x94", b"\xff\xff\xff\x97"]),
)


@given(st.lists(words, max_size=40).map(b"".join), st.binary(max_size=3))
def test_it_comes_back(data, rest):
    for machine in MACHINES.values():
        values = np.frombuffer(data + rest, dtype=np.uint8).copy()
        to_absolute(values, machine)
        to_relative(values, machine)
        assert values.tobytes() == data + rest


def call(calls: Calls, distance: int) -> bytes:
    """An instruction that calls what is so many words further."""
    machine = MACHINES[calls]
    field = (1 << (machine.bits + machine.extended)) - 1
    word = machine.operation | (distance & field) << machine.shift
    return word.to_bytes(4, "big" if machine.big else "little")


def machine_code(calls: Calls) -> bytes:
    """Calls of 20 functions between other instructions."""
    source = random.Random(1)
    functions = [source.randrange(3000) for _ in range(20)]
    code = b""
    for i in range(3000):
        is_call = source.random() < 0.2
        code += call(calls, source.choice(functions) - i) if is_call else b"\x01\0\0\0"
    return code


@pytest.mark.parametrize("calls", MACHINES)
def test_calls_of_one_function_look_the_same(calls):
    values = np.frombuffer(call(calls, 90) + bytes(40) + call(calls, 79), dtype=np.uint8).copy()
    assert values[:4].tobytes() != values[-4:].tobytes()
    to_absolute(values, MACHINES[calls])
    assert values[:4].tobytes() == values[-4:].tobytes()


@pytest.mark.parametrize("calls", MACHINES)
def test_machine_code_is_known_and_gets_smaller(calls, monkeypatch):
    code = machine_code(calls)
    assert find_calls(np.frombuffer(code, dtype=np.uint8)) == calls
    kind, payload = encode_binary(code)
    assert kind == Kind.MIXED and decode_binary(kind, payload, len(code)) == code
    monkeypatch.setattr("nacrith.codec.binary_codec.find_calls", lambda values: Calls.NONE)
    assert len(payload) < 0.9 * len(encode_binary(code)[1])
