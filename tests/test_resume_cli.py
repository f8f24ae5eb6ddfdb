"""compress --resume, --verify, decompress --range at the command line."""

import gzip
import io
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from nacrith.format.container import Writer
from nacrith.format.frame import Frame, Kind, Segment, check_of
from nacrith.format.header import Header
from nacrith.format.parameters import Parameters
from nacrith.pipeline.blocks import read_blocks
from nacrith.pipeline.compress import compress_stream, parameters_for
from nacrith.pipeline.options import BLOCK, CompressOptions
from nacrith.pipeline.presets import DEFAULT
from nacrith.pipeline.resume import block_size_of
from tests.conftest import ROOT, assert_fails

DATA = random.Random(1).randbytes(9 * 1024 + 100)
BLOCKS = ["--block-size", "1K"]


@pytest.fixture(scope="module")
def whole(tiny_gguf) -> bytes:
    """The file of an uninterrupted run."""
    parameters = replace(DEFAULT.parameters, window=256)
    sink = io.BytesIO()
    compress_stream(
        io.BytesIO(DATA),
        sink,
        CompressOptions(tiny_gguf, threads=1, parameters=parameters, block_size=1024),
        len(DATA),
    )
    return sink.getvalue()


@pytest.fixture
def part_of(tmp_path, whole):
    """Write what a run leaves that is killed after n bytes; return the whole file."""

    def write(n: int) -> bytes:
        (tmp_path / "a").write_bytes(DATA)
        (tmp_path / "a.nc.part").write_bytes(whole[:n])
        return whole

    return write


@pytest.mark.parametrize("n", [0, 60, 1500, 10**6])
def test_a_resumed_run_writes_the_same_file(nacrith, tmp_path, model, part_of, n):
    whole = part_of(n)
    assert nacrith("compress", *model, *BLOCKS, "--resume", "a").returncode == 0
    assert (tmp_path / "a.nc").read_bytes() == whole
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "a.nc"]


def test_the_frames_that_are_there_are_not_made_again(nacrith, tmp_path, model, part_of):
    """A part whose second frame is another one's, well formed, shows that it is not used."""
    whole = part_of(5000)
    changed = bytearray(DATA)
    changed[1500] ^= 1
    (tmp_path / "a").write_bytes(changed)
    result = nacrith("compress", *model, *BLOCKS, "--resume", "a")
    assert_fails(result, 1, "input has changed", "-f", "a.nc.part keeps what is done")
    assert (tmp_path / "a.nc.part").read_bytes() == whole[:5000]
    # Behind the frames that are there a change is no harm.
    changed = bytearray(DATA)
    changed[6000] ^= 1
    (tmp_path / "a").write_bytes(changed)
    assert nacrith("compress", *model, *BLOCKS, "--resume", "a").returncode == 0
    assert nacrith("decompress", *model[:2], "-c", "a.nc").stdout == changed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--block-size", "2K"], ["block size was another"]),
        (["--block-size", "1M"], ["block size was another"]),
        ([*BLOCKS, "--window", "512"], ["other options"]),
        ([*BLOCKS, "--model", "missing.gguf"], ["can't read the model"]),
    ],
)
def test_other_options_do_not_cost_the_work_that_is_done(
    nacrith, tmp_path, model, part_of, options, words
):
    whole = part_of(5000)
    assert_fails(nacrith("compress", *model, *options, "--resume", "a"), 1, *words)
    assert (tmp_path / "a.nc.part").read_bytes() == whole[:5000]
    assert nacrith("compress", *model, *BLOCKS, "--resume", "a").returncode == 0
    assert (tmp_path / "a.nc").read_bytes() == whole


def test_what_streams_were_taken_for_stays(tiny_gguf, whole):
    """Versions, and limits of memory, choose otherwise."""
    parameters = replace(DEFAULT.parameters, window=256)
    preset = replace(DEFAULT, unlike_from=1)
    options = CompressOptions(
        tiny_gguf, threads=1, preset=preset, parameters=parameters, block_size=1024
    )
    assert parameters_for(options, b"", len(DATA)).unlike == 1
    part = io.BytesIO(whole[:5000])
    compress_stream(io.BytesIO(DATA), part, options, len(DATA), resume=True)
    assert part.getvalue() == whole


def test_the_block_size_need_not_be_said_again(nacrith, tmp_path, model, part_of):
    for n in (0, 1500, 5000, 10**6):
        whole = part_of(n)
        assert nacrith("compress", "-f", *model, "--resume", "a").returncode == 0
        same = (tmp_path / "a.nc").read_bytes() == whole
        assert same == (n > 0) and not (tmp_path / "a.nc.part").exists()


