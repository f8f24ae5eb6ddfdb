"""JPEG pictures: to coefficients and back to the same bytes, whole, damaged, and in files."""

import io
import struct
import zipfile
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nacrith
from coder import Decoder, Encoder
from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.frame_encoder import encode_frame
from nacrith.errors import FormatError, NacrithError, UnsupportedError
from nacrith.format.container import MemberReader
from nacrith.format.frame import Frame
from nacrith.format.varint import to_varint
from nacrith.pipeline import blocks
from nacrith.transforms.deflate.adaptive_numbers import Numbers
from nacrith.transforms.jpeg.extent import LEAST_PICTURE, Extent, end_of, extent_of
from nacrith.transforms.jpeg.frame_header import read_frame_header
from nacrith.transforms.jpeg.picture import (
    COEFFICIENTS_OF_BYTE,
    Closing,
    close_picture,
    coefficients_of,
    open_picture,
)
from nacrith.transforms.jpeg.plain_picture import plain_picture
from nacrith.transforms.opening import expanding, lepton, pictures
from nacrith.transforms.opening.expanding import expand, restore
from nacrith.transforms.opening.finding import find_cut_off
from nacrith.transforms.opening.forms import Form
from nacrith.transforms.opening.layer import Opening, code_openings
from nacrith.transforms.opening.limits import ALL_STREAMS, EVERYTHING, MAX_EXPANDED
from predictors.binary import least_squares
from predictors.jpeg import block_state, dc
from predictors.jpeg.coefficient_model import JpegModel
from predictors.jpeg.layout import MOST, Coefficients, new_coefficients
from tests.deflate_samples import noise, prose
from tests.jpeg_samples import KINDS, grey_picture, picture, scan_header

FEW = ("4:2:0", "grey", "progressive", "restarts")


def closed(data: bytes) -> bytes | None:
    """What a picture is restored to; None if it was not opened."""
    opened = open_picture(data)
    if opened is None:
        return None
    return close_picture(opened.content, opened.closing, opened.coefficients, len(data))


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_come_back(kind):
    data = picture(kind)
    opened = open_picture(data)
    assert opened and closed(data) == data
    assert opened.closing.missing == 0 and opened.frame.progressive == ("progressive" in kind)
    assert (opened.closing.scans > 1) == opened.frame.progressive
    assert len(data) - len(opened.content) > 0 and opened.content.endswith(b"\xff\xd9")


@pytest.mark.parametrize("kind", KINDS)
def test_their_coefficients_come_back(kind):
    opened = open_picture(picture(kind))
    assert opened
    coder = Encoder()
    given = opened.coefficients.copy()
    JpegModel().code(coder, given, opened.frame.components, opened.quantization)
    assert np.array_equal(given, opened.coefficients)
    found = new_coefficients(opened.frame.components)
    JpegModel().code(Decoder(coder.finish()), found, opened.frame.components, opened.quantization)
    assert np.array_equal(found, given)


def test_a_picture_is_made_without_a_library():
    data = plain_picture()
    opened = open_picture(data)
    assert opened and closed(data) == data and len(opened.content) < len(data) - 100
    assert abs(opened.coefficients).max() > 300


def test_any_coefficients_come_back():
    random = np.random.default_rng(0)
    header = read_frame_header(bytes([8, 0, 40, 0, 50, 2, 1, 0x21, 0, 2, 0x12, 3]), False)
    assert header
    for spread, unit in ((3000, 1), (3000, 65535), (1, 0), (40, 16)):
        given = new_coefficients(header.components)
        values = np.clip(random.normal(0, spread, given.shape), -2047, 2047)
        given[:-1] = values[:-1].astype(np.int16)
        quantization = np.full((4, 64), unit, dtype=np.int64)
        coder = Encoder()
        JpegModel().code(coder, given.copy(), header.components, quantization)
        found = new_coefficients(header.components)
        JpegModel().code(Decoder(coder.finish()), found, header.components, quantization)
        assert np.array_equal(found, given)


@pytest.mark.parametrize("kind", FEW)
def test_damaged_pictures_are_data(kind):
    data = picture(kind)
    wholly = partly = 0
    for place in range(2, len(data), 3):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        opened = open_picture(bytes(damaged))
        if opened:
            again = close_picture(opened.content, opened.closing, opened.coefficients, len(damaged))
            assert again == damaged
            wholly += not opened.closing.missing
            partly += opened.closing.missing > 0
    assert wholly and (partly or kind == "progressive")


