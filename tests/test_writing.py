"""A compressed file is whole or not at all, however its writing ends."""

import errno
import gc
import io
import os
import signal
import subprocess
import sys
from typing import Any, cast

import pytest

import nacrith
from nacrith.errors import FileError
from nacrith.file_objects.channel import Channel, Worker
from tests.conftest import ROOT
from tests.faults.writer_trials import DATA, OLD, WRITERS

MODES: dict[str, dict[str, Any]] = {
    "wb": {"block_size": 1000},
    "wt": {"block_size": 1000, "encoding": "latin-1", "newline": ""},
}


class Opener:
    """Opens a path in a mode; has the data that suits it."""

    def __init__(self, path, mode, data, model):
        self.path, self.folder, self.data = path, path.parent, data
        self._mode, self._model = mode, model

    def __call__(self, target=None):
        options = MODES[self._mode]
        return nacrith.open(target or self.path, self._mode, model=self._model, **options)


@pytest.fixture(params=MODES)
def opened(request, tmp_path, tiny_gguf):
    """For a path that has a file, in each kind of mode."""
    path = tmp_path / "a.nc"
    path.write_bytes(OLD)
    data = DATA.decode("latin-1") if request.param == "wt" else DATA

    return Opener(path, request.param, data, tiny_gguf)


