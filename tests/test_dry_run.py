"""--dry-run says what would be done, and does nothing."""

import gzip
import io
import random

import pytest

from nacrith import compress
from nacrith.cli.dry_run import describe_compression
from nacrith.cli.options import Team
from nacrith.cli.units import memory_size
from nacrith.pipeline import content
from nacrith.pipeline.content import largest_opened
from nacrith.pipeline.fitting import fit_compression
from nacrith.pipeline.options import BLOCK, CompressOptions
from nacrith.pipeline.presets import LEVELS
from nacrith.system.devices import CPU, DeviceChoice
from nacrith.transforms.opening import peeking
from tests.conftest import assert_fails

NOISE = random.Random(4).randbytes(1 << 15)
TEXT = (gzip.__doc__ or "").encode() * 200


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "text").write_bytes(TEXT)
    (tmp_path / "noise").write_bytes(NOISE)
    (tmp_path / "both").write_bytes(TEXT + NOISE)
    (tmp_path / "b.nc").write_bytes(compress(NOISE))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    yield tmp_path
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def shown(result) -> list[str]:
    assert (result.returncode, result.stderr) == (0, b"")
    return result.stdout.decode().splitlines()


def test_compression(nacrith, folder):
    (line,) = shown(nacrith("compress", "--dry-run", "text"))
    size = len(TEXT)
    assert line.startswith(f"text: {size} bytes, text; would make text.nc with -6, up to ")
    assert " streams, a window of 1024;" in line and " MiB of memory" in line
    for level, streams, how in (
        ("-6", "--streams=2", "-6, 2 streams, a window of 1024;"),
        ("-7", "--streams=0", "-7, up to 4 streams, a window of 2048;"),
        ("-4", "-e", "-4, 1 stream, a window of 512;"),
        ("-6", "-e", "-6, 1 stream, a window of 2048;"),
    ):
        assert how in shown(nacrith("--dry-run", level, streams, "text"))[0]
    one, two, three = shown(nacrith("--dry-run", "-3", "text", "noise", "both"))
    assert "noise: 32768 bytes, compressed already; would make noise.nc with -3;" in two
    assert "stream" not in one and "% text, " in three and "% compressed already" in three
    (line,) = shown(nacrith("--dry-run", "-9", "text"))
    assert "with -9, 1 stream, a window of 4096" in line
    (line,) = shown(nacrith("--dry-run", "--rm", "-o", "x", "text"))
    assert "would make x with" in line
    (line,) = shown(nacrith("--dry-run", "--output-dir-flat", "new", "noise"))
    assert "would make new/noise.nc with" in line
    (line,) = shown(nacrith("--dry-run", stdin=TEXT))
    assert line.startswith(f"(standard input): {size} bytes, text; would make (standard output)")


def test_restoring(nacrith, folder):
    (line,) = shown(nacrith("-d", "--dry-run", "b.nc"))
    size = (folder / "b.nc").stat().st_size
    assert line.startswith(f"b.nc: {size} bytes that hold 32768; would make b with no model; about")
    (line,) = shown(nacrith("-dc", "--dry-run", stdin=(folder / "b.nc").read_bytes()))
    assert "would make (standard output)" in line


def test_what_the_run_would_refuse_is_refused(nacrith, folder):
    assert_fails(nacrith("--dry-run", "-o", "noise", "text"), 1, "noise exists; use -f")
    assert nacrith("--dry-run", "-f", "-o", "noise", "text").returncode == 0
    assert_fails(nacrith("--dry-run", "missing"), 1, "missing")
    assert_fails(nacrith("--dry-run", "b.nc"), 1, "compressed already")
    assert_fails(nacrith("-d", "--dry-run", "text"), 1, "does not end in .nc")
    assert_fails(
        nacrith("--dry-run", "-o", "no/x", "text"), 1, "there is no folder no; make it first"
    )
    assert_fails(nacrith("--dry-run", "-M", "1M", "text"), 1, "the limit is 1 MiB")


def test_what_is_in_streams_counts(nacrith, folder):
    (folder / "a.gz").write_bytes(gzip.compress(TEXT))
    line, closed = shown(nacrith("--dry-run", "-3", "a.gz")) + shown(
        nacrith("--dry-run", "-3", "--inside", "none", "a.gz")
    )
    (folder / "a.gz").unlink()
    assert "bytes, text once opened; would make a.gz.nc" in line
    assert "binary data" in closed and "once opened" not in closed


