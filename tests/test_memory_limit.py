"""--memlimit: what is chosen to fit, what is refused, and whether the estimate is right."""

import gzip
import io
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nacrith import compress
from nacrith.cli.units import parse_limit
from nacrith.codec.drafts import bytes_of_tables, new_drafts
from nacrith.codec.guesser import MAX_STREAMS
from nacrith.codec.ngrams import no_ngrams
from nacrith.codec.streams_of_frame import streams_of
from nacrith.errors import FormatError, MemoryLimitError
from nacrith.format.container import MemberReader
from nacrith.models.model_size import EMBEDDED, model_size
from nacrith.pipeline import fitting, memory
from nacrith.pipeline.compress import parameters_for
from nacrith.pipeline.content import Opened, largest_opened
from nacrith.pipeline.fitting import RestoreLimit, fit_compression
from nacrith.pipeline.memory import MIB, TextShape
from nacrith.pipeline.options import BLOCK, CompressOptions
from nacrith.pipeline.presets import DEFAULT, LEVELS
from nacrith.system.resources import total_memory
from nacrith.transforms.jpeg.picture import coefficients_of
from nacrith.transforms.opening.limits import ALL_STREAMS, EVERYTHING, NOTHING
from nacrith.workers.counting import WORKER_MEMORY
from tests.conftest import ROOT, assert_fails
from tests.jpeg_samples import picture
from tests.whole_files import frames_of

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


@pytest.fixture
def long_memory(monkeypatch):
    """A model whose cache takes so much that streams and windows are what counts."""
    size = replace(EMBEDDED, position=20 * EMBEDDED.position)
    monkeypatch.setattr(fitting, "model_size", lambda given: size)
    return size


def test_workers_go_first_then_streams_then_the_window(long_memory):
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


def test_what_a_user_chose_stays(long_memory):
    """Of given streams only the window can be shorter, of a given window only the streams fewer."""
    options = CompressOptions(streams=32)
    enough = fit_compression(options, None, 1, LARGE).needed
    fitted = fit_compression(options, enough - 1, 1, LARGE)
    assert fitted.changes == ("smaller tables",)
    fitted = fit_compression(options, fitted.needed - 1, 1, LARGE)
    assert fitted.options.streams == 32 and fitted.options.parameters.window == 768
    assert fitted.changes == ("a window of 768 instead of 1024", "smaller tables")
    chosen = CompressOptions(parameters=replace(DEFAULT.parameters, window=2048))
    enough = fit_compression(chosen, None, 1, LARGE).needed
    fitted = fit_compression(chosen, enough - 1, 1, LARGE)
    assert fitted.changes == ("smaller tables",)
    fitted = fit_compression(chosen, fitted.needed - 1, 1, LARGE)
    assert fitted.options.parameters.window == 2048
    assert fitted.changes == ("63 streams instead of 64", "smaller tables")
    both = replace(chosen, streams=32)
    least = fit_compression(both, fit_compression(both, None, 1, LARGE).needed - 1, 1, LARGE)
    with pytest.raises(MemoryLimitError):
        fit_compression(both, least.needed - 1, 1, LARGE)


def test_larger_tables_go_before_streams():
    options = CompressOptions()
    usual = fit_compression(options, None, 1, LARGE)
    assert parameters_for(usual.options, b"", LARGE).unlike == 1
    fitted = fit_compression(options, usual.needed - 1, 1, LARGE)
    assert fitted.needed < usual.needed - 384 * MIB
    assert parameters_for(fitted.options, b"", LARGE).unlike == 0
    assert fitted.options.cutting.most == 64


@pytest.mark.parametrize(
    ("given", "size", "expected"),
    [
        ({}, 1 << 18, 1),
        ({"streams": 2}, 1 << 18, 1),
        ({}, (1 << 18) - 1, 0),
        ({"streams": 1}, 1 << 30, 0),
        ({"preset": LEVELS[9], "parameters": LEVELS[9].parameters}, 1 << 30, 0),
    ],
)
def test_several_streams_of_long_texts_are_taken_for_unlike(given, size, expected):
    assert parameters_for(CompressOptions(**given), b"", size).unlike == expected


def test_the_window_is_no_longer_than_the_model_was_trained_on(monkeypatch, long_memory):
    """Else a limit, which makes it shorter, would make it longer than without a limit."""
    monkeypatch.setattr("nacrith.pipeline.chosen_parameters.trained_positions", lambda given: 2100)
    best = CompressOptions(preset=LEVELS[9], parameters=LEVELS[9].parameters)
    usual = fit_compression(best, None, 1, LARGE)
    assert usual.options == best and parameters_for(best, b"", 0).window == 2048
    fitted = fit_compression(best, usual.needed - 1, 1, LARGE)
    assert fitted.options.parameters.window == 1792
    assert fitted.changes == ("a window of 1792 instead of 2048",)
    assert parameters_for(fitted.options, b"", 0).window == 1792
    monkeypatch.setattr("nacrith.pipeline.chosen_parameters.trained_positions", lambda given: 1200)
    assert parameters_for(CompressOptions(streams=1), b"", LARGE).window == 1024


