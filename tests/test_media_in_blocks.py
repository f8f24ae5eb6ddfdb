"""Pictures and sound that are larger than a block, and TIFF files."""

import io
import pickle
import struct
import time

import numpy as np
import pytest

from nacrith.codec.binary_codec import read_head
from nacrith.codec.block import Block, rest_of
from nacrith.codec.budget import Budget
from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.frame_encoder import encode_frame
from nacrith.codec.media import find_media, rest_behind
from nacrith.codec.tiff import find_strips
from nacrith.format.container import MemberReader
from nacrith.format.frame import Kind
from nacrith.format.varint import Reader
from nacrith.pipeline.blocks import read_blocks
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import LEVELS
from nacrith.transforms.opening.limits import ALL_STREAMS
from predictors.binary.parts import Model
from tests.media_samples import bmp, music, wav
from tests.png_samples import photo

MIXING = CompressOptions(preset=LEVELS[1], parameters=LEVELS[1].parameters)


def portable(rows: int, columns: int, colors: int) -> bytes:
    magic = {1: b"P5", 3: b"P6"}[colors]
    return b"%s %d %d 255\n" % (magic, columns, rows) + photo(rows, columns, colors).tobytes()


FILES = {
    "picture": (portable(90, 70, 3), Model.PIXELS, (210, 3)),
    "grey picture": (portable(120, 110, 1), Model.PIXELS, (110, 1)),
    "bitmap": (bmp(photo(80, 61, 3)), Model.PIXELS, (184, 3)),
    "sound": (wav(music(4000)), Model.SOUND, (1, 2)),
}
SIZES = [3000, 3001, 4097]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", SIZES)
def test_blocks_know_what_goes_on_in_them(name, size):
    data, model, numbers = FILES[name]
    data += b"\1\2\3 something else"
    blocks = [*read_blocks(io.BytesIO(data), size, ALL_STREAMS)]
    assert b"".join(blocks) == data and rest_of(blocks[0]) is None
    (whole,) = find_media(data)
    place = size
    for block in blocks[1:]:
        rest = rest_of(block)
        if rest is None:
            # Next to nothing of it is left.
            assert whole.end - place < 1200
            continue
        assert (rest.model, rest.numbers) == (model, numbers)
        # At a whole pixel, or a sample of all channels.
        assert (place + rest.begin - whole.begin) % rest.unit == 0 and rest.begin < rest.unit
        assert place + rest.end == min(whole.end, place + len(block) - (rest.end - len(block)) % 2
                                       if model == Model.SOUND else place + len(block))  # fmt: skip
        place += len(block)


def test_a_block_is_bytes_that_are_sent_whole():
    data, *_ = FILES["picture"]
    _, block, *_ = read_blocks(io.BytesIO(data), 4000, ALL_STREAMS)
    assert isinstance(block, Block)
    again = pickle.loads(pickle.dumps(block))
    assert again == block and again.rest == block.rest and again == bytes(block)


@pytest.mark.parametrize("name", FILES)
def test_frames_without_a_header_are_as_small(name):
    data, model, numbers = FILES[name]
    _, block, *_ = read_blocks(io.BytesIO(data), 8001, ALL_STREAMS)
    frame = encode_frame(block, None)
    coded = read_head(Reader(frame.payloads[Kind.MIXED], ""), frame.size_of(Kind.MIXED))
    assert any((one.part.model, one.part.numbers) == (model, numbers) for one in coded)
    assert b"".join(decode_frame(frame, None)) == block
    plain = encode_frame(bytes(block), None)
    assert len(frame.to_bytes()) < 0.97 * len(plain.to_bytes())


