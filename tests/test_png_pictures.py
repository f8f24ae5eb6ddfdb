"""PNG pictures are opened to their pixels, and come back with their filters."""

import io
import random
import zipfile
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder import Decoder, Encoder
from nacrith.codec import frame_encoder
from nacrith.codec.binary_codec import read_head
from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.frame_encoder import encode_frame
from nacrith.codec.text_mixing import TextMixing
from nacrith.errors import FormatError
from nacrith.format.frame import Frame, Kind
from nacrith.format.varint import Reader
from nacrith.transforms.deflate.adaptive_numbers import Numbers
from nacrith.transforms.opening import finding, png_pictures
from nacrith.transforms.opening.expanding import count_streams, expand, restore
from nacrith.transforms.opening.forms import Form
from nacrith.transforms.opening.layer import Opening, code_openings
from nacrith.transforms.opening.limits import ALL_STREAMS, Rows
from nacrith.transforms.opening.png_filters import FILTERS, FilterCoding, refilter, unfilter
from nacrith.transforms.opening.png_pictures import LEAST_PIXELS
from predictors.binary.parts import Model, coded_size
from tests.deflate_samples import gz, prose, unpredictable
from tests.png_samples import LEAST, filtered, photo, png_of, wide

FILTERED = ALL_STREAMS._replace(pixels=False)


def rows_of(pixels: np.ndarray) -> Rows:
    _, width, colors = pixels.shape
    return Rows(1 + width * colors, colors, 8 * colors)


def parts_of(frame: Frame) -> list[tuple[Model, tuple[int, ...]]]:
    coded = read_head(Reader(frame.payloads[Kind.MIXED], ""), frame.size_of(Kind.MIXED))
    return [(one.part.model, one.part.numbers) for one in coded]


@pytest.mark.parametrize("colors", [1, 3, 4])
@pytest.mark.parametrize("filters", [[0], [1], [2], [3], [4], [0, 1, 2, 3, 4], [LEAST]])
def test_filters_are_those_of_the_specification(colors, filters):
    pixels = photo(13, 21, colors)
    stored, used = filtered(pixels, filters)
    found = unfilter(stored, rows_of(pixels))
    assert found and found[0].tobytes() == pixels.tobytes() and found[1].tolist() == used
    assert refilter(*found, rows_of(pixels)) == stored


@given(st.binary(min_size=1, max_size=300), st.integers(2, 40), st.integers(1, 8))
def test_any_rows_come_back(data, row, pixel):
    rows = Rows(row, pixel)
    found = unfilter(data, rows)
    whole = len(data) % row == 0 and max(data[::row]) < FILTERS
    assert (found is not None) == whole
    if found:
        assert refilter(*found, rows) == data


def code(coder, pixels, rows, filters=None):
    return FilterCoding(coder).code(np.frombuffer(pixels, np.uint8), rows, filters)


@pytest.mark.parametrize(
    ("filters", "most"), [([0], 10), ([4], 10), ([LEAST], 24), ([1, 2], 24), ([3, 3, 1, 4], 150)]
)
def test_filters_that_follow_a_rule_cost_next_to_nothing(filters, most):
    pixels = photo(1500, 10, 3)
    used = np.array(filtered(pixels, filters)[1], dtype=np.uint8)
    coder = Encoder()
    assert (code(coder, pixels.tobytes(), rows_of(pixels), used) == used).all()
    packed = coder.finish()
    assert len(packed) <= most
    assert (code(Decoder(packed), pixels.tobytes(), rows_of(pixels)) == used).all()


def test_filters_that_are_none_are_damage():
    pixels = photo(40, 10, 3).tobytes()
    errors = 0
    for seed in range(20):
        try:
            found = code(Decoder(random.Random(seed).randbytes(50)), pixels, Rows(31, 3))
        except FormatError:
            errors += 1
        else:
            assert found.max() < FILTERS
    assert errors > 5


