"""The Python interface: gzip's shape, file objects, registration with other libraries."""

import inspect
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, get_args

import numpy
import pytest

import nacrith
from nacrith import api
from nacrith.backends import BACKENDS
from nacrith.codec.frame_decoder import decode_frame
from nacrith.pipeline.compress import parameters_for
from nacrith.pipeline.presets import PRESETS
from nacrith.transforms.opening.limits import INSIDE
from nacrith.workers import in_process
from tests.conftest import ROOT

TEXT = b"Alice was beginning to get very tired.\n" * 8
NOISE = random.Random(0).randbytes(10_000)


@pytest.fixture
def options(tiny_gguf):
    return {"model": tiny_gguf, "window": 256, "threads": 1}


def test_bytes_there_and_back(options, tiny_gguf):
    packed = nacrith.compress(TEXT, **options)
    assert packed[:4] == b"NC06"
    assert nacrith.decompress(packed, model=tiny_gguf) == TEXT
    assert nacrith.decompress(memoryview(packed + packed), model=str(tiny_gguf)) == TEXT + TEXT
    assert nacrith.decompress(nacrith.compress(b"")) == b""


def test_presets_and_wrong_options(options):
    for preset in ("fast", "best"):
        packed = nacrith.compress(TEXT, model=options["model"], preset=preset, threads=1)
        assert nacrith.decompress(packed, model=options["model"]) == TEXT
    with pytest.raises(ValueError, match="default, fast, best"):
        nacrith.compress(TEXT, preset="huge")  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [1, 2, 3, 4, 6])
def test_levels(options, level):
    packed = nacrith.compress(TEXT, model=options["model"], level=level, threads=1)
    assert nacrith.decompress(packed, model=options["model"]) == TEXT
    if level == PRESETS["fast"]:
        assert packed == nacrith.compress(TEXT, preset="fast")


@pytest.mark.parametrize("level", [0, 10, -1, True])
def test_wrong_levels(level):
    if level is True:
        # An integer to Python, and to gzip.
        assert nacrith.compress(b"", level=level)
        return
    with pytest.raises(ValueError, match="the level must be from 1 to 9"):
        nacrith.compress(TEXT, level=level)
    with pytest.raises(TypeError, match="level must be an integer"):
        nacrith.compress(TEXT, level=str(level))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not both"):
        nacrith.compress(TEXT, level=1, preset="best")


@pytest.mark.parametrize(
    "wrong",
    [{name: value} for name in ("streams", "window", "threads", "block_size")
     for value in (-1, 2**31, 2**63)]
    + [{"block_size": 0}, {"window": 100}, {"streams": 257}, {"threads": 1025},
       {"streams": 256, "window": 2048}, {"backend": "foo"}, {"preset": "huge"}],
)  # fmt: skip
def test_arguments_that_make_no_sense(wrong, tmp_path):
    """They are refused whatever the data; a target is not touched."""
    with pytest.raises(ValueError):
        nacrith.compress(b"x", **wrong)
    with pytest.raises(ValueError):
        nacrith.open(tmp_path / "a.nc", "w", **wrong)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [{name: value} for name in ("streams", "window", "threads", "block_size")
     for value in ("1", 256.0, None)]
    + [{"backend": None}, {"backend": 1}, {"preset": None}, {"preset": ["fast"]}, {"model": 1},
       {"unknown": 1}],
)  # fmt: skip
def test_arguments_of_a_wrong_type(wrong, tmp_path):
    with pytest.raises(TypeError):
        nacrith.compress(b"x", **wrong)
    for mode in ("w", "r") if wrong.keys() & {"model", "unknown"} else ("w",):
        with pytest.raises(TypeError):
            nacrith.open(tmp_path / "a.nc", mode, **wrong)
    assert not list(tmp_path.iterdir())


def test_a_dictionary_of_a_wrong_type_is_named():
    wrong: list[Any] = [None, "text", 5]
    for dictionary in wrong:
        with pytest.raises(TypeError, match="dictionary must be bytes"):
            nacrith.compress(b"x", level=1, dictionary=dictionary)