def test_a_file_of_several_frames_comes_back_and_can_be_gone_on_with():
    data = FILES["picture"][0] + FILES["sound"][0] + b"behind"
    options = CompressOptions(preset=LEVELS[1], parameters=LEVELS[1].parameters, block_size=9000)
    sink, restored = io.BytesIO(), io.BytesIO()
    compress_stream(io.BytesIO(data), sink, options, len(data))
    packed = sink.getvalue()
    decompress_stream(io.BytesIO(packed), restored)
    assert restored.getvalue() == data
    assert sum(1 for member in MemberReader(io.BytesIO(packed)) for _ in member.frames()) > 3
    part = io.BytesIO(packed[: len(packed) * 2 // 3])
    compress_stream(io.BytesIO(data), part, options, len(data), resume=True)
    assert part.getvalue() == packed


def test_nothing_goes_on_behind_what_is_whole():
    data, *_ = FILES["picture"]
    (media,) = find_media(data)
    assert media.missing == 0 and rest_behind(media, len(data), 5000) is None
    (cut,) = find_media(data[:5000])
    assert cut.missing == len(data) - 5000
    rest = rest_behind(cut, 5000, 3000)
    assert rest and rest.missing == len(data) - 8000
    assert rest_behind(cut, 5000, 100) is None


def tiff(
    pages: list[list[bytes]], width: int, bits: int, samples: int = 1, planes: int = 1, gap: int = 0
) -> bytes:
    """A file of pages of strips."""
    out = bytearray(b"II*\0\0\0\0\0")
    link = 4
    for strips in pages:
        places = []
        for strip in strips:
            places.append(len(out))
            out += strip + bytes(gap)
        arrays = len(out)
        out += struct.pack(f"<{len(strips)}I", *places)
        out += struct.pack(f"<{len(strips)}I", *map(len, strips))
        many = len(strips) > 1
        entries = [
            (256, 1, width),
            (257, 1, 100),
            (258, 1, bits),
            (259, 1, 1),
            (273, len(strips), arrays if many else places[0]),
            (277, 1, samples),
            (279, len(strips), arrays + 4 * len(strips) if many else len(strips[0])),
            (284, 1, planes),
        ]
        struct.pack_into("<I", out, link, len(out))
        out += struct.pack("<H", len(entries))
        out += b"".join(struct.pack("<HHII", tag, 4, n, value) for tag, n, value in entries)
        link = len(out)
        out += bytes(4)
    return bytes(out)


def strips_of(n: int, size: int, seed: int = 0) -> list[bytes]:
    return [photo(size // 100, 100, 1, seed + i).tobytes() for i in range(n)]


def test_strips_that_follow_each_other_are_one_picture():
    strips = strips_of(4, 1100)
    (media,) = find_media(tiff([strips], 100, 8))
    assert (media.header, media.begin, media.end) == (0, 8, 4408)
    assert (media.model, media.numbers) == (Model.PIXELS, (100, 1))
    apart = find_media(tiff([strips], 100, 8, gap=1))
    assert [m.end - m.begin for m in apart] == [1100] * 4
    assert [m.begin for m in apart] == [8 + 1101 * i for i in range(4)]


def test_all_pages_and_planes_are_found():
    pages = [strips_of(2, 1200, 7 * i) for i in range(3)]
    data = tiff(pages, 100, 8)
    media = find_media(data)
    assert [data[m.begin : m.end] for m in media] == [b"".join(page) for page in pages]
    planes = tiff([strips_of(3, 1500)], 100, 8, samples=3, planes=2)
    (media_of_planes,) = find_media(planes)
    assert media_of_planes.numbers == (100, 1) and media_of_planes.end == 4508
    (pixels,) = find_media(tiff([strips_of(1, 3000)], 100, 8, samples=3))
    assert pixels.numbers == (300, 3)


def test_a_damaged_tiff_is_no_problem():
    data = tiff([strips_of(2, 1200), strips_of(2, 1200, 5)], 100, 8)
    random = np.random.default_rng(1)
    for place in (*range(8), *random.integers(0, len(data), 60).tolist(), *range(2408, 2540)):
        spoiled = bytearray(data)
        spoiled[place] ^= 0xFF
        end = 0
        for media in find_media(bytes(spoiled)):
            assert end <= media.header <= media.begin < media.end <= len(data)
            end = media.end
    # A directory that names itself as the next one.
    for end in range(0, len(data), 101):
        find_media(data[:end])


def test_pages_may_follow_each_other_without_a_gap():
    pixels = [b"".join(strips_of(1, 1200, 7 * i)) for i in range(4)]
    out = bytearray(b"II*\0" + struct.pack("<I", 8 + sum(map(len, pixels))))
    out += b"".join(pixels)
    for i, page in enumerate(pixels):
        entries = [(256, 100), (257, 12), (258, 8), (273, 8 + i * len(page)), (279, len(page))]
        out += struct.pack("<H", len(entries))
        out += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
        out += struct.pack("<I", len(out) + 4 if i < 3 else 0)
    media = find_media(bytes(out))
    assert [out[m.begin : m.end] for m in media] == pixels
    assert [m.header for m in media] == [0, *(m.end for m in media[:3])]
    # None lies in the header.
    struct.pack_into("<I", out, 8 + sum(map(len, pixels)) + 2 + 3 * 12 + 8, 4)
    assert [m.begin for m in find_media(bytes(out))] == [m.begin for m in media[1:]]


def shared_directory(n: int, values: int) -> bytes:
    """n headers of TIFF that lead to one directory, whose tags have one table of many numbers."""
    size = 8 * n
    table = size + 2 + 12 * 64 + 4
    # Counted from each header, the directory is somewhere else.
    out = b"".join(struct.pack("<4sI", b"II*\0", size - 8 * i) for i in range(n))
    entries = [
        (256, 4, 1, 100),
        *((tag, 3, values, table) for tag in (273, 279) for _ in range(31)),
    ]
    out += struct.pack("<H", 63) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return out + bytes(2 * values + size)


def test_headers_that_share_a_table_do_not_read_it_again_and_again():
    data = shared_directory(2000, 1 << 16)
    began = time.process_time()
    find_media(data)
    # All of it would be eight thousand million numbers.
    assert time.process_time() - began < 2


def test_what_is_no_strip_of_many_numbers_is_not_read():
    many = struct.pack("<HHII", 258, 3, 1 << 16, 200)
    other = struct.pack("<HHII", 700, 3, 1 << 16, 200)
    data = struct.pack("<4sIH", b"II*\0", 8, 2) + many + other + bytes(1 << 18)
    budget = Budget(0)
    find_strips(data, 0, budget)
    # A page, two tags, 16 numbers.
    assert budget.take((1 << 16) - 19) and not budget.take(1)
    assert not find_strips(tiff([strips_of(2, 1200)], 100, 8), 0, budget)


@pytest.mark.parametrize(
    "text",
    [
        b"P5" + b" " * 100_000 + b"x",
        b"P5 " + b"# comment\n" * 20_000 + b"x",
        b"P5\n#" * 100_000,
        b"P5 #" * 100_000,
        b"P5 1 1" + b"\n \n" * 30_000 + b"x",
        b"P5 #\n" + b" \t" * 30_000 + b"x",
        b"RIFF\4\0\0\0WAVE" * 20_000,
        b"FORM\0\0\0\4AIFF" * 20_000,
        b"II*\0" * 100_000,
        b"MM\0*" * 100_000,
    ],
)
def test_what_only_begins_like_media_takes_no_time(text):
    began = time.process_time()
    assert not find_media(text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "head",
    [
        b"P5\n# by hand\n# twice\n100 # wide\n40\n255\n",
        b"P5\n#1\n100#2\n#3\n 40 #4\n\n255\n",
        b"P5 \t\r\n100\n\n40\n#\n#\n255 ",
    ],
)
def test_comments_of_portable_pictures_are_read_over(head):
    (media,) = find_media(head + photo(40, 100, 1).tobytes())
    assert (media.begin, media.end - media.begin) == (media.end - 4000, 4000)
    assert media.numbers == (100, 1)


def test_chunks_before_the_samples_are_walked_over():
    sound = wav(music(2000))
    at = sound.index(b"fmt ")
    for n, found in ((200, 1), (300, 0)):
        many = sound[:at] + b"note\0\0\0\0" * n + sound[at:]
        assert len(find_media(many)) == found