@pytest.mark.parametrize("kind", FEW)
def test_pictures_cut_off_are_opened_as_far_as_they_go(kind):
    data = picture(kind)
    found = [closed(data[:end]) for end in range(0, len(data), 5)]
    for i, again in enumerate(found):
        assert again in (None, data[: 5 * i])
    assert found[-1] is not None and found[0] is None


def test_what_follows_a_picture_or_stands_in_its_scan_stays():
    data = picture("4:2:0")
    middle = len(data) // 2
    for other in (
        data + noise(99),
        data[:-2] + noise(30) + data[-2:],
        data[:middle] + noise(40) + data[middle:],
        data[:middle] + b"\xff\xd0" + data[middle:],
        data[:-2],
        data[:2] + b"\xff" * 3 + data[2:],
    ):
        assert closed(other) == other


def test_what_is_no_picture_is_not_opened():
    data = picture("grey")
    header = data.index(b"\xff\xc0")
    for marker in (0xC3, 0xC9, 0xCA):
        assert open_picture(data[: header + 1] + bytes([marker]) + data[header + 2 :]) is None
    for body in (
        b"", bytes(6), bytes([12, 0, 8, 0, 8, 1, 1, 0x11, 0]),
        bytes([8, 0, 0, 0, 8, 1, 1, 0x11, 0]),
        bytes([8, 255, 255, 255, 255, 1, 1, 0x11, 0]), bytes([8, 0, 8, 0, 8, 1, 1, 0x51, 0]),
        bytes([8, 0, 8, 0, 8, 2, 1, 0x11, 0, 1, 0x11, 0]), bytes([8, 0, 8, 0, 8, 1, 1, 0x11, 4]),
    ):  # fmt: skip
        assert read_frame_header(body, False) is None
    assert read_frame_header(bytes([8, 0, 8, 0, 8, 1, 1, 0x11, 0]), False)


def test_the_end_of_a_picture_is_found():
    data = picture("4:2:0")
    for front, behind in ((b"", b""), (noise(9), noise(99)), (b"\xff\xd8\xff", data)):
        view = memoryview(front + data + behind)
        assert end_of(extent_of(view, len(front))) == len(data)
    scan = data.index(b"\xff\xda")
    for end in range(0, len(data), 7):
        cut = memoryview(data[:end])
        expected = end if end > scan + 3 and end >= LEAST_PICTURE else 0
        assert end_of(extent_of(cut, 0)) == expected
    for step in (1, 2, 3, 1000):
        extent = Extent()
        for i in range(0, len(data) + 50, step):
            if not extent.ended:
                extent.feed((data + noise(50))[i : i + step])
        assert extent.ended and extent.used == len(data) and not extent.failed


def test_blocks_end_behind_pictures(monkeypatch):
    monkeypatch.setattr(blocks, "_LEAST_BLOCK", 100)
    one = picture("4:2:0")
    data = noise(700) + one + noise(900)
    found = [*blocks.read_blocks(io.BytesIO(data), 1000, EVERYTHING)]
    assert b"".join(found) == data
    assert one in found[0] and len(found[0]) < 700 + len(one) + 50
    sizes = [len(block) for block in blocks.read_blocks(io.BytesIO(data), 1000, ALL_STREAMS)]
    assert set(sizes[:-1]) == {1000}
    assert find_cut_off(data[:1000], 0, MAX_EXPANDED, ALL_STREAMS) is None
    cut_off = find_cut_off(data[:1000], 0, MAX_EXPANDED)
    assert isinstance(cut_off, Extent) and cut_off.used == 300


