"""--memlimit: what is chosen to fit, what is refused, and whether the estimate is right."""

import io
import random
from dataclasses import replace

import pytest

from nacrith import compress
from nacrith.bench.command_line import run
from nacrith.cli.units import parse_limit
from nacrith.codec.streams_of_frame import streams_of
from nacrith.errors import FormatError, MemoryLimitError
from nacrith.format.container import MemberReader
from nacrith.models.model_size import EMBEDDED, model_size
from nacrith.pipeline import memory
from nacrith.pipeline.fitting import RestoreLimit, fit_compression
from nacrith.pipeline.memory import MIB
from nacrith.pipeline.options import BLOCK, CompressOptions
from nacrith.pipeline.presets import DEFAULT, LEVELS
from nacrith.system.resources import total_memory
from tests.conftest import ROOT, assert_fails

WORDS = b"the sea was calm and all the boats had gone out before it was light that morning".split()
TEXT = b" ".join(random.Random(1).choices(WORDS, k=600))
NOISE = random.Random(2).randbytes(5000)
LARGE = 10 * BLOCK


def test_limits_as_people_write_them():
    assert parse_limit("800M") == 800 << 20 and parse_limit("2GiB") == 2 << 30
    assert parse_limit("0") == parse_limit("max") == 0
    assert parse_limit("50%") == total_memory() // 2
    for wrong in ("", "-1", "0%", "101%", "half", "1e9", "9" * 30):
        with pytest.raises(ValueError):
            parse_limit(wrong)


def test_without_a_limit_nothing_changes():
    for preset in LEVELS.values():
        options = CompressOptions(preset=preset, parameters=preset.parameters)
        fitted = fit_compression(options, None, 4, LARGE)
        assert fitted.options == options and fitted.workers == 4 and not fitted.changes


def test_workers_go_first_then_streams_then_the_window():
    options = CompressOptions()
    seen = []
    limit = fit_compression(options, None, 4, LARGE).needed
    while True:
        try:
            fitted = fit_compression(options, limit, 4, LARGE)
        except MemoryLimitError as error:
            assert "-3 does without the model and needs about" in str(error)
            break
        assert fitted.needed <= limit
        seen.append((
            fitted.workers, fitted.options.cutting.most, fitted.options.parameters.window
        ))  # fmt: skip
        limit = fitted.needed - 1
    assert seen == sorted(seen, reverse=True) and seen[0] == (4, 64, 1024)
    assert {workers for workers, *_ in seen} == {1, 2, 3, 4}
    assert seen[-1] == (1, 1, 256)
    # Nothing is given up for which there is room.
    assert all(streams == 64 for workers, streams, _ in seen if workers > 1)
    assert all(window == 1024 for _, streams, window in seen if streams > 1)


def test_what_a_user_chose_stays():
    chosen = replace(DEFAULT.parameters, window=2048)
    for options in (CompressOptions(streams=32), CompressOptions(parameters=chosen)):
        enough = fit_compression(options, None, 1, LARGE).needed
        try:
            fitted = fit_compression(options, enough - 1, 1, LARGE)
            assert fitted.options.parameters.window == options.parameters.window
            assert fitted.options.streams == options.streams == 0
        except MemoryLimitError:
            # Of given streams, only the window can be shorter.
            assert options.streams
    with pytest.raises(MemoryLimitError, match=r"about \d+ MiB .* the limit is 1 MiB"):
        fit_compression(CompressOptions(), MIB, 1, LARGE)
    with pytest.raises(MemoryLimitError, match="block-size"):
        fit_compression(CompressOptions(preset=LEVELS[1]), 300 * MIB, 1, 1 << 30)
    with pytest.raises(MemoryLimitError, match="nothing takes less"):
        fit_compression(CompressOptions(preset=LEVELS[1]), MIB, 1, 50)


def test_short_files_and_models_of_other_sizes_need_other_amounts(tiny_gguf):
    options = CompressOptions()
    sizes = [fit_compression(options, None, 1, size).needed for size in (500, 50_000, 10**6, None)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1] / 2
    assert model_size(tiny_gguf).weights < EMBEDDED.weights / 100
    assert model_size(None) == model_size(tiny_gguf.with_name("missing")) == EMBEDDED
    # SmolLM2-135M: 134.5 million weights, of which 28 are there twice; 30 layers of 3 heads.
    assert 160e6 < EMBEDDED.weights < 170e6
    assert EMBEDDED.position == 30 * 3 * (2 * 64 + 12)