def test_data_of_a_wrong_type():
    wrong: list[Any] = [None, "text", 5, [1]]
    for data in wrong:
        with pytest.raises(TypeError):
            nacrith.compress(data)
        with pytest.raises(TypeError):
            nacrith.decompress(data)
    assert nacrith.decompress(nacrith.compress(memoryview(b"12345678").cast("i"))) == b"12345678"


def test_numbers_that_leave_the_choice(options):
    packed = nacrith.compress(b"x", streams=0, window=0, threads=0)
    assert nacrith.decompress(packed) == b"x"
    # So long a window leaves room for fewer streams than the size would have.
    text = TEXT * 3000
    wide = api.chosen_options(window=1 << 17)
    assert parameters_for(wide, text, len(text)).problem() is None
    assert nacrith.compress(TEXT, **{**options, "window": numpy.int64(256)})


def test_a_model_that_is_not_there_is_missed_at_once(tmp_path):
    packed = nacrith.compress(b"x")
    for model in (tmp_path / "no.gguf", str(tmp_path)):
        with pytest.raises(nacrith.NacrithError, match="the model"):
            nacrith.compress(b"x", model=model)
        with pytest.raises(nacrith.NacrithError, match="the model"):
            nacrith.decompress(packed, model=model)
        for mode in ("r", "w"):
            with pytest.raises(nacrith.NacrithError, match="the model"):
                nacrith.open(tmp_path / "a.nc", mode, model=model)
    assert not list(tmp_path.iterdir())


def test_errors_are_those_of_the_package():
    for damaged in (b"", b"not a file", nacrith.compress(NOISE)[:-3]):
        with pytest.raises(nacrith.NacrithError):
            nacrith.decompress(damaged)


def test_a_file_object_there_and_back(tmp_path, options, tiny_gguf):
    path = tmp_path / "a.nc"
    with nacrith.open(path, "wb", **options) as file:
        assert file.writable() and not file.readable()
        file.write(TEXT[:50])
        file.write(TEXT[50:])
        assert file.tell() == len(TEXT)
        assert not path.exists()
    assert path.read_bytes() == nacrith.compress(TEXT, **options)
    with nacrith.open(path, model=tiny_gguf) as file:
        assert file.readline() == TEXT[:39]
        assert file.peek(1)[:1] == b"A"
        assert file.read() == TEXT[39:] and file.read() == b""
    assert list(tmp_path.iterdir()) == [path]


def test_text_modes(tmp_path):
    text = "ein Käse\nkein Brot\n"
    path = str(tmp_path / "a.nc")
    with nacrith.open(path, "wt", encoding="latin-1", newline="\r\n") as file:
        file.write(text)
    assert nacrith.open(path).read() == text.encode("latin-1").replace(b"\n", b"\r\n")
    with nacrith.open(path, "rt", encoding="latin-1") as file:
        assert list(file) == text.splitlines(keepends=True)


def test_reading_starts_before_the_end_is_decoded(tmp_path, monkeypatch):
    path = tmp_path / "a.nc"
    path.write_bytes(nacrith.compress(NOISE, block_size=1000))
    decoded = []

    def counted(*arguments):
        decoded.append(1)
        yield from decode_frame(*arguments)

    monkeypatch.setattr(in_process, "decode_frame", counted)
    with nacrith.open(path) as file:
        assert file.read(10) == NOISE[:10]
        raw: Any = file.raw
        worker = raw._worker
        worker.join(0.5)  # it waits for a reader
        assert len(decoded) <= 5
    worker.join(5)
    assert not worker.is_alive() and len(decoded) <= 6


def test_seeking(tmp_path):
    path = tmp_path / "a.nc"
    path.write_bytes(nacrith.compress(NOISE, block_size=1000))
    with nacrith.open(path) as file:
        assert file.seekable()
        for position in (5000, 9999, 17, 0):
            assert file.seek(position) == file.tell() == position
            assert file.read(100) == NOISE[position : position + 100]
        assert file.seek(-10, io.SEEK_END) == len(NOISE) - 10
        assert file.read() == NOISE[-10:]
        with pytest.raises(ValueError):
            file.seek(-1)


