"""Models of pictures and sound, and how their parts are found: both directions, any bytes."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder import Decoder, Encoder
from nacrith.codec.binary_codec import decode_binary, encode_binary
from nacrith.codec.binary_parts import find_parts
from nacrith.codec.media import find_media
from nacrith.codec.segments import find_segments
from nacrith.errors import FormatError
from nacrith.format.frame import Kind
from nacrith.format.varint import to_varint
from predictors.binary import least_squares
from predictors.binary.parts import Model, Part, code_part, problem
from predictors.binary.record_length import (
    DEFAULT_RECORD,
    MAX_NEAR_RECORD,
    MAX_RECORD,
    MIN_RECORD,
    NEAR,
    near_record,
)
from tests.media_samples import bmp, music, picture, wav

NUMBERS = [
    (Model.BYTES, (MIN_RECORD,)),
    (Model.BYTES, (MAX_RECORD,)),
    (Model.BYTES_AFTER_TEXT, (12,)),
    (Model.BILEVEL, (4,)),
    (Model.BILEVEL, (1 << 13,)),
    (Model.PIXELS, (8, 1)),
    (Model.PIXELS, (9, 3)),
    (Model.PIXELS, (12, 4)),
    (Model.PIXELS, (1 << 18, 4)),
    (Model.SOUND, (0, 1)),
    (Model.SOUND, (1, 2)),
    (Model.SOUND, (2, 8)),
]


def there_and_back(data: bytes, model: Model, numbers: tuple[int, ...]) -> int:
    """Code and decode data as one part; return the size."""
    part = Part(model, len(data), numbers)
    assert not problem(part)
    coder = Encoder()
    code_part(coder, np.frombuffer(data, dtype=np.uint8).copy(), part)
    packed = coder.finish()
    restored = np.zeros(len(data), dtype=np.uint8)
    code_part(Decoder(packed), restored, part)
    assert restored.tobytes() == data
    return len(packed)


@pytest.mark.parametrize("model, numbers", NUMBERS)
def test_any_length_comes_back(model, numbers):
    step = 2 if model == Model.SOUND and numbers[0] else 1
    data = np.random.default_rng(0).integers(0, 256, 64).astype(np.uint8).tobytes()
    for n in (step, 2 * step, 3 * step, 7 * step, 64):
        there_and_back(data[:n], model, numbers)


@settings(max_examples=25)
@given(
    st.sampled_from(NUMBERS),
    st.binary(min_size=1, max_size=200),
    st.integers(1, 8),
)
def test_any_bytes_come_back(model, data, times):
    there_and_back(data * 2 * times, *model)


@pytest.mark.parametrize("fill", [0, 255, 128])
@pytest.mark.parametrize("model, numbers", NUMBERS)
def test_what_never_changes_costs_next_to_nothing(model, numbers, fill):
    assert there_and_back(bytes([fill]) * 4000, model, numbers) < 250


def test_pictures_are_predicted():
    pixels = picture(60, 80, 3)
    as_picture = there_and_back(pixels.tobytes(), Model.PIXELS, (240, 3))
    as_bytes = there_and_back(pixels.tobytes(), Model.BYTES, (240,))
    assert as_picture < 0.97 * as_bytes
    # Noise of a standard deviation of 2 has 3 bits; the model has to learn the rest.
    assert as_picture < 0.62 * pixels.size


def test_pictures_of_one_bit_are_predicted():
    y, x = np.mgrid[0:200, 0:256]
    ring = np.abs(np.hypot(x - 128, y - 100) - 70 + 5 * np.sin(x / 5)) < 3
    data = np.packbits(ring, axis=1).tobytes()
    as_picture = there_and_back(data, Model.BILEVEL, (32,))
    assert as_picture < 0.8 * there_and_back(data, Model.BYTES, (32,))


def test_sound_is_predicted():
    samples = music(4000)
    size = there_and_back(samples.astype("<i2").tobytes(), Model.SOUND, (1, 2))
    assert size == pytest.approx(
        there_and_back(samples.astype(">i2").tobytes(), Model.SOUND, (2, 2)), abs=4
    )
    # A standard deviation of 40 is log2(40 * sqrt(2 pi e)) = 7.4 bits of 16.
    assert size < 1.15 * 7.4 / 16 * samples.nbytes


def test_pictures_and_sound_are_found_by_their_headers():
    first, second = bmp(picture(60, 61, 3)), wav(music(1500))
    data = b"\1\2\3" * 50 + first + second + b"\xfe\xff\0" * 60
    media = find_media(data)
    assert [m.model for m in media] == [Model.PIXELS, Model.SOUND]
    assert [m.numbers for m in media] == [(184, 3), (1, 2)]
    assert [m.header for m in media] == [150, 150 + len(first)]
    assert [m.end - m.begin for m in media] == [184 * 60, 6000]
    assert {s.kind for s in find_segments(data)} == {Kind.MIXED}
    parts = find_parts(np.frombuffer(data, dtype=np.uint8))
    assert sum(part.size for part in parts) == len(data)
    assert [part.model for part in parts if part.model != Model.BYTES] == [
        Model.PIXELS,
        Model.SOUND,
    ]
    kind, payload = encode_binary(data)
    assert kind == Kind.MIXED and decode_binary(kind, payload, len(data)) == data


@pytest.mark.parametrize("magic, bits", [(b"P4", 1), (b"P5", 8), (b"P6", 24)])
def test_portable_pictures_are_found(magic, bits):
    head = magic + b"\n# made by hand\n96 100\n" + (b"" if bits == 1 else b"255\n")
    stride = 96 * bits // 8
    (media,) = find_media(head + bytes(100 * stride * 4))
    assert (media.begin, media.end) == (len(head), len(head) + 100 * stride)
    assert media.numbers[0] == stride
    # All of it is one segment, the readable header too.
    assert len(find_segments(head + bytes(range(256)) * stride)) >= 1
    # A picture may have bytes that are letters, a text about pictures is none.
    few = (b"A" * 15 + b"\xe0") * 100 * stride
    assert find_segments(head + few)[0].kind == Kind.MIXED
    assert not find_media(head + b"A text about pictures. " * 20 * stride)


def test_a_tiff_and_an_aiff_are_found():
    entries = {256: 40, 257: 30, 258: 8, 259: 1, 273: 200, 277: 1}
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    tiff = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + tags
    data = tiff + bytes(200 - len(tiff)) + bytes(1200)
    (media,) = find_media(data)
    assert (media.begin, media.end, media.numbers) == (200, 1400, (40, 1))
    common = b"COMM" + struct.pack(">IHIH10x", 18, 1, 700, 16)
    sound = b"SSND" + struct.pack(">III", 1408, 0, 0) + bytes(1400)
    (media,) = find_media(b"FORM" + struct.pack(">I", 2000) + b"AIFF" + common + sound)
    assert media.end - media.begin == 1400 and media.numbers == (2, 1)


@given(
    st.binary(max_size=80), st.sampled_from([b"BM", b"P6 ", b"II*\0", b"MM\0*", b"RIFF", b"FORM"])
)
def test_what_only_begins_like_media_is_no_problem(data, magic):
    for m in find_media(magic + data + magic + data):
        assert m.begin < m.end


def test_truncated_media_count_as_far_as_they_go():
    whole = bmp(picture(30, 41, 3)) + wav(music(1500))
    for n in range(0, len(whole), 97):
        for m in find_media(whole[:n]):
            assert m.header < m.begin < m.end <= n
    assert len(find_media(whole[:4000])) == 1


@pytest.mark.parametrize(
    "head",
    [
        to_varint(len(Model) << 4) + b"\4",
        to_varint(Model.BILEVEL << 4) + b"\3",
        b"\x0c\4",
        to_varint(Model.BYTES_AFTER_TEXT << 4) + b"\1",
        to_varint(Model.PIXELS << 4) + to_varint(9) + to_varint(2),
        to_varint(Model.PIXELS << 4) + to_varint(11) + to_varint(4),
        to_varint(Model.SOUND << 4) + b"\3\1",
        to_varint(Model.SOUND << 4) + b"\1\0",
        to_varint(Model.SOUND << 4) + b"\1\x09",
        b"\1\4" + to_varint(6000) + b"\0\4",
        b"\1\4" + b"\0" + b"\0\4",
        b"\1\4\1" * 70,
    ],
)
def test_false_heads_are_errors(head):
    with pytest.raises(FormatError):
        decode_binary(Kind.MIXED, head + bytes(50), 6000)


def test_damaged_pictures_and_sound_give_an_error_or_other_bytes():
    data = bmp(picture(20, 40, 3)) + wav(music(600))
    kind, payload = encode_binary(data)
    assert kind == Kind.MIXED
    places = np.random.default_rng(0).integers(0, len(payload), 25).tolist()
    for place in [*range(8), *places]:
        spoiled = bytearray(payload)
        spoiled[place] ^= 0x41
        try:
            restored = decode_binary(kind, bytes(spoiled), len(data))
        except FormatError:
            continue
        assert len(restored) == len(data)


def test_least_squares_find_what_is_linear():
    sums = least_squares.new_sums(1, 3, 0.999)
    random = np.random.default_rng(0)
    for _ in range(200):
        sums.inputs[:] = random.integers(0, 256, 3)
        outcome = 0.5 * sums.inputs[0] + 0.25 * sums.inputs[1] + 0.125 * sums.inputs[2]
        least_squares.learn(sums, 0, outcome)
    least_squares.solve(sums, 0)
    assert sums.weights[0] == pytest.approx([0.5, 0.25, 0.125], abs=1e-3)
    sums.products[:] = -1
    before = sums.weights.copy()
    least_squares.solve(sums, 0)
    assert (sums.weights == before).all()


def test_near_records_are_found():
    random = np.random.default_rng(0)
    data = random.integers(0, 256, NEAR + MAX_NEAR_RECORD + 10).astype(np.uint8)
    assert near_record(data, len(data)) == DEFAULT_RECORD
    data[-NEAR:] = np.resize(random.integers(0, 256, 23), NEAR)
    assert near_record(data, len(data)) == 23


def test_a_table_whose_rows_differ_little_is_no_picture():
    random = np.random.default_rng(4)
    data = b"".join(
        struct.pack(
            "<HHHHHI", 0x27E, 10, i // 16, i % 16, 0x15, 4000 + 16 * int(step) * (i % 16 // 7)
        )
        for i, step in enumerate(random.choice([0, 0, 0, 1, 2], 3000))
    )
    assert find_parts(np.frombuffer(data, np.uint8)) == [Part(Model.BYTES, len(data), (14,))]
