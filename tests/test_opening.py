"""Streams in files are found, opened, and closed again; in frames, with all that frames can."""

import io
import random
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nacrith
from nacrith.codec.binary_codec import read_head
from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.frame_encoder import encode_frame
from nacrith.codec.text_mixing import TextMixing
from nacrith.errors import ArgumentError, FormatError, NacrithError, UnsupportedError
from nacrith.format.description import describe_file, description_lines
from nacrith.format.frame import Frame, Kind
from nacrith.format.varint import Reader, to_varint
from nacrith.pipeline import blocks
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import LEVELS
from nacrith.transforms.opening import expanding, probing
from nacrith.transforms.opening.expanding import expand, restore
from nacrith.transforms.opening.finding import find_streams, may_hold_streams
from nacrith.transforms.opening.limits import (
    ALL_STREAMS,
    INSIDE,
    MAX_DEPTH,
    MAX_EXPANDED,
    NOTHING,
    Rows,
)
from tests.conftest import keep_in_model
from tests.deflate_samples import (
    CONTENTS,
    FILES,
    archive,
    deflated,
    gz,
    noise,
    png,
    prose,
    rows,
    unpredictable,
)
from tests.whole_files import compressed, frames_of, restored

STREAMS = {
    "gzip": 1,
    "gzip with a name": 1,
    "zip": 4,
    "zip from a pipe": 4,
    "png": 1,
    "png in one chunk": 1,
    "pdf": 3,
    "zlib": 2,
    "tarball": 7,
    "garbage between": 5,
}
FILTERED = ALL_STREAMS._replace(pixels=False)
MIXING = CompressOptions(preset=LEVELS[1], parameters=LEVELS[1].parameters)


def there_and_back(block: bytes) -> int:
    """The streams that were opened."""
    expanded = expand(block)
    if expanded is None:
        return 0
    assert restore(expanded.data, expanded.payload, len(block)) == block
    return expanded.streams


def compress(data: bytes, options: CompressOptions = MIXING) -> bytes:
    return compressed(data, options)


def decompress(packed: bytes, wanted: range | None = None) -> bytes:
    return restored(packed, wanted=wanted)


@pytest.mark.parametrize("name", FILES)
def test_the_streams_of_a_file_are_opened(name):
    expanded = expand(FILES[name])
    assert expanded and expanded.streams == expanded.perfect == STREAMS[name]
    assert there_and_back(FILES[name]) == STREAMS[name]
    # Little more than where each stream was, how much it holds, and what made it.
    assert len(expanded.payload) < 16 + 8 * STREAMS[name]


def test_what_is_in_a_stream_is_there_to_be_read():
    expanded = expand(FILES["tarball"])
    assert expanded
    for text in (prose(2000, 9), b"<html><p>" + prose(3000, 2), rows(3000)):
        assert text in expanded.data
    assert len(FILES["tarball"]) < 10_000 < len(expanded.data)