@pytest.mark.parametrize("size", [1, 3, 100_000])
def test_file_objects_with_one_method(size):
    """`read` is enough to read from, `write` to write to, in pieces of any size."""
    data = TEXT * 3

    class Target:
        packed = b""

        def write(self, piece):
            self.packed += bytes(piece[:size])
            return min(size, len(piece))

    class Source:
        def __init__(self, packed):
            self.left = packed

        def read(self, n=-1):
            piece, self.left = self.left[: min(n, size)], self.left[min(n, size) :]
            return piece

    target: Any = Target()
    with nacrith.open(target, "w", level=1) as file:
        file.write(data)
    source: Any = Source(target.packed)
    with nacrith.open(source) as restored:
        assert not restored.seekable()
        assert restored.read() == data


@pytest.mark.parametrize(
    "use",
    [
        lambda file: file.seek(0, 3),
        lambda file: file.seek(0, 4),
        lambda file: file.seek(-1),
        lambda file: (file.close(), file.tell()),
        lambda file: (file.close(), file.seek(0)),
        lambda file: (file.close(), file.read()),
        lambda file: (file.close(), file.__enter__()),
    ],
)
def test_what_any_file_object_refuses(tmp_path, use):
    packed = nacrith.compress(TEXT, level=1)
    for file in (nacrith.open(io.BytesIO(packed)), nacrith.open(tmp_path / "a.nc", "w", level=1)):
        with file, pytest.raises(ValueError):
            use(file)


def test_a_file_object_given_is_left_open():
    packed = io.BytesIO()
    with nacrith.open(packed, "wb") as file:
        file.write(NOISE)
    packed.seek(0)
    with nacrith.open(packed) as file:
        assert file.read() == NOISE
    assert not packed.closed


def test_the_modes_of_open(tmp_path):
    path = tmp_path / "a.nc"
    with pytest.raises(FileNotFoundError):
        nacrith.open(path)
    with nacrith.open(path, "xb") as file:
        file.write(b"first")
    with pytest.raises(FileExistsError):
        nacrith.open(path, "xb")
    with nacrith.open(path, "w") as file:
        file.write(b"second")
    assert nacrith.open(path, "rt").read() == "second"
    for mode in ("", "a", "rw", "rbt", "r+"):
        with pytest.raises(ValueError, match="mode"):
            nacrith.open(path, mode)
    with pytest.raises(ValueError, match="text"):
        nacrith.open(path, "rb", encoding="utf-8")
    with pytest.raises(ValueError, match="only for writing"):
        nacrith.open(path, "rb", preset="fast")


def _as_nobody(function):
    """Do it without root's rights, which no permission stops."""
    if os.geteuid():
        return function()
    os.seteuid(65534)
    try:
        return function()
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of POSIX")
@pytest.mark.parametrize("mode", ["rb", "wb", "xb", "rt", "wt", "xt"])
def test_open_raises_what_the_builtin_open_does(mode):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "file").write_bytes(b"kept")
        (folder / "forbidden").mkdir()
        (folder / "forbidden" / "old").touch()
        for path in ("file", "forbidden/old"):
            (folder / path).chmod(0o444 if path == "file" else 0)
        (folder / "dangling").symlink_to("nothing")
        (folder / "forbidden").chmod(0o555)
        names = ["no/x", "file/x", ".", "forbidden", "forbidden/new", "forbidden/old", "new/",
                 "x" * 300, "a\0b"]  # fmt: skip
        names += ["file"] if mode[0] != "r" else ["missing", "dangling"]
        names += ["dangling"] if mode[0] == "x" else []
        for path in [f"{folder}/{name}" for name in names] + [""]:
            given = [path, os.fsencode(path)] + [Path(path)] * (path[-1:] not in ("", "/"))
            for file in given:
                errors = []
                for opener in (open, nacrith.open):
                    with pytest.raises((OSError, ValueError)) as caught:
                        _as_nobody(lambda o=opener, f=file: o(f, mode))
                    errors.append(caught.value)
                builtin, ours = errors
                assert type(ours) is type(builtin), (path, ours)
                if isinstance(builtin, OSError) and isinstance(ours, OSError):
                    assert ours.errno == builtin.errno and ours.filename == builtin.filename
        assert (folder / "file").read_bytes() == b"kept"
        assert sorted(path.name for path in folder.iterdir()) == ["dangling", "file", "forbidden"]