def test_the_window_of_one_stream_gets_shorter_too(long_memory):
    options = CompressOptions(streams=1)
    fitted = fit_compression(options, None, 1, LARGE)
    assert fitted.options == options and parameters_for(options, b"", LARGE).window == 2048
    seen: list[int] = []
    while not seen or seen[-1] > 256:
        fitted = fit_compression(options, fitted.needed - 1, 1, LARGE)
        seen.append(parameters_for(fitted.options, b"", LARGE).window)
        assert fitted.changes == (f"a window of {seen[-1]} instead of 2048",)
    assert seen == list(range(1792, 0, -256))


def test_what_is_in_streams_counts():
    mixing = CompressOptions(preset=LEVELS[1])
    block = 1 << 20
    closed = fit_compression(mixing, None, 1, block)
    usual = fit_compression(mixing, None, 1, block, Opened(40 * block))
    assert usual.needed > closed.needed + 39 * block and usual.options == mixing
    fitted = fit_compression(mixing, usual.needed - 1, 1, block, Opened(40 * block))
    assert fitted.options.inside == NOTHING and fitted.needed == closed.needed
    assert fitted.changes == ("compressed streams in it stay closed",)
    with pytest.raises(MemoryLimitError, match=f"about {closed.needed // MIB} MiB"):
        fit_compression(mixing, closed.needed - 1, 1, block, Opened(40 * block))