def assert_untouched(opened):
    assert opened.path.read_bytes() == OLD
    assert list(opened.folder.iterdir()) == [opened.path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_exception_in_the_block_keeps_the_old_file(opened, error):
    with pytest.raises(error, match="mine"), opened() as file:
        file.write(opened.data)
        raise error("mine")
    assert file.closed
    file.close()
    assert_untouched(opened)


def test_without_an_exception_the_file_is_made(opened):
    with opened() as file:
        file.write(opened.data)
    assert nacrith.decompress(opened.path.read_bytes()) == DATA
    assert list(opened.folder.iterdir()) == [opened.path]


def test_the_collector_makes_no_file(opened):
    file = opened()
    file.write(opened.data)
    with pytest.warns(ResourceWarning, match="discarded"):
        del file
        gc.collect()
    assert_untouched(opened)
    file = opened()
    file.write(opened.data)
    file.itself = file
    with pytest.warns(ResourceWarning, match="discarded"):
        del file
        gc.collect()
    assert_untouched(opened)


@pytest.mark.parametrize("wrap", [io.TextIOWrapper, io.BufferedWriter])
def test_the_collector_closes_the_wrapper_of_a_user(tmp_path, wrap, tiny_gguf):
    path = tmp_path / "a.nc"
    path.write_bytes(OLD)
    file = wrap(nacrith.open(path, "wb", model=tiny_gguf, block_size=1000))
    file.write(DATA.decode("latin-1") if wrap is io.TextIOWrapper else DATA)
    with pytest.warns(ResourceWarning, match="discarded"):
        del file
        gc.collect()
    assert path.read_bytes() == OLD and list(tmp_path.iterdir()) == [path]


def test_a_detached_stream_is_not_discarded(tmp_path):
    path = tmp_path / "a.nc"
    text = nacrith.open(path, "wt")
    text.write("some text")
    raw = cast(io.BufferedWriter, text.detach()).detach()
    del text
    gc.collect()
    raw.close()
    assert nacrith.decompress(path.read_bytes()) == b"some text"


def test_an_interrupted_write_makes_no_file(opened, monkeypatch):
    """The piece may have been taken: going on would lose it or write it twice."""
    write = Channel.write

    def interrupted(channel, piece):
        write(channel, piece)
        raise KeyboardInterrupt

    file = opened()
    monkeypatch.setattr(Channel, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        for _ in range(20):
            file.write(opened.data)
    monkeypatch.undo()
    with pytest.raises(FileError, match="interrupted"):
        file.close()
    file.close()
    assert_untouched(opened)


def test_an_interrupted_close_makes_no_file(opened, monkeypatch):
    def interrupted(worker):
        raise KeyboardInterrupt

    file = opened()
    file.write(opened.data)
    with monkeypatch.context() as patch:
        patch.setattr(Worker, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            file.close()
    assert_untouched(opened)
    file.close()
    assert file.closed


def test_a_refused_write_is_none(opened):
    with opened() as file:
        with pytest.raises(TypeError):
            file.write(7)
        file.write(opened.data)
    assert nacrith.decompress(opened.path.read_bytes()) == DATA


def test_a_full_disk_keeps_the_old_file(opened, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    file = opened()
    file.write(opened.data)
    with pytest.raises(FileError, match="No space left"):
        file.close()
    file.close()
    assert_untouched(opened)


def test_a_file_object_is_left_with_a_file_without_end(opened):
    for n in (10, len(DATA)):
        target = io.BytesIO()
        with pytest.raises(RuntimeError), opened(target) as file:
            file.write(opened.data[:n])
            file.flush()
            worker = (file if isinstance(file, io.BufferedWriter) else file.buffer).raw._worker
            raise RuntimeError
        left = target.getvalue()
        worker.join(60)
        assert not worker.is_alive() and target.getvalue() == left
        with pytest.raises(nacrith.NacrithError):
            nacrith.decompress(left)


def test_a_raw_target_that_takes_little_at_once(tiny_gguf):
    class Dribble(io.RawIOBase):
        taken = b""

        def writable(self):
            return True

        def write(self, data):
            self.taken += bytes(data[:100])
            return min(100, len(data))

    target: Any = Dribble()
    with nacrith.open(target, "wb", model=tiny_gguf, block_size=1000) as file:
        file.write(DATA)
    assert nacrith.decompress(target.taken) == DATA


def test_an_interrupted_close_leaves_a_file_object_alone(monkeypatch, tiny_gguf):
    def interrupted(worker):
        raise KeyboardInterrupt

    target = io.BytesIO()
    file = nacrith.open(target, "wb", model=tiny_gguf, block_size=1000)
    file.write(DATA * 50)
    raw: Any = file.raw
    worker = raw._worker
    with monkeypatch.context() as patch:
        patch.setattr(Worker, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            file.close()
    left = target.getvalue()
    worker.join(60)
    assert not worker.is_alive() and target.getvalue() == left
    with pytest.raises(nacrith.NacrithError):
        nacrith.decompress(left)


def test_fsspec_makes_no_valid_file_of_a_part(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    nacrith.register()
    path = tmp_path / "a.nc"
    opens = [
        lambda: fsspec.open(str(path), "wb", compression="nacrith"),
        lambda: fsspec.open(str(path), "wt", compression="nacrith", encoding="latin-1"),
        lambda: fsspec.filesystem("file").open(str(path), "wb", compression="nacrith"),
        lambda: fsspec.filesystem("file").open(str(path), "wt", compression="nacrith"),
    ]
    for open_it in opens:
        path.write_bytes(OLD)
        with pytest.raises(RuntimeError), open_it() as file:
            file.write("a part" if isinstance(file, io.TextIOBase) else b"a part")
            raise RuntimeError
        with pytest.raises(nacrith.NacrithError):
            nacrith.decompress(path.read_bytes())
    # What was handled when the file was opened says nothing about it.
    try:
        raise RuntimeError
    except RuntimeError:
        with fsspec.open(str(path), "wb", compression="nacrith") as file:
            file.write(DATA)
    assert nacrith.decompress(path.read_bytes()) == DATA


def test_a_transaction_of_fsspec_keeps_the_old_file(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    nacrith.register()
    path = tmp_path / "a.nc"
    path.write_bytes(OLD)

    def write(data):
        transaction = fsspec.filesystem("file").transaction
        with transaction, fsspec.open(str(path), "wb", compression="nacrith") as file:
            file.write(data)
            if data != DATA:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        write(b"a part")
    assert path.read_bytes() == OLD
    write(DATA)
    assert nacrith.decompress(path.read_bytes()) == DATA


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize(
    "ending, times, writers",
    [("kill", 2, ["open wb", "shutil", "fsspec"]), ("raise", 2, WRITERS), ("leave", 5, ["open wb"]),
     ("fork", 4, ["open wb"])],
)  # fmt: skip
def test_random_moments(ending, times, writers, tmp_path, tiny_gguf):
    if "fsspec" in writers:
        pytest.importorskip("fsspec")
    result = subprocess.run(
        [sys.executable, "-m", "tests.faults.writer_trials", tmp_path, tiny_gguf, "1",
         str(times), ending, *writers],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "BROKEN" not in result.stdout
    assert len(result.stdout.splitlines()) == times * len(writers)


@pytest.mark.parametrize(
    "end, code",
    [("signal.raise_signal(signal.SIGINT)", -signal.SIGINT), ("sys.exit(3)", 3), ("1 / 0", 1),
     ("pass", 0)],
)  # fmt: skip
def test_the_end_of_a_program_makes_no_file(end, code, tmp_path, tiny_gguf):
    path = tmp_path / "a.nc"
    path.write_bytes(OLD)
    program = (
        "import signal, sys, nacrith\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"file = nacrith.open({str(path)!r}, 'wb', block_size=1000, model={str(tiny_gguf)!r})\n"
        f"file.write(bytes(20000))\n{end}\n"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert result.returncode == code
    assert path.read_bytes() == OLD and list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("end", ["sys.exit(0)", "1 / 0", "pass"])
def test_a_forked_child_leaves_an_output_to_its_parent(end, tmp_path):
    """The child neither names nor removes the part, nor writes what it finds buffered."""
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom nacrith.system.files import open_output\n"
        f"with open_output(Path({str(tmp_path / 'a')!r})) as sink:\n"
        "    sink.write(b'a whole')\n"
        "    child = os.fork()\n"
        f"    if not child:\n        {end}\n"
        "    else:\n        os.waitpid(child, 0)\n        sink.write(b' file')\n"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert result.returncode == 0, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"a whole file"


def test_the_work_of_an_interrupted_run_is_left_alone(tmp_path):
    """A part of the command line can be gone on with afterwards."""
    path, part = tmp_path / "a.nc", tmp_path / "a.nc.part"
    part.write_bytes(nacrith.compress(DATA, level=1, block_size=1000)[:-30])
    kept = part.read_bytes()
    for mode in ("xb", "wb"):
        with nacrith.open(path, mode, level=1) as file:
            file.write(DATA)
        assert part.read_bytes() == kept
    assert sorted(tmp_path.iterdir()) == [path, part]


def test_a_path_that_a_run_is_writing_to(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    path, part = tmp_path / "a.nc", tmp_path / "a.nc.part"
    with open(part, "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FileError, match="written by another run"):
            nacrith.open(path, "wb", level=1)
    assert list(tmp_path.iterdir()) == [part]
    with (
        nacrith.open(path, "wb", level=1) as file,
        pytest.raises(FileError, match="written by another run"),
    ):
        file.write(DATA)
        nacrith.open(path, "wb", level=1)
