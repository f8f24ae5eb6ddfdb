"""Binary data whose tables name strings of the text beside it: both directions, any bytes."""

import random
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder import Decoder, Encoder
from nacrith.codec.binary_codec import decode_binary, encode_binary, holds_strings, mix, needs_text
from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.frame_encoder import encode_frame
from nacrith.codec.segments import find_segments
from nacrith.codec.text_mixing import TextMixing
from nacrith.errors import FormatError
from nacrith.format.frame import Kind
from predictors.binary.parts import Model, Part, code_part, problem


def names(n: int, seed: int = 1) -> list[bytes]:
    """n names of functions, none twice."""
    source = random.Random(seed)
    words = ("read", "write", "open", "close", "table", "string", "find", "next", "free", "count")
    return [
        "_".join([*source.choices(words, k=source.randrange(1, 5)), str(i)]).encode()
        for i in range(n)
    ]


def table(lengths: list[int], order: str, width: int) -> bytes:
    """Records that begin with the offset of a string; what follows it is at random."""
    source = random.Random(2)
    offset = 1
    records = b""
    for length in lengths:
        records += struct.pack(order + "I", offset) + source.randbytes(width - 4)
        offset += length + 1
    return records


def coded(data: bytes, text: bytes) -> bytes:
    coder = Encoder()
    part = Part(Model.BYTES_AFTER_TEXT, len(data), (12,))
    assert not problem(part)
    strings = np.frombuffer(text, dtype=np.uint8)
    code_part(coder, np.frombuffer(data, dtype=np.uint8).copy(), part, text=strings)
    packed = coder.finish()
    restored = np.zeros(len(data), dtype=np.uint8)
    code_part(Decoder(packed), restored, part, text=strings)
    assert restored.tobytes() == data
    return packed


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("width", [12, 16])
def test_offsets_of_known_strings_cost_next_to_nothing(order, width):
    strings = names(150)
    data = table([len(name) for name in strings], order, width)
    known = coded(data, b"\0" + b"\0".join(strings) + b"\0")
    others = coded(data, b"\0" + b"\0".join(names(150, 3)[::-1]) + b"\0")
    assert len(known) < len(others) - 50


def test_strings_of_several_files_that_follow_each_other():
    """Offsets begin again at 1 with each file, whose strings begin with an empty one."""
    files = [names(60, seed) for seed in (1, 2, 3)]
    data = b"".join(table([len(name) for name in file], ">", 12) for file in files)
    text = b"".join(b"\0" + b"\0".join(file) + b"\0" for file in files)
    assert len(coded(data, text)) < len(coded(data, b"")) - 50


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=100))
def test_any_bytes_come_back(data, text):
    coded(data or b"\0", text)
    coded(data * 5 + bytes(4), bytes(8) + text * 3)


def program() -> bytes:
    strings = names(300)
    data = table([len(name) for name in strings], ">", 12)
    return data + b"\0" + b"\0".join(strings) + b"\0" + data[:1600][::-1]


def test_a_frame_knows_its_text_before_its_tables():
    block = program()
    frame = encode_frame(block, TextMixing(2))
    assert set(frame.payloads) == {Kind.MIXED, Kind.MIXED_TEXT}
    assert needs_text(frame.payloads[Kind.MIXED], frame.size_of(Kind.MIXED))
    assert b"".join(decode_frame(frame, None)) == block
    assert b"".join(decode_frame(frame, None, range(3590, 3700))) == block[3590:3700]


def test_words_stay_whole_beside_text():
    block = program()
    for front in range(4):
        segments = find_segments(bytes(range(256)) * 8 + block[:3600] + b"x" * front + block[3600:])
        assert [segment.kind for segment in segments] == [Kind.MIXED, Kind.TEXT, Kind.MIXED]
        assert segments[0].length % 4 == segments[1].length % 4 == 0


def test_text_without_strings_is_not_looked_at():
    data = program()[:3600]
    assert not holds_strings(b"no names here\n" * 100)
    assert mix(data, text=b"no names here\n" * 100) == mix(data)
    assert not needs_text(mix(data)[0], len(data))


def test_damaged_payloads_give_an_error_or_other_bytes():
    block = program()
    text = b"\0".join(names(300)) + b"\0"
    kind, payload = encode_binary(block[:3600], text=text)
    assert kind == Kind.MIXED and decode_binary(kind, payload, 3600, text=text) == block[:3600]
    places = np.random.default_rng(0).integers(0, len(payload), 6).tolist()
    for place in [0, 1, 2, *places]:
        spoiled = bytearray(payload)
        spoiled[place] ^= 0x41
        try:
            restored = decode_binary(kind, bytes(spoiled), 3600, text=text[place:])
        except FormatError:
            continue
        assert len(restored) == 3600