def test_streams_stay_closed_where_they_would_not_fit(run_main, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = bytes(random.Random(5).choices(b"abcdefghij ", k=30_000))
    data = gzip.compress(b"".join(text[i:] + text[:i] for i in range(0, 30_000, 100)))
    Path("a").write_bytes(data)
    source = io.BytesIO(data)
    source.seek(0)
    opened = largest_opened(source, BLOCK, ALL_STREAMS)
    assert opened and 9_000_000 < opened.size < 9_100_000 and source.tell() == 0
    assert largest_opened(source, BLOCK, NOTHING) == Opened(len(data))
    mixing = CompressOptions(preset=LEVELS[1])
    needed = fit_compression(mixing, None, 1, len(data), opened).needed
    code, message = run_main("-1", "a", "--dry-run", "-M", str(needed - 1))
    assert (code, message) == (0, "")
    code, message = run_main("-1", "a", "-M", str(needed - 1))
    assert code == 0 and message.endswith("compressed streams in it stay closed\n")
    (frame,) = frames_of(Path("a.nc").read_bytes())
    assert frame.opened is None
    assert run_main("-1f", "a", "-M", str(needed)) == (0, "")
    (frame,) = frames_of(Path("a.nc").read_bytes())
    assert frame.opened is not None


def test_pictures_take_memory(run_main, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = picture("4:2:0")
    Path("a").write_bytes(gzip.compress(data) + NOISE + data)
    with open("a", "rb") as source:
        found = largest_opened(source, BLOCK, EVERYTHING)
        assert found and found.coefficients == 2 * coefficients_of(data) > 20_000
        without = largest_opened(source, BLOCK, ALL_STREAMS)
        assert without and not without.coefficients
    mixing = CompressOptions(preset=LEVELS[1])
    size = Path("a").stat().st_size
    needed = fit_compression(mixing, None, 1, size, found).needed
    many = fit_compression(mixing, None, 1, size, found._replace(coefficients=1 << 28)).needed
    assert many > needed + 500 * MIB
    assert needed > fit_compression(mixing, None, 1, size, without).needed + 75 * MIB
    assert run_main("-1", "a", "-M", str(needed)) == (0, "")
    (frame,) = frames_of(Path("a.nc").read_bytes())
    assert frame.opened and frame.opened.pictures
    with open("a.nc", "rb") as packed:
        (member,) = MemberReader(packed)
        (frame,) = member.frames()
        assert frame.opened
        limit = RestoreLimit(None)
        need = limit.look_at(member.header, frame)
        closed = replace(frame, opened=frame.opened._replace(pictures=None))
        assert need > limit.look_at(member.header, closed) + 75 * MIB
    code, message = run_main("-1f", "a", "-M", str(needed - 1))
    assert code == 0 and message.endswith("JPEG pictures in it stay closed\n")
    (frame,) = frames_of(Path("a.nc").read_bytes())
    assert frame.opened is None or frame.opened.pictures is None


def test_a_worker_has_room_for_what_it_takes_by_default():
    """As many are started as there is memory for."""
    shape = TextShape(DEFAULT.cutting.most, DEFAULT.parameters.window, BLOCK // 2, unlike=True)
    needed = memory.of_block(EMBEDDED, shape, BLOCK)
    assert 0.95 * WORKER_MEMORY < needed <= WORKER_MEMORY


def test_the_tables_of_drafts_count():
    """With as few streams as tokens are guessed of."""
    for streams in (1, MAX_STREAMS):
        for tokens in (100, 1000, 10**6):
            drafts = new_drafts(streams, tokens, 7, no_ngrams())
            tables = (drafts.followers, drafts.counts, drafts.places)
            assert bytes_of_tables(streams * tokens) == sum(table.nbytes for table in tables)
    few, more = (
        memory.with_model(EMBEDDED, TextShape(n, 256, 10**6), BLOCK)
        for n in (MAX_STREAMS, MAX_STREAMS + 1)
    )
    assert few == more - 256 * EMBEDDED.position + bytes_of_tables(10**6)


def test_what_is_said_of_what_does_not_fit():
    with pytest.raises(MemoryLimitError, match=r"about \d+ MiB .* the limit is 1 MiB; no level"):
        fit_compression(CompressOptions(), MIB, 1, LARGE)
    mixing = CompressOptions(preset=LEVELS[1])
    with pytest.raises(MemoryLimitError, match="use a smaller --block-size"):
        fit_compression(mixing, 300 * MIB, 1, LARGE)
    assert fit_compression(replace(mixing, block_size=1 << 14), 290 * MIB, 1, LARGE).workers == 1


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
        assert [streams_of(frame) for frame in frames_of(packed)] == [n]
    assert [streams_of(frame) for frame in frames_of(compress(NOISE))] == [0]
    (frame,) = frames_of(packed)
    damaged = dict.fromkeys(frame.payloads, b"\xff" * 20)
    with pytest.raises(FormatError):
        streams_of(replace(frame, payloads=damaged))


def test_compression_adapts(run_main, tmp_path, monkeypatch, model, keep_text, long_memory):
    monkeypatch.chdir(tmp_path)
    text = bytes(random.Random(5).choices(b"abcdefghij ", k=8_000))
    Path("a").write_bytes(text)
    packing = ["-4", "--model", model[1], "-T1", "-f", "a"]
    assert run_main(*packing) == (0, "")
    (frame,) = frames_of(Path("a.nc").read_bytes())
    assert streams_of(frame) > 1
    shape = TextShape(1, 256, len(text) // 2)
    limit = str(memory.of_block(long_memory, shape, len(text)))
    code, message = run_main(*packing, "--memlimit", limit)
    assert code == 0 and message.startswith("a: to stay within ")
    assert "1 stream instead of " in message
    (frame,) = frames_of(Path("a.nc").read_bytes())
    assert streams_of(frame) == 1
    assert run_main(*packing, "-q", "-M", limit) == (0, "")
    assert run_main("-d", "--model", model[1], "-o", "b", "a.nc")[0] == 0
    assert Path("b").read_bytes() == text


def test_what_does_not_fit_is_refused(run_main, nacrith, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a").write_bytes(NOISE)
    packed = compress(TEXT, level=2)
    Path("b.nc").write_bytes(packed)
    for command in ("-1 a", "-6 a", "-d b.nc", "-t b.nc", "-dc b.nc"):
        code, message = run_main(*command.split(), "--memlimit", "20M")
        assert code == 1 and "MiB of memory, the limit is 20 MiB" in message
    monkeypatch.setenv("NACRITH_MEMLIMIT", "20M")
    code, message = run_main("a")
    assert code == 1 and "the limit is 20 MiB" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b.nc"]
    assert run_main("-1", "a", "--memlimit", "0") == (0, "")
    assert run_main("-d", "b.nc", "--memory=50%") == (0, "")
    assert Path("b").read_bytes() == TEXT
    for value in ("much", "9" * 19 + "T"):
        monkeypatch.setenv("NACRITH_MEMLIMIT", value)
        code, message = run_main("a", "-f")
        assert code == 1 and "NACRITH_MEMLIMIT" in message
    monkeypatch.delenv("NACRITH_MEMLIMIT")
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


_MEASURE = """
import os, sys
process = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-m", "nacrith", *sys.argv[1:]])
_, status, usage = os.wait4(process, 0)
print(status, usage.ru_maxrss * 1024)
"""


def peak(*arguments: object) -> int:
    """Bytes that a run takes at most, started by a small process: those of a large one, such as
    this, would count."""
    result = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURE, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    status, found = map(int, result.stdout.split())
    assert status == 0, result.stderr
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="units of ru_maxrss")
@pytest.mark.parametrize("level", [3, 6])
def test_the_estimate_holds(tmp_path, level, real_gguf):
    """What a short text takes is no more, and not much less."""
    path, packed = tmp_path / "a", tmp_path / "a.nc"
    path.write_bytes((ROOT / "README.md").read_bytes()[:1000])
    options = CompressOptions(preset=LEVELS[level], parameters=LEVELS[level].parameters)
    needed = fit_compression(options, None, 1, 1000).needed
    assert 0.5 * needed < peak("compress", "-q", f"-{level}", path) < needed
    limit = RestoreLimit(None)
    for member in MemberReader(io.BytesIO(packed.read_bytes())):
        for frame in member.frames():
            limit.look_at(member.header, frame)
    assert 0.5 * limit.need < peak("decompress", "-qf", packed) < limit.need