def document() -> bytes:
    """A zip with pictures, stored and deflated, with other data before and behind."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a.jpg", picture("4:2:0"))
        archive.writestr("b.txt", prose(2000), zipfile.ZIP_DEFLATED)
        # So little is saved by deflate that its stream would not be opened at another level.
        archive.writestr("c.jpg", picture("progressive"), zipfile.ZIP_DEFLATED, 1)
        archive.writestr("d.jpg", picture("4:2:0")[:-100])
    return noise(77) + sink.getvalue() + picture("grey") + noise(9)


def test_pictures_in_files_are_opened():
    data = document()
    expanded = expand(data)
    assert expanded and len(expanded.pictures) >= 3
    coded = pictures.encode_pictures(expanded.pictures, lambda done: None)
    decoder = pictures.decoder_of(coded, lambda: None)
    assert restore(expanded.data, expanded.payload, len(data), decoder) == data
    sizes = {}
    for inside in ("none", "streams", "jpeg"):
        packed = nacrith.compress(data, level=1, inside=inside)
        assert nacrith.decompress(packed) == data
        sizes[inside] = len(packed)
    assert sizes["jpeg"] < sizes["streams"] <= sizes["none"]
    assert len(nacrith.compress(data, level=1)) == sizes["jpeg"]


def test_older_programs_refuse_pictures():
    (member,) = MemberReader(io.BytesIO(nacrith.compress(picture("4:2:0"), level=1)))
    (frame,) = member.frames()
    assert frame.opened and frame.opened.pictures
    body = frame.to_bytes()
    assert Frame.from_bytes(body) == frame
    # Such a number is none of a kind; where it is not looked for it is refused.
    n = len(to_varint(len(frame.segments) + 1))
    assert body[n] & 7 == 6
    with pytest.raises(UnsupportedError, match="needs a newer version"):
        Frame.from_bytes(to_varint(len(frame.segments) + 2) + bytes([1 << 3 | 3]) + body[n:])


def test_damaged_coefficients_are_found():
    data = picture("4:2:0")
    frame = encode_frame(data, None)
    assert frame.opened and frame.opened.pictures
    assert b"".join(decode_frame(frame, None)) == data
    coded = frame.opened.pictures
    for place in range(0, len(coded), max(1, len(coded) // 12)):
        spoiled = bytearray(coded)
        spoiled[place] ^= 1 << place % 8
        opened = frame.opened._replace(pictures=bytes(spoiled))
        with pytest.raises(NacrithError):
            b"".join(decode_frame(replace(frame, opened=opened), None))
    payload = frame.opened.payload
    for place in range(len(payload)):
        spoiled = bytearray(payload)
        spoiled[place] ^= 1 << place % 8
        opened = frame.opened._replace(payload=bytes(spoiled))
        with pytest.raises(NacrithError):
            b"".join(decode_frame(replace(frame, opened=opened), None))
    with pytest.raises(FormatError, match="without coefficients"):
        opened = frame.opened._replace(pictures=None)
        b"".join(decode_frame(replace(frame, opened=opened), None))


def test_too_many_coefficients_are_refused(monkeypatch):
    data = picture("4:2:0")
    frame = encode_frame(data, None)
    monkeypatch.setattr(pictures, "MAX_COEFFICIENTS", 5000)
    with pytest.raises(FormatError, match="too large"):
        b"".join(decode_frame(frame, None))
    monkeypatch.setattr(expanding, "MAX_COEFFICIENTS", 5000)
    assert encode_frame(data, None).opened is None


def test_damaged_closings_are_refused():
    opened = open_picture(picture("4:2:0"))
    assert opened
    for closing, most in (
        (Closing(2, 0, 1), 1 << 20), (Closing(1, 1 << 30, 1), 1 << 20), (Closing(1, 0, 1), 100)
    ):  # fmt: skip
        with pytest.raises(FormatError):
            close_picture(opened.content, closing, opened.coefficients, most)
    with pytest.raises(FormatError, match="header"):
        pictures.decoder_of(b"", lambda: None)(b"\xff\xd8\xff\xd9")


def made(content: bytes, scans: int, coefficients: Coefficients) -> bytes:
    return close_picture(content, Closing(scans, 0, 1), coefficients, 1 << 20)


def test_no_coefficient_becomes_larger_than_the_model_knows():
    content, header = grey_picture(64, [scan_header(1, 63, 11, 10), scan_header(1, 63, 10, 9)])
    coefficients = header.new_coefficients()
    coefficients[:-1:2, 9] = -1536
    data = made(content, 2, coefficients)
    opened = open_picture(data)
    assert opened and np.array_equal(opened.coefficients, coefficients)
    for scan in (scan_header(0, 0, 14, 13), scan_header(1, 63, 14, 13), scan_header(1, 63, 12, 11)):
        content, _ = grey_picture(64, [scan])
        assert open_picture(content[:-2] + bytes(90) + content[-2:]) is None
    # The same bit twice: from 1024 over 1536 to 2048.
    content, header = grey_picture(
        64, [scan_header(1, 63, 11, 10), *[scan_header(1, 63, 10, 9)] * 2]
    )
    coefficients = header.new_coefficients()
    coefficients[:-1, 9] = 1536
    opened = open_picture(made(content, 3, coefficients))
    assert opened is None or abs(opened.coefficients.astype(int)).max() <= MOST


def test_scans_go_through_a_picture_only_so_many_times():
    content, header = grey_picture(64, [scan_header(1, 63, 1, 0)] * 129)
    coefficients = header.new_coefficients()
    coefficients[:-1, 9] = 2
    calls: list[int] = []
    data = close_picture(
        content, Closing(128, 0, 1), coefficients, 1 << 20, lambda: calls.append(0)
    )
    assert len(calls) == 128
    with pytest.raises(FormatError, match="too long"):
        made(content, 129, coefficients)
    first, header = grey_picture(64, [scan_header(1, 63, 0, 1)])
    both = made(first, 1, coefficients)[:-2] + data[first.index(b"\xff\xda") :]
    opened = open_picture(both, lambda: calls.append(0))
    # The last one is only looked at.
    assert opened and opened.closing.scans == 128 and len(calls) == 3 * 128 + 1


def test_scans_go_through_few_blocks_for_their_bytes():
    """Runs of empty blocks take next to no bytes."""
    content, header = grey_picture(
        512, [scan_header(1, 63, 0, 1), *[scan_header(1, 63, 1, 0)] * 99]
    )
    data = close_picture(content, Closing(100, 0, 1), header.new_coefficients(), 1 << 20)
    # Behind the scans stands what is none.
    allowed = 64 * len(data) // header.mcus[0] ** 2
    calls: list[int] = []
    for more, looked_at in ((0, allowed + 1), (9000, 100)):
        longer = data[:-2] + bytes(more) + data[-2:]
        calls.clear()
        assert open_picture(longer, lambda: calls.append(0)) is None
        assert len(calls) == looked_at
    assert allowed < 60


def test_a_scan_that_is_damaged_leaves_nothing_behind():
    """Progressive: those before it are as if it was not there."""
    data = picture("progressive 4:4:4")
    places = [place for place in range(len(data)) if data[place : place + 2] == b"\xff\xda"]
    for n, begin in enumerate(places):
        # Behind the header of the scan, and some of its bytes.
        damaged = data[: begin + 2 + data[begin + 3] + 4] + b"\xff\xd9"
        opened = open_picture(damaged)
        if not n:
            assert opened is None
            continue
        assert opened and opened.closing.scans == n and closed(damaged) == damaged
        before = open_picture(data[:begin] + b"\xff\xd9")
        assert before and np.array_equal(opened.coefficients, before.coefficients)


def test_pictures_in_each_other_are_tried_only_so_often(monkeypatch):
    """Each begins in the header of the one before, and ends with it."""
    tail = picture("4:2:0")[2:]
    front = b""
    for _ in range(200):
        front = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(front) + 2) + front
    data = front + tail
    claimed = coefficients_of(picture("4:2:0"))
    tried: list[bytes] = []

    def refused(raw: bytes, check: object) -> None:
        tried.append(raw)

    monkeypatch.setattr(expanding, "open_picture", refused)
    assert expand(data) is None
    assert 0 < len(tried) == COEFFICIENTS_OF_BYTE * len(data) // claimed < 200


def hollow_picture() -> bytes:
    """Large, by its header, and cut off behind an MCU."""
    content, _ = grey_picture(8 * 724, [scan_header(0, 63, 0, 0)], b"\xff\xc0")
    return content[:-2] + bytes(3) + content[-2:]


def test_small_pictures_that_claim_to_be_large_stay_closed(monkeypatch):
    assert open_picture(hollow_picture()) is None
    # A whole one, however empty, pays.
    content, header = grey_picture(512, [scan_header(0, 63, 0, 0)], b"\xff\xc0")
    assert open_picture(made(content, 1, header.new_coefficients()))
    # Many do not keep what follows from being opened.
    monkeypatch.setattr(expanding, "MAX_COEFFICIENTS", 3 << 16)
    expanded = expand(hollow_picture() * 3 + zlib.compress(prose(3000)))
    assert expanded and expanded.streams == 1 and not expanded.pictures
    # Those that are not opened count.
    monkeypatch.setattr(expanding, "MAX_COEFFICIENTS", 3 * 20_000)
    one = picture("4:2:0")
    assert expand(one)
    opened: list[bytes] = []

    def refused(raw: bytes, check: object) -> None:
        opened.append(raw)

    monkeypatch.setattr(expanding, "open_picture", refused)
    assert expand(one * 5) is None and len(opened) == 1


def test_pictures_that_stay_closed_are_looked_into():
    """The small picture in the header of one that no program here knows."""
    small, large = picture("grey"), picture("4:2:0")
    segment = b"\xff\xe1" + struct.pack(">H", len(small) + 2) + small
    arithmetic = large.replace(b"\xff\xc0", b"\xff\xc9")
    for outer in (large, arithmetic):
        data = outer[:2] + segment + outer[2:]
        expanded = expand(data)
        assert expanded and len(expanded.pictures) == 1 + (outer == large)
        known = pictures.known_of(expanded.pictures)
        assert restore(expanded.data, expanded.payload, len(data), known) == data


def test_coefficients_that_no_picture_has_come_back():
    """They are as far from what borders let expect as can be."""
    header = read_frame_header(bytes([8, 0, 64, 0, 64, 1, 1, 0x11, 0]), False)
    assert header
    given = new_coefficients(header.components)
    for i, block in enumerate(given[:-1]):
        block[:] = (MOST, -MOST)[i % 2]
    quantization = np.full((4, 64), 65535, dtype=np.int64)
    quantization[:, 0] = 1
    coder = Encoder()
    JpegModel().code(coder, given.copy(), header.components, quantization)
    found = new_coefficients(header.components)
    JpegModel().code(Decoder(coder.finish()), found, header.components, quantization)
    assert np.array_equal(found, given)


def test_expectations_of_dc_have_limits():
    assert dc._kept(1 << 40) == 1 << 20 and dc._kept(-(1 << 40)) == -(1 << 20) and dc._kept(7) == 7


def test_what_least_squares_expect_has_limits_on_both_sides():
    predictor = block_state.Predictor(least_squares.new_sums(1, 1, 0.999), np.zeros(1, np.int64))
    predictor.sums.weights[0, 0] = 1.0
    for x, expected in (
        (3.0, 24), (-3.0, -24), (-2047.9, -16383), (-2048.5, -16384), (-9999.0, -16384),
        (9999.0, 16384), (np.nan, 0), (np.inf, 16384), (-np.inf, -16384),
    ):  # fmt: skip
        predictor.sums.inputs[0] = x
        assert block_state.predict(predictor, 0) == expected


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300), st.integers(2, 2000), st.sampled_from(FEW))
def test_any_bytes_in_a_picture(inserted, place, kind):
    data = picture(kind)
    place = min(place, len(data))
    for other in (data[:place] + inserted + data[place:], data[:place] + inserted):
        assert closed(other) in (None, other)


def with_lepton(around: bytes, gap: int, packed: bytes) -> tuple[bytes, bytes]:
    """The expanded bytes and the payload that version 0.5.0 made."""
    coder = Encoder()
    numbers = Numbers(coder)
    numbers.number("layers", 1)
    code_openings(numbers, [Opening(gap, len(packed), form=Form.LEPTON)])
    numbers.number("lepton", 0x000508)
    return around + packed, coder.finish()


def test_pictures_by_lepton_are_read():
    library = pytest.importorskip("lepton_jpeg_python")
    one = picture("4:2:0")
    front, behind = noise(20), noise(30)
    packed = bytes(library.compress_bytes(one, {}))
    data, payload = with_lepton(front + behind, len(front), packed)
    assert restore(data, payload, len(front + one + behind)) == front + one + behind
    spoiled = bytearray(data)
    spoiled[-len(packed) // 2] ^= 1
    with pytest.raises(FormatError):
        assert restore(bytes(spoiled), payload, len(front + one + behind)) == data
        raise AssertionError


def test_pictures_by_lepton_need_the_extra(monkeypatch):
    monkeypatch.setattr(lepton, "_library", lambda: None)
    with pytest.raises(UnsupportedError, match=r"lepton-jpeg-python==0\.5\.8"):
        restore(*with_lepton(b"", 0, b"packed"), 100)