def test_open_of_what_is_no_file(tmp_path):
    for mode in ("r", "w"):
        no_files: list[Any] = [None, 3, [], io.StringIO(), object()]
        for no_file in no_files:
            with pytest.raises(TypeError):
                nacrith.open(no_file, mode)
    no_modes: list[Any] = [None, b"r", 1]
    for no_mode in no_modes:
        with pytest.raises(TypeError):
            nacrith.open(tmp_path / "a", no_mode)
    (tmp_path / "a").write_bytes(b"kept")
    with open(tmp_path / "a", "rb") as file, pytest.raises(io.UnsupportedOperation):
        nacrith.open(file, "w")
    with pytest.raises(ValueError, match="closed"):
        nacrith.open(file, "r")
    with open(tmp_path / "b", "wb") as target, pytest.raises(io.UnsupportedOperation):
        nacrith.open(target, "r")
    # As the built-in `open`, but without touching the file.
    for wrong, error in (
        ({"encoding": "nonsense"}, LookupError),
        ({"errors": "nonsense"}, LookupError),
        ({"newline": "x"}, ValueError),
        ({"encoding": 7}, TypeError),
    ):
        with pytest.raises(error):
            nacrith.open(tmp_path / "a", "wt", **wrong)
    assert (tmp_path / "a").read_bytes() == b"kept"