def test_streams_in_streams_count_as_for_the_limit(monkeypatch):
    """All layers together are no larger than a block can become."""
    monkeypatch.setattr(peeking, "MAX_EXPANDED", 4 << 20)
    monkeypatch.setattr(content, "MAX_EXPANDED", 4 << 20)
    block = b"".join(gzip.compress(gzip.compress(many_words(1))) for _ in range(12))
    options = CompressOptions(preset=LEVELS[1])
    opened = largest_opened(io.BytesIO(block), BLOCK, options.inside)
    assert opened and 3 << 20 < opened.size <= 4 << 20
    needed = fit_compression(options, None, 1, len(block), opened).needed
    team = Team(1, None, DeviceChoice(CPU))
    line = describe_compression(None, io.BytesIO(block), None, 1, options, None, team)
    assert f" and {memory_size(needed)} of memory" in line


def test_streams_that_a_limit_closes_are_no_longer_counted(nacrith, tmp_path):
    data = gzip.compress(many_words(9))
    (tmp_path / "a").write_bytes(data)
    options = CompressOptions(preset=LEVELS[1])
    opened = largest_opened(io.BytesIO(data), BLOCK, options.inside)
    limit = fit_compression(options, None, 1, len(data), opened).needed - 1
    (line,) = shown(nacrith("--dry-run", "-1", "-M", str(limit), "a"))
    (none,) = shown(nacrith("--dry-run", "-1", "--inside", "none", "a"))
    (usual,) = shown(nacrith("--dry-run", "-1", "a"))
    assert line == none.replace("with -1;", "with -1, compressed streams in it closed;")
    assert "once opened" in usual and usual.split("; about")[1] != line.split("; about")[1]


def test_going_on_with_streams_that_a_limit_closes(nacrith, tmp_path):
    """Blocks end elsewhere then: in the middle of a stream."""
    noise = random.Random(7).randbytes(1 << 20)
    data = noise[:-5000] + gzip.compress(many_words(1)) + noise + noise[:500_000]
    (tmp_path / "a").write_bytes(data)
    options = CompressOptions(preset=LEVELS[1], block_size=1 << 20)
    opened = largest_opened(io.BytesIO(data), options.block_size, options.inside)
    limit = fit_compression(options, None, 1, len(data), opened).needed - 1
    command = ("-1", "--block-size", "1M", "--resume", "a")
    limited = (*command, "-q", "-M", str(limit))
    assert nacrith(*limited).returncode == 0
    whole, part = tmp_path / "a.nc", tmp_path / "a.nc.part"
    packed = whole.read_bytes()
    whole.unlink()
    part.write_bytes(packed[:1_500_000])
    for given in (limited, ("-1", "--resume", "a", "-q", "-M", str(limit))):
        (line,) = shown(nacrith(*given, "--dry-run"))
        assert f"go on with a.nc.part, in which {1 << 20} are done" in line
    assert_fails(nacrith(*command), 1, "(--inside, --memlimit)")
    assert_fails(nacrith(*command, "--dry-run"), 1, "(--inside, --memlimit)")
    assert nacrith(*limited).returncode == 0
    assert whole.read_bytes() == packed


def many_words(megabytes: int) -> bytes:
    """Text that deflate makes much smaller."""
    text = bytes(random.Random(5).choices(b"abcdefghij ", k=30_000))
    return b"".join(text[i:] + text[:i] for i in range(34 * megabytes))


def test_going_on(nacrith, tmp_path):
    """What --resume would do with nothing, with a part, and with a file that is whole."""
    data = random.Random(6).randbytes(5000)
    (tmp_path / "a").write_bytes(data)
    packed = compress(data, block_size=1000)
    trial = ("--dry-run", "--resume", "a")
    (line,) = shown(nacrith(*trial))
    assert "would make a.nc with" in line
    part = tmp_path / "a.nc.part"
    part.write_bytes(packed[:2500])
    (line,) = shown(nacrith(*trial))
    assert "would go on with a.nc.part, in which 2000 are done, with" in line
    part.write_bytes(b"no frame")
    (line,) = shown(nacrith(*trial))
    assert "would make a.nc with" in line
    part.write_bytes(compress(data[::-1], block_size=1000)[:2500])
    assert_fails(nacrith(*trial), 1, "the input has changed")
    assert_fails(nacrith(*trial, "--block-size", "2K"), 1, "the block size was another")
    part.unlink()
    (tmp_path / "a.nc").write_bytes(packed)
    assert shown(nacrith(*trial)) == ["a: already done, a.nc holds all of it"]
    (line,) = shown(nacrith(*trial, "--rm"))
    assert line.endswith("; would remove a")
    (tmp_path / "a.nc").write_bytes(packed[:-1])
    assert_fails(nacrith(*trial), 1, "a.nc exists; use -f")
    assert (tmp_path / "a").read_bytes() == data and not part.exists()