def test_the_block_size_of_blocks_that_were_made_longer():
    """The first block ends with the stream that it would have been cut in."""
    size, inside = 1 << 20, CompressOptions().inside
    noise = random.Random(7).randbytes(size)
    words = bytes(random.Random(8).choices(b"abcdefghij ", k=60_000))
    data = noise[:-5000] + gzip.compress(words) + noise * 2
    first = next(read_blocks(io.BytesIO(data), size, inside))
    assert len(first) > size

    def part_of(*blocks: bytes) -> io.BytesIO:
        part = io.BytesIO()
        writer = Writer(part, Header(None, Parameters()))
        for block in blocks:
            stored = {Kind.STORED: block}
            writer.add(Frame([Segment(Kind.STORED, len(block))], check_of(block), stored))
        return part

    source = io.BytesIO(data)
    second = data[len(first) :][:size]
    assert block_size_of(part_of(first, second, second), source, BLOCK, inside) == size
    # Of a block alone it is found if it is the usual one.
    assert block_size_of(part_of(first), source, size, inside) == size
    assert source.tell() == 0
    assert block_size_of(io.BytesIO(b"no part"), source, 77, inside) == 77


def test_what_is_done_is_left_alone(nacrith, tmp_path, model, part_of):
    whole = part_of(0)
    (tmp_path / "a.nc.part").unlink()
    (tmp_path / "a.nc").write_bytes(whole)
    before = (tmp_path / "a.nc").stat().st_mtime_ns
    result = nacrith("compress", *model, "--resume", "a")
    assert (result.returncode, result.stderr) == (0, b"a: already done, a.nc holds all of it\n")
    quiet = nacrith("compress", "-q", *model, "--resume", "a")
    assert (quiet.returncode, quiet.stderr) == (0, b"")
    assert (tmp_path / "a.nc").stat().st_mtime_ns == before
    # Of another file, of a longer one, or a damaged one it is not said.
    for other in (DATA[:-1] + b"!", DATA + b"!", DATA[:-1]):
        (tmp_path / "a").write_bytes(other)
        assert_fails(nacrith("compress", *model, "--resume", "a"), 1, "a.nc exists", "-f")
    (tmp_path / "a").write_bytes(DATA)
    for damaged in (whole[:-1], whole + b"x"):
        (tmp_path / "a.nc").write_bytes(damaged)
        assert_fails(nacrith("compress", *model, "--resume", "a"), 1, "a.nc exists", "-f")


def test_what_is_done_is_not_replaced_by_another_input(nacrith, tmp_path, model, part_of):
    whole = part_of(0)
    for folder in ("one", "two", "out"):
        (tmp_path / folder).mkdir()
    (tmp_path / "one" / "a").write_bytes(DATA)
    (tmp_path / "two" / "a").write_bytes(DATA[::-1])
    (tmp_path / "out" / "a.nc").write_bytes(whole)
    flat = ["--resume", "--rm", "-f", "--output-dir-flat", "out"]
    result = nacrith("compress", *model, *flat, "one/a", "two/a")
    assert_fails(result, 1, "already done", "written already, for another input")
    assert (tmp_path / "out" / "a.nc").read_bytes() == whole
    assert not (tmp_path / "one" / "a").exists() and (tmp_path / "two" / "a").exists()


def test_a_link_to_what_is_done_is_not_removed(nacrith, tmp_path, model, part_of):
    whole = part_of(0)
    (tmp_path / "a.nc.part").unlink()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "link.nc").write_bytes(whole)
    assert_fails(nacrith("compress", *model, "--resume", "--rm", "link"), 1, "symbolic link")
    assert (tmp_path / "link").is_symlink()


def test_a_run_that_was_killed_between_two_names_is_done(nacrith, tmp_path, model, part_of):
    whole = part_of(0)
    (tmp_path / "a.nc.part").write_bytes(whole)
    (tmp_path / "a.nc").hardlink_to(tmp_path / "a.nc.part")
    result = nacrith("compress", *model, "--resume", "a")
    assert (result.returncode, result.stderr) == (0, b"a: already done, a.nc holds all of it\n")


def test_what_is_done_and_to_be_removed_is_tested_first(nacrith, tmp_path, model, part_of):
    whole = part_of(0)
    (tmp_path / "a.nc.part").unlink()
    (tmp_path / "a.nc").write_bytes(whole)
    result = nacrith("compress", *model, "--resume", "--rm", "a")
    assert result.returncode == 0 and not (tmp_path / "a").exists()
    assert nacrith("decompress", *model[:2], "a.nc").returncode == 0
    assert (tmp_path / "a").read_bytes() == DATA


