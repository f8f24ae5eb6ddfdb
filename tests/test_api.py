"""The Python interface: gzip's shape, file objects, registration with other libraries."""

import io
import random
import shutil
import subprocess
import sys
import tarfile

import pytest

import nacrith
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
        nacrith.compress(TEXT, preset="huge")
    with pytest.raises(nacrith.NacrithError, match="multiple of 256"):
        nacrith.compress(TEXT, window=100)


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
    decode = in_process.decode_group

    def counted(*arguments):
        decoded.append(1)
        return decode(*arguments)

    monkeypatch.setattr(in_process, "decode_group", counted)
    with nacrith.open(path) as file:
        assert file.read(10) == NOISE[:10]
        file.raw._worker.join(0.5)  # it waits for a reader
        assert len(decoded) <= 5
        worker = file.raw._worker
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


def test_errors_reach_reader_and_writer(tmp_path):
    path = tmp_path / "a.nc"
    packed = bytearray(nacrith.compress(NOISE, block_size=1000))
    packed[len(packed) // 2] ^= 1
    path.write_bytes(packed)
    with nacrith.open(path) as file, pytest.raises(nacrith.NacrithError, match="checksum"):
        file.read()
    path.unlink()
    with (
        pytest.raises(nacrith.NacrithError, match="multiple of 256"),
        nacrith.open(path, "wb", window=100, block_size=1000) as file,
    ):
        file.write(NOISE)
    # So much that a writer finds out before the end.
    file = nacrith.open(path, "wb", window=100, block_size=1000)
    with pytest.raises(nacrith.NacrithError, match="multiple of 256"):
        for _ in range(100):
            file.write(NOISE)
    with pytest.raises(nacrith.NacrithError):
        file.close()
    assert list(tmp_path.iterdir()) == []


def test_tarfile_reads_and_writes_it(tmp_path):
    path = tmp_path / "a.tar.nc"
    with nacrith.open(path, "wb") as file, tarfile.open(fileobj=file, mode="w|") as tar:
        member = tarfile.TarInfo("noise")
        member.size = len(NOISE)
        tar.addfile(member, io.BytesIO(NOISE))
    with nacrith.open(path) as file, tarfile.open(fileobj=file) as tar:
        assert tar.extractfile("noise").read() == NOISE


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