@pytest.mark.parametrize("name", ["gzip with a name", "png", "zlib"])
def test_a_damaged_file_is_plain_data_or_opened_where_it_is_whole(name):
    data = FILES[name]
    step = max(1, len(data) // 150)
    for place in range(0, len(data), step):
        spoiled = bytearray(data)
        spoiled[place] ^= 1 << place % 8
        assert there_and_back(bytes(spoiled)) <= STREAMS[name]
    for end in range(0, len(data) - 20, step):
        assert there_and_back(data[:end]) < STREAMS[name]


@settings(max_examples=60)
@given(st.lists(st.sampled_from([*FILES.values()][:8]) | st.binary(max_size=60), max_size=4))
def test_any_files_with_anything_between(parts):
    data = b"".join(parts)
    n = sum(1 for part in parts if part in FILES.values())
    assert there_and_back(data) >= n


def test_streams_in_streams_are_opened_to_a_depth():
    data = inner = prose(3000)
    for _ in range(6):
        data = noise(20) + gz(data)
    expanded = expand(data)
    assert expanded and expanded.streams == MAX_DEPTH
    assert inner not in expanded.data


def test_signatures_without_streams_cost_little(monkeypatch):
    data = b"PK\x03\x04\x1f\x8b\x08\0IDATx\x9cstream\nx\x9c" * 300
    assert expand(data) is None
    # Each member begins in the one before, and is not what it says to be.
    body = deflated(noise(3000, 1))
    spoiled = b"".join(gz(noise(3000, i))[:200] for i in range(30)) + body
    assert expand(spoiled * 3) is None
    probed = []
    probe = probing.Probe.feed

    def feed(self: probing.Probe, data: bytes) -> bytes:
        probed.append(len(data))
        return probe(self, data)

    monkeypatch.setattr(probing.Probe, "feed", feed)
    # 2,000 headers of gzip, each with all that follows as its (stored) content.
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    overlapping = b"".join(
        header + b"\0" + len(header + b"12345").to_bytes(2, "little") + b"\xea\xff"
        for _ in range(2000)
    )
    assert expand(overlapping + deflated(noise(20_000))) is None
    assert sum(probed) < 12 * len(overlapping) + (2 << 20)


def test_a_bomb_is_not_opened_but_compressed():
    bomb = gz(bytes(10_000_000))
    assert expand(bomb) is None
    beside = expand(gz(bytes(10_000_000)) + gz(prose(4000)))
    assert beside and beside.streams == 1
    packed = compress(bomb)
    assert len(packed) < len(bomb) and decompress(packed) == bomb


def test_a_stream_may_begin_with_much_of_the_same():
    """As a picture whose upper part is of one colour."""
    assert there_and_back(gz(bytes(200_000) + noise(5000))) == 1
    assert there_and_back(gz(bytes(800_000) + noise(3000))) == 0


def test_no_more_is_opened_than_a_frame_may_hold(monkeypatch):
    monkeypatch.setattr(expanding, "MAX_EXPANDED", 10_000)
    data = gz(prose(4000, 1)) + gz(prose(4000, 2)) + gz(prose(4000, 3)) + gz(prose(1500, 4))
    expanded = expand(data)
    assert expanded and expanded.streams == 2 and len(expanded.data) <= 10_000


def test_what_can_not_be_predicted_is_left_as_it_is():
    data = unpredictable()
    found = next(find_streams(data, 0, MAX_EXPANDED))
    assert found.content == prose(20_000)
    assert expand(data) is None


@pytest.mark.parametrize("name", FILES)
def test_a_frame_of_a_file_is_smaller_and_comes_back(name):
    frame = Frame.from_bytes(encode_frame(FILES[name], TextMixing(1)).to_bytes())
    closed = encode_frame(FILES[name], TextMixing(1), inside=NOTHING)
    assert frame.opened and not closed.opened
    assert frame.original_size == closed.original_size == len(FILES[name])
    assert len(frame.to_bytes()) < len(closed.to_bytes())
    assert b"".join(decode_frame(frame, None)) == FILES[name]
    assert b"".join(decode_frame(frame, None, range(100, 200))) == FILES[name][100:200]


def test_a_frame_without_streams_is_as_it_was():
    for content in (content[:3000] for content in CONTENTS.values()):
        frame = encode_frame(content, None)
        assert frame == encode_frame(content, None, inside=NOTHING) and not frame.opened


def test_streams_that_hold_nothing_stay_closed():
    """Twice the same noise: LZMA sees it in the closed streams as well."""
    data = gz(noise(40_000)) * 2
    assert expand(data)
    frame = encode_frame(data, None)
    assert len(frame.to_bytes()) < 42_000
    assert b"".join(decode_frame(frame, None)) == data


def test_text_in_streams_goes_to_the_model(tiny_gguf, monkeypatch):
    keep_in_model(monkeypatch)
    options = CompressOptions(tiny_gguf, "exact", threads=1)
    data = gz(noise(40) + prose(3000))
    packed = compress(data, options)
    (frame,) = frames_of(packed)
    assert frame.opened and Kind.TEXT in frame.payloads
    sink = io.BytesIO()
    decompress_stream(io.BytesIO(packed), sink, tiny_gguf)
    assert sink.getvalue() == data
    with nacrith.Codec(model=tiny_gguf, threads=1) as codec:
        assert [*codec.decompress_many([packed] * 2)] == [data] * 2


def test_several_frames_ranges_and_going_on():
    options = replace(MIXING, block_size=5000)
    data = noise(100) + b"".join(gz(prose(9000, i)) for i in range(6)) + archive()
    whole = compress(data, options)
    assert decompress(whole) == data
    assert sum(frame.opened is not None for frame in frames_of(whole)) >= 3
    for wanted in (range(0, 10), range(4990, 5010), range(7000, 12_345)):
        assert decompress(whole, wanted) == data[wanted.start : wanted.stop]
    for end in (len(whole) // 3, len(whole) // 2, len(whole) - 5):
        part = io.BytesIO(whole[:end])
        compress_stream(io.BytesIO(data), part, options, len(data), resume=True)
        assert part.getvalue() == whole


def test_workers_open_and_close_streams():
    from nacrith.workers.processes import process_workers

    options = replace(MIXING, block_size=6000)
    data = b"".join(gz(prose(9000, i)) for i in range(5))
    whole = compress(data, options)
    sink, restored = io.BytesIO(), io.BytesIO()
    workers = process_workers(2, 1)
    try:
        compress_stream(io.BytesIO(data), sink, options, len(data), workers=workers)
        decompress_stream(io.BytesIO(whole), restored, workers=workers)
    finally:
        workers.close()
    assert sink.getvalue() == whole and restored.getvalue() == data


def test_a_block_ends_behind_a_stream(monkeypatch):
    monkeypatch.setattr(blocks, "_LEAST_BLOCK", 1000)
    stream = gz(noise(1500) + prose(3000))
    data = prose(700) + stream + archive() + prose(3000)
    found = [*blocks.read_blocks(io.BytesIO(data), 1000, ALL_STREAMS)]
    assert b"".join(found) == data
    assert any(stream in block for block in found)
    assert len(found[0]) >= 700 + len(stream)
    sizes = [len(block) for block in blocks.read_blocks(io.BytesIO(data), 1000, NOTHING)]
    assert set(sizes[:-1]) == {1000}


@pytest.mark.parametrize("n", [3000, 30_000])
def test_a_stream_that_is_too_long_or_has_no_end_is_cut(monkeypatch, n):
    monkeypatch.setattr(blocks, "_LEAST_BLOCK", 1000)
    for data in (gz(noise(n)), gz(noise(n))[:-200], gz(noise(n))[:2000] + noise(n)):
        found = [*blocks.read_blocks(io.BytesIO(data), 1000, ALL_STREAMS)]
        assert b"".join(found) == data
        assert max(map(len, found)) <= 4000 + 24


@pytest.mark.parametrize("name", ["tarball", "pdf", "zlib"])
def test_a_damaged_payload_is_told_or_gives_other_bytes(name):
    block = FILES[name]
    expanded = expand(block)
    assert expanded
    chosen = random.Random(7)
    n_errors = 0
    for _ in range(200):
        spoiled = bytearray(expanded.payload)
        for _ in range(chosen.randrange(1, 3)):
            spoiled[chosen.randrange(len(spoiled))] ^= 1 << chosen.randrange(8)
        data = expanded.data[: chosen.choice([len(expanded.data), 50, 3000])]
        try:
            assert len(restore(data, bytes(spoiled), len(block))) == len(block)
        except FormatError as error:
            assert "damaged" in str(error)
            n_errors += 1
        except UnsupportedError:
            # It became a picture.
            n_errors += 1
    assert n_errors > 100


def test_a_damaged_frame_is_told():
    body = encode_frame(FILES["png"], None).to_bytes()
    harmless = 0
    for place in (*range(12), len(body) - 1, len(body) - 4):
        spoiled = bytearray(body)
        spoiled[place] ^= 4
        try:
            restored = b"".join(decode_frame(Frame.from_bytes(bytes(spoiled)), None))
        except (FormatError, UnsupportedError):
            continue
        # Data without calls is the same, whosever calls a part claims.
        assert restored == FILES["png"]
        harmless += 1
    assert harmless <= 1


def test_a_frame_must_say_what_can_be():
    size = len(FILES["png"])
    frame = encode_frame(FILES["png"], None)
    assert frame.opened
    for claimed in (0, (1 << 26) + 1):
        spoiled = replace(frame, opened=frame.opened._replace(size=claimed))
        with pytest.raises(FormatError):
            Frame.from_bytes(spoiled.to_bytes())
    for claimed in (1, size + 1):
        spoiled = replace(frame, opened=frame.opened._replace(size=claimed))
        with pytest.raises(FormatError):
            b"".join(decode_frame(spoiled, None))
    with pytest.raises(FormatError, match="size"):
        Frame.from_bytes(b"\x01" + to_varint(size << 3 | 7) + bytes(20))
    twice = b"\x03" + to_varint(size << 3 | 7) * 2 + frame.to_bytes()[3:]
    with pytest.raises(UnsupportedError):
        Frame.from_bytes(twice)


def test_a_file_says_that_streams_are_opened():
    described = describe_file(io.BytesIO(compress(FILES["zip"])))
    (member,) = described["members"]
    assert member["original_size"] == member["opened"] == len(FILES["zip"])
    assert sum(member["bytes"].values()) > len(FILES["zip"])
    lines = description_lines({"file": "a.nc", **described})
    assert any("opened" in line and str(len(FILES["zip"])) in line for line in lines)
    plain = describe_file(io.BytesIO(compress(prose(3000))))
    assert not any("opened" in line for line in description_lines({"file": "a.nc", **plain}))


def test_what_is_opened_can_be_chosen():
    data = FILES["zip"]
    assert nacrith.decompress(nacrith.compress(data, level=1)) == data
    closed = nacrith.compress(data, level=1, inside="none")
    assert not frames_of(closed)[0].opened and nacrith.decompress(closed) == data
    assert frames_of(nacrith.compress(data, level=1, inside="streams"))[0].opened
    with pytest.raises(ArgumentError, match="inside"):
        nacrith.compress(data, inside="all")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="inside"):
        nacrith.compress(data, inside=1)  # type: ignore[arg-type]
    assert not may_hold_streams(data, MAX_EXPANDED, NOTHING)
    assert set(INSIDE) == {"none", "streams", "jpeg"}


def test_a_page_about_text_in_streams_is_refused():
    from nacrith.explain import explain

    with pytest.raises(NacrithError, match="extract"):
        explain(io.BytesIO(compress(FILES["gzip"])), "a", MIXING)


def test_zip_files_come_back_whole():
    for level in (1, 5, 9):
        data = decompress(compress(archive(level)))
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            assert opened.testzip() is None and len(opened.namelist()) == 5


def test_the_rows_of_a_picture_are_records():
    """Where its pixels are not opened."""
    expanded = expand(png(), inside=FILTERED)
    assert expanded and expanded.rows == Rows(1 + 3 * 70, 3, 24)
    assert len(expanded.data) > 40 * (1 + 3 * 70)
    frame = encode_frame(png(), None, inside=FILTERED)
    (coded,) = read_head(Reader(frame.payloads[Kind.MIXED], ""), frame.size_of(Kind.MIXED))
    assert coded.part.numbers == (1 + 3 * 70,)
    for name in ("gzip", "pdf", "tarball"):
        other = expand(FILES[name])
        assert other and other.rows is None