@pytest.mark.parametrize("colors", [1, 3, 4])
def test_a_picture_is_its_pixels(colors):
    pixels = photo(60, 50, colors)
    data = b"in front" + png_of(pixels, [LEAST])
    expanded = expand(data)
    assert expanded
    assert pixels.tobytes() in expanded.data and expanded.is_new
    (shown,) = expanded.shown
    assert expanded.data[shown.begin : shown.end] == pixels.tobytes()
    assert restore(expanded.data, expanded.payload, len(data)) == data
    frame = Frame.from_bytes(encode_frame(data, TextMixing(1)).to_bytes())
    assert b"".join(decode_frame(frame, None)) == data
    before = encode_frame(data, TextMixing(1), inside=FILTERED)
    assert before.opened and before.opened.pictures is None
    if colors == 1:
        # It is small: the filters say as much as there is to be learned.
        assert len(frame.to_bytes()) <= len(before.to_bytes())
        return
    assert frame.opened and frame.opened.pictures == b""
    assert (Model.PIXELS, (50 * colors, colors)) in parts_of(frame)
    assert len(frame.to_bytes()) < 0.95 * len(before.to_bytes())


def test_programs_that_do_not_know_pixels_refuse_them():
    """A number in place of a kind that they do not know either."""
    packed = encode_frame(png_of(photo(60, 50, 3), [4]), None).to_bytes()
    first = Reader(packed[1:], "").varint()
    assert first & 7 == 6


def icon(side: int) -> np.ndarray:
    """Grey with alpha: a disc, around which nothing is to be seen, [side, side, 2]."""
    y, x = np.mgrid[0:side, 0:side] - side // 2
    alpha = 255 * (np.hypot(y, x) < side // 2 - 2)
    return np.dstack([photo(side, side, 1)[:, :, 0] * (alpha > 0), alpha]).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "depth"),
    [
        (wide(40, 31, 1), 16),
        (wide(40, 30, 1), 16),
        (wide(20, 31, 3), 16),
        (wide(20, 30, 4), 16),
        (icon(40), 8),
    ],
    ids=["grey, odd", "grey", "RGB, odd", "RGBA", "8 bits with alpha"],
)
def test_pixels_of_two_six_and_eight_bytes_come_back(pixels, depth, monkeypatch):
    monkeypatch.setattr(png_pictures, "_is_smaller", lambda *_: True)
    data = png_of(pixels, [LEAST], depth=depth)
    expanded = expand(data)
    assert expanded and len(expanded.shown) == 1 and pixels.tobytes() in expanded.data
    assert restore(expanded.data, expanded.payload, len(data)) == data
    monkeypatch.setattr(frame_encoder, "_SMALL_PICTURES", 0)
    frame = encode_frame(data, None)
    assert b"".join(decode_frame(frame, None)) == data


def test_pixels_of_other_sizes_are_opened_if_a_sample_is_smaller():
    data = png_of(icon(90), [LEAST])
    frame = encode_frame(data, None)
    assert frame.opened and frame.opened.pictures == b""
    assert b"".join(decode_frame(frame, None)) == data
    before = encode_frame(data, None, inside=FILTERED)
    assert len(frame.to_bytes()) < 0.97 * len(before.to_bytes())
    expanded = expand(png_of(wide(60, 51, 1), [LEAST], depth=16))
    assert expanded and not expanded.shown


def test_the_sample_of_a_wide_picture_has_rows_above_each_other(monkeypatch):
    sizes: list[int] = []

    def measured(data, part):
        sizes.append(len(data))
        return coded_size(data, part)

    monkeypatch.setattr(png_pictures, "coded_size", measured)
    # One row has more bytes than the sample.
    expand(png_of(wide(20, 3_000, 3), [LEAST], depth=16))
    assert sizes == [20 * 510, 20 * 511]


def test_chunks_that_hold_no_stream_are_not_followed_again_and_again(monkeypatch):
    followed = 0

    def counted(*given):
        nonlocal followed
        followed += 1
        return False

    monkeypatch.setattr(finding, "_is_zlib_header", counted)
    data = b"\x89PNG\r\n\x1a\n" + (bytes(4) + b"IDAT" + bytes(4)) * 30_000
    assert list(finding.find_streams(data, 0, 1 << 26)) == []
    # What all of them may cost is some eight times the block.
    assert followed < 10


def interlaced() -> bytes:
    """By its header."""
    data = bytearray(png_of(photo(60, 60, 3), [4]))
    data[data.index(b"IHDR") + 16] = 1
    return bytes(data)


@pytest.mark.parametrize("data", [interlaced(), png_of(photo(8, 60, 3), [4])])
def test_other_and_small_pictures_stay_as_they_are_stored(data):
    assert LEAST_PIXELS > 8 * 60 * 3
    expanded = expand(data)
    assert expanded and not expanded.shown and not expanded.is_new
    assert restore(expanded.data, expanded.payload, len(data)) == data