def test_work_is_not_thrown_away_unasked(nacrith, tmp_path, model, part_of):
    whole = part_of(5000)
    result = nacrith("compress", *model, *BLOCKS, "a")
    assert_fails(result, 1, "interrupted run", "--resume", "-f")
    assert (tmp_path / "a.nc.part").read_bytes() == whole[:5000]
    assert nacrith("compress", *model, *BLOCKS, "-f", "a").returncode == 0
    assert (tmp_path / "a.nc").read_bytes() == whole


def test_a_part_without_a_frame_is_replaced(nacrith, tmp_path, model, part_of):
    whole = part_of(60)
    assert nacrith("compress", *model, *BLOCKS, "a").returncode == 0
    assert (tmp_path / "a.nc").read_bytes() == whole


def test_resume_keeps_the_metadata_and_the_text(nacrith, tmp_path, model):
    text = b"".join(b"Line %d of a text that is not long.\n" % i for i in range(99))
    (tmp_path / "a").write_bytes(text)
    options = ["compress", *model, "--block-size", "512", "-N"]
    assert nacrith(*options, "-o", "whole", "a").returncode == 0
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "a.nc.part").write_bytes(whole[: len(whole) // 2])
    assert nacrith(*options, "--resume", "a").returncode == 0
    assert (tmp_path / "a.nc").read_bytes() == whole
    assert nacrith("decompress", *model[:2], "-c", "a.nc").stdout == text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_frames_that_are_done(nacrith, tmp_path, model, number):
    data = random.Random(2).randbytes(1 << 20)
    (tmp_path / "a").write_bytes(data)
    options = ["compress", *map(str, model), *BLOCKS]
    process = subprocess.Popen(
        [sys.executable, "-m", "nacrith", *options, str(tmp_path / "a")],
        cwd=ROOT, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )  # fmt: skip
    part = tmp_path / "a.nc.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 5000) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number
    assert b"go on with --resume" in error and b"Traceback" not in error
    assert part.stat().st_size > 5000
    assert not (tmp_path / "a.nc").exists()


def test_verify(nacrith, tmp_path, model):
    (tmp_path / "a").write_bytes(DATA)
    result = nacrith("compress", *model, *BLOCKS, "--verify", "a")
    assert result.returncode == 0
    assert nacrith("decompress", *model[:2], "-c", "a.nc").stdout == DATA
    assert nacrith("compress", "-f", *model, *BLOCKS, "--rm", "a").returncode == 0
    assert not (tmp_path / "a").exists()


def test_a_result_that_cannot_be_restored_costs_nothing(tmp_path):
    """An encoder that makes wrong frames: --rm must keep the input, and no output."""
    (tmp_path / "a").write_bytes(DATA)
    code = """
import sys, nacrith.codec.segment_coding as coding
encode = coding._encode_binary
def wrong(block, *rest):
    return encode(block[:-1] + b"!", *rest)
coding._encode_binary = wrong
from nacrith.cli import main
sys.argv[1:] = ["compress", "--block-size", "1M", *sys.argv[1:]]
main()
"""
    for option in ("--rm", "--verify"):
        result = subprocess.run(
            [sys.executable, "-c", code, option, tmp_path / "a"],
            cwd=ROOT, capture_output=True, check=False,
        )  # fmt: skip
        assert_fails(result, 1, "does not match its checksum")
        assert [p.name for p in tmp_path.iterdir()] == ["a"]
    # Else it could not fail.
    result = subprocess.run(
        [sys.executable, "-c", code, "--rm", "--no-verify", tmp_path / "a"], cwd=ROOT, check=False
    )
    assert result.returncode == 0 and [p.name for p in tmp_path.iterdir()] == ["a.nc"]


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [("1K:2K", 1024, 2048), ("900:5000", 900, 5000), ("9300:9400", 9300, 9400), ("9K:", 9216, None),
     (":1", 0, 1), ("5:5", 5, 5), ("1M:", 1 << 20, None)],
)  # fmt: skip
def test_ranges(nacrith, part_of, tmp_path, model, wanted, start, stop):
    whole = part_of(0)
    # It may lie in two members.
    (tmp_path / "b.nc").write_bytes(whole + whole)
    result = nacrith("decompress", *model[:2], "--range", wanted, "b.nc")
    assert (result.returncode, result.stdout) == (0, (DATA + DATA)[start:stop])


def test_range_decodes_only_the_frames_it_needs(nacrith, tmp_path, part_of):
    """The text of the other frames would need the model, which is not given."""
    (tmp_path / "b.nc").write_bytes(part_of(0))
    result = nacrith("decompress", "--range", "2000:3000", "-o", "b", "b.nc")
    assert result.returncode == 0
    assert (tmp_path / "b").read_bytes() == DATA[2000:3000]