def test_streams_of_frames(tiny_gguf, keep_text):
    for n in (1, 5):
        packed = compress(TEXT, model=tiny_gguf, window=256, threads=1, streams=n)
        assert [streams_of(frame) for frame in frames(packed)] == [n]
    assert [streams_of(frame) for frame in frames(compress(NOISE))] == [0]
    (frame,) = frames(packed)
    damaged = dict.fromkeys(frame.payloads, b"\xff" * 20)
    with pytest.raises(FormatError):
        streams_of(replace(frame, payloads=damaged))


def frames(packed):
    return [frame for member in MemberReader(io.BytesIO(packed)) for frame in member.frames()]


def test_compression_adapts(nacrith, tmp_path, model, keep_text):
    (tmp_path / "a").write_bytes(TEXT * 30)
    options = CompressOptions(model[1], preset=LEVELS[4], parameters=LEVELS[4].parameters)
    usual = fit_compression(options, None, 1, len(TEXT) * 30)
    assert usual.options.cutting.most_for(len(TEXT) * 30) > 8
    size = len(TEXT) * 30
    shape = memory.TextShape(2, 256, size // 2)
    limit = str(memory.of_block(model_size(model[1]), shape, size))
    result = nacrith("compress", "-4", *model[:2], "--memlimit", limit, "a")
    assert result.returncode == 0, result.stderr
    assert b"to stay within" in result.stderr and b"streams instead of" in result.stderr
    (frame,) = frames((tmp_path / "a.nc").read_bytes())
    assert 1 <= streams_of(frame) <= 2 or not streams_of(frame)
    assert nacrith("decompress", "-c", *model[:2], "a.nc").stdout == TEXT * 30
    quiet = nacrith("compress", "-4qf", *model[:2], "-M", limit, "a")
    assert (quiet.returncode, quiet.stderr) == (0, b"")


def test_what_does_not_fit_is_refused(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    (tmp_path / "b.nc").write_bytes(compress(TEXT, level=2))
    for command in (["-1"], ["-6"], ["-d", "b.nc"], ["-t", "b.nc"], ["-dc", "b.nc"]):
        files = command if "b.nc" in command else [*command, "a"]
        assert_fails(nacrith(*files, "--memlimit", "20M"), 1, "MiB of memory, the limit is 20 MiB")
    by_variable = {"NACRITH_MEMLIMIT": "20M"}
    assert_fails(nacrith("a", environment=by_variable), 1, "the limit is 20 MiB")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b.nc"]
    assert nacrith("a", "--memlimit", "0", environment=by_variable).returncode == 0
    assert nacrith("-d", "b.nc", "--memory=50%").returncode == 0
    assert (tmp_path / "b").read_bytes() == TEXT
    assert_fails(nacrith("a", environment={"NACRITH_MEMLIMIT": "much"}), 1, "NACRITH_MEMLIMIT")
    assert_fails(nacrith("a", "--memlimit", "much"), 2, "amount of memory")
    packed = (tmp_path / "b.nc").read_bytes()
    assert_fails(nacrith("-d", "-M20M", stdin=packed), 1, "the limit is 20 MiB")


def test_a_range_needs_only_its_frames(nacrith, tmp_path):
    small, large = compress(NOISE), compress(TEXT * 30, level=2)
    (tmp_path / "a.nc").write_bytes(small + large)
    need = RestoreLimit(None)
    for packed in (small, large):
        for member in MemberReader(io.BytesIO(packed)):
            for frame in member.frames():
                need.look_at(member.header, frame)
    limit = str(need.need - 1)
    assert_fails(nacrith("-dc", "-M", limit, "a.nc"), 1, "the limit is")
    result = nacrith("-d", "--range", "10:20", "-M", limit, "a.nc")
    assert result.stdout == NOISE[10:20], result.stderr


@pytest.mark.parametrize("level", [3, 6])
def test_the_estimate_holds(tmp_path, level, real_gguf):
    """What a short text takes is no more, and not much less."""
    path = tmp_path / "a"
    path.write_bytes((ROOT / "README.md").read_bytes()[:3000])
    options = CompressOptions(preset=LEVELS[level], parameters=LEVELS[level].parameters)
    packed = tmp_path / "a.nc"
    there = run(["compress", "-q", f"-{level}", path], ROOT)
    needed = fit_compression(options, None, 1, 3000).needed
    assert 0.6 * needed < there.peak < needed
    back = run(["decompress", "-qf", packed], ROOT)
    limit = RestoreLimit(None)
    with open(packed, "rb") as file:
        for member in MemberReader(file):
            for frame in member.frames():
                limit.look_at(member.header, frame)
    assert 0.6 * limit.need < back.peak < limit.need