def test_what_is_smaller_with_its_filters_keeps_them():
    """Rows that mean nothing as pixels."""
    pixels = np.zeros((70, 120, 3), np.uint8)
    pixels[:, ::2] = 7
    stored = b"".join(b"\4" + line.tobytes() for line in pixels)
    found = unfilter(stored, rows_of(pixels))
    assert found
    shown = found[0].reshape(pixels.shape)
    data = png_of(shown, [4])
    frame = encode_frame(data, None)
    smallest = encode_frame(data, None, inside=FILTERED)
    assert len(frame.to_bytes()) <= len(smallest.to_bytes())
    assert b"".join(decode_frame(frame, None)) == data


def test_pictures_in_an_archive_are_one_part_if_they_are_alike():
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", prose(3000))
        for i in range(4):
            archive.writestr(f"{i}.png", png_of(photo(32, 32, 4, i), [LEAST]))
        archive.writestr("b.txt", prose(2000, 5))
        archive.writestr("c.png", png_of(photo(40, 60, 3), [1]))
    data = sink.getvalue()
    expanded = expand(data)
    assert expanded and len(expanded.shown) == 5
    for shown, i in zip(expanded.shown, count()):
        pixels = photo(32, 32, 4, i) if i < 4 else photo(40, 60, 3)
        assert expanded.data[shown.begin : shown.end] == pixels.tobytes()
    frame = encode_frame(data, TextMixing(1))
    sizes = [numbers for model, numbers in parts_of(frame) if model == Model.PIXELS]
    assert sizes == [(128, 4), (180, 3)]
    assert b"".join(decode_frame(frame, None)) == data


def test_what_is_shown_moves_with_what_is_opened_later():
    """A picture in the first layer, streams in streams around it."""
    pixels = photo(40, 40, 3)
    data = gz(gz(prose(3000)) + prose(500)) + png_of(pixels, [2]) + gz(gz(prose(2500, 3)))
    expanded = expand(data)
    assert expanded
    (shown,) = expanded.shown
    assert expanded.data[shown.begin : shown.end] == pixels.tobytes()
    assert restore(expanded.data, expanded.payload, len(data)) == data


def test_grey_pixels_that_could_be_letters_are_no_text():
    pixels = (photo(60, 60, 1) % 60 + 40).astype(np.uint8)
    frame = encode_frame(png_of(pixels, [0]), TextMixing(1))
    assert Kind.MIXED_TEXT not in frame.payloads


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255), st.booleans())
def test_a_damaged_picture_is_told_or_gives_other_bytes(place, byte, in_payload):
    data = png_of(photo(30, 30, 3), [LEAST])
    expanded = expand(data)
    assert expanded and expanded.shown
    spoiled = [bytearray(expanded.data), bytearray(expanded.payload)]
    part = spoiled[in_payload]
    part[place % len(part)] ^= byte
    try:
        restored = restore(bytes(spoiled[0]), bytes(spoiled[1]), len(data))
    except FormatError:
        return
    assert len(restored) == len(data)


@pytest.mark.parametrize(
    ("size", "row"), [(0, 10), (100, 1), (100, 12), (1 << 26, 2), ((1 << 26) - 3, 4)]
)
def test_what_can_be_no_picture_is_damage(size, row):
    coder = Encoder()
    code_openings(Numbers(coder), [Opening(0, size, (), Form.PNG, Rows(row, 1))])
    with pytest.raises(FormatError, match="picture"):
        code_openings(Numbers(Decoder(coder.finish())))


def test_damaged_pictures_are_data():
    data = png_of(photo(30, 30, 3), [LEAST])
    for place in range(0, len(data), 97):
        spoiled = bytearray(data)
        spoiled[place] ^= 4
        expanded = expand(bytes(spoiled))
        if expanded:
            assert restore(expanded.data, expanded.payload, len(data)) == spoiled
    # The filter of the second row is none, the checksum is right.
    stored = bytearray(filtered(photo(30, 30, 3), [1])[0])
    stored[91] = 9
    assert unfilter(bytes(stored), Rows(91, 3, 24)) is None


def test_streams_are_counted():
    data = gz(gz(prose(3000))) + unpredictable() + prose(100)
    assert count_streams(data) == (2, 2, 1)
    assert count_streams(b"nothing") == (0, 0, 0)