def test_errors_reach_reader_and_writer(tmp_path):
    path = tmp_path / "a.nc"
    packed = bytearray(nacrith.compress(NOISE, block_size=1000))
    packed[len(packed) // 2] ^= 1
    path.write_bytes(packed)
    with nacrith.open(path) as file, pytest.raises(nacrith.NacrithError, match="checksum"):
        file.read()
    path.unlink()
    no_model = tmp_path.with_name("no_model.gguf")
    no_model.write_bytes(b"GGUF")
    with (
        pytest.raises(nacrith.NacrithError, match="no_model"),
        nacrith.open(path, "wb", model=no_model, block_size=1000) as target,
    ):
        target.write(NOISE)
    # So much that a writer finds out before the end.
    target = nacrith.open(path, "wb", model=no_model, block_size=1000)
    with pytest.raises(nacrith.NacrithError, match="no_model"):
        for _ in range(100):
            target.write(NOISE)
    with pytest.raises(nacrith.NacrithError):
        target.close()
    assert list(tmp_path.iterdir()) == []


def test_tarfile_reads_and_writes_it(tmp_path):
    path = tmp_path / "a.tar.nc"
    with nacrith.open(path, "wb") as target, tarfile.open(fileobj=target, mode="w|") as tar:
        member = tarfile.TarInfo("noise")
        member.size = len(NOISE)
        tar.addfile(member, io.BytesIO(NOISE))
    with nacrith.open(path) as file, tarfile.open(fileobj=file) as tar:
        content = tar.extractfile("noise")
        assert content is not None and content.read() == NOISE


def test_shutil_archives(tmp_path):
    nacrith.register()
    nacrith.register()
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a").write_bytes(NOISE)
    archive = shutil.make_archive(tmp_path / "out" / "b", "nctar", tmp_path, "folder")
    assert archive == str(tmp_path / "out" / "b.tar.nc")
    shutil.unpack_archive(archive, tmp_path / "restored")
    assert (tmp_path / "restored" / "folder" / "sub" / "a").read_bytes() == NOISE


def test_fsspec_compression(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    nacrith.register()
    path = str(tmp_path / "a.nc")
    with fsspec.open(path, "wb", compression="nacrith") as file:
        file.write(NOISE)
    assert nacrith.decompress((tmp_path / "a.nc").read_bytes()) == NOISE
    with fsspec.open(path, "rt", compression="nacrith", encoding="latin-1") as file:
        assert file.read(3) == NOISE[:3].decode("latin-1")


def test_the_interface_is_what_dir_shows():
    code = (
        "import nacrith; nacrith.open; nacrith.decompressobj; import nacrith.cli;"
        "print(dir(nacrith)); from nacrith import *;"
        "print(all(name in globals() for name in nacrith.__all__))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = sorted([*nacrith.__all__, "__version__"])
    assert result.stdout == f"{names}\nTrue\n"
    for name in names:
        assert getattr(nacrith, name) is not None


def test_names_are_typed_as_those_that_there_are():
    assert get_args(api.PresetName) == tuple(PRESETS)
    assert get_args(api.BackendName) == BACKENDS
    assert get_args(api.InsideName) == tuple(INSIDE)
    # The same arguments everywhere.
    wanted = inspect.signature(nacrith.compress).parameters.keys() - {"data"}
    assert inspect.signature(api.chosen_options).parameters.keys() == wanted
    # A codec stays in its process.
    assert inspect.signature(nacrith.Codec).parameters.keys() == wanted - {"gpus"}
    restoring = inspect.signature(nacrith.decompress).parameters.keys() - {"data"}
    assert inspect.signature(nacrith.decompressobj).parameters.keys() == restoring
    assert api.WriteOptions.__annotations__.keys() == wanted


@pytest.mark.parametrize(
    "wrong",
    [
        {"backend": "foo"},
        {"level": 11},
        {"inside": "all"},
        {"streams": -1},
        {"window": 100},
        {"device": "tpu"},
    ],
    ids=str,
)
def test_every_call_checks_its_arguments_first(wrong, tmp_path):
    for call in (
        lambda: nacrith.compress(b"five.", **wrong),
        lambda: nacrith.open(tmp_path / "a.nc", "wt", **wrong),
        lambda: nacrith.compressobj(**wrong),
        lambda: nacrith.Codec(**wrong),
    ):
        with pytest.raises(ValueError):
            call()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong",
    [{"dictionary": "text"}, {"dictionary": 5}, {"model": 1}, {"device": 1}, {"gpus": "1"}],
    ids=str,
)
def test_calls_that_restore_check_their_arguments_first(wrong, tmp_path):
    packed = nacrith.compress(b"five.")
    (tmp_path / "a.nc").write_bytes(packed)
    for call in (
        lambda: nacrith.decompress(packed, **wrong),
        lambda: nacrith.open(tmp_path / "a.nc", **wrong),
        lambda: nacrith.decompressobj(**wrong),
    ):
        with pytest.raises(TypeError):
            call()


def test_lines_and_errors_of_text(tmp_path):
    path = tmp_path / "a.nc"
    with nacrith.open(path, "wt", encoding="ascii", errors="replace", newline="") as file:
        file.write("one\r\ntwo é\n")
    assert nacrith.open(path).read() == b"one\r\ntwo ?\n"
    assert nacrith.open(path, "rt", newline="").read() == "one\r\ntwo ?\n"
    assert nacrith.open(path, "rt").read() == "one\ntwo ?\n"
    path.write_bytes(nacrith.compress(b"\xff"))
    assert nacrith.open(path, "rt", encoding="utf-8", errors="replace").read() == "\ufffd"
    with pytest.raises(UnicodeDecodeError):
        nacrith.open(path, "rt", encoding="utf-8").read()


def test_importing_is_light():
    code = (
        "import sys, nacrith; nacrith.NacrithError;"
        "print(sorted({'numpy', 'numba', 'click', 'nacrith.api'} & set(sys.modules)),"
        "nacrith.compress.__module__, hasattr(nacrith, 'nothing'))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[] nacrith.api False"
