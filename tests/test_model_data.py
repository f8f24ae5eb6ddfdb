"""What is kept of a model is what is read from its GGUF, and is checked when it is opened."""

import os
import subprocess
import sys

import numpy as np
import pytest

from predictors.language_models import array_file, file_hash
from predictors.language_models.array_file import map_arrays, write_arrays
from predictors.language_models.exact import model_data as module
from predictors.language_models.exact.linear import Linear
from predictors.language_models.exact.model import ExactModel
from predictors.language_models.exact.model_data import model_data
from predictors.language_models.file_hash import sha256_of
from tests.conftest import ROOT

ARRAYS = {
    "bytes": np.arange(300, dtype=np.uint8),
    "numbers": np.arange(-6, 6, dtype=np.int32).reshape(3, 2, 2),
    "one": np.float64(1.5),
    "none": np.zeros((0, 3), dtype=np.float32),
    "many": np.arange(3 << 20, dtype=np.int64),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "nacrith" / "models"


def test_arrays_survive(tmp_path):
    write_arrays(tmp_path / "a", ARRAYS)
    for threads in (1, 3):
        found = map_arrays(tmp_path / "a", threads)
        assert found is not None and found.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            assert found[name].dtype == np.asarray(array).dtype
            assert found[name].shape == np.shape(array) and np.array_equal(found[name], array)
            assert found[name].ctypes.data % 64 == 0
            assert found[name].flags.c_contiguous and found[name].flags.writeable
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_writing_to_a_mapped_array_stays_here(tmp_path):
    write_arrays(tmp_path / "a", ARRAYS)
    first = map_arrays(tmp_path / "a", 1)
    assert first
    first["bytes"][:] = 0
    second = map_arrays(tmp_path / "a", 1)
    assert second and np.array_equal(second["bytes"], ARRAYS["bytes"])


def test_damage_is_noticed(tmp_path):
    path = tmp_path / "a"
    write_arrays(path, {"a": np.arange(1000), "b": np.ones(3, dtype=np.uint8)})
    whole = path.read_bytes()
    for place in [*range(0, 300, 7), *range(300, len(whole), 501), len(whole) - 1]:
        data = bytearray(whole)
        data[place] ^= 0x10
        path.write_bytes(data)
        found = map_arrays(path, 1)
        # Between the header and the first array nothing is kept.
        assert found is None or np.array_equal(found["a"], np.arange(1000))
        assert found is None or place < 300
    for end in (0, 1, 20, 100, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert map_arrays(path, 1) is None
    assert map_arrays(tmp_path / "none", 1) is None


def test_what_was_begun_ahead_is_taken_once(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_arrays(path, ARRAYS)
    array_file.map_ahead(path)
    array_file.map_ahead(path)
    with monkeypatch.context() as patch:
        begun = array_file._ahead[path].result(60)
        patch.setattr(array_file, "_map", None)
        found = map_arrays(path, 2)
    assert found and found is begun and found["one"] == 1.5
    assert map_arrays(path, 2) is not begun
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    array_file.map_ahead(path)
    assert map_arrays(path, 1) is None


def test_what_is_kept_is_what_was_read(gguf, folder):
    read = model_data(gguf, 1)
    (kept,) = folder.glob("*.arrays")
    assert str(read.shape.width) and sha256_of(gguf)[:32] in kept.name
    found = model_data(gguf, 2)
    assert found.shape == read.shape and found.context == read.context
    assert np.array_equal(found.frequencies, read.frequencies)
    for name, value in read.weights._asdict().items():
        other = getattr(found.weights, name)
        assert type(other) is type(value), name
        parts = value if isinstance(value, Linear) else (value,)
        others = other if isinstance(value, Linear) else (other,)
        for a, b in zip(parts, others, strict=True):
            assert np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype
            # Else the kernels would be compiled twice.
            assert np.asarray(a).flags.writeable == np.asarray(b).flags.writeable
    text = "The owl, the pussycat é \x04".encode()
    assert found.vocabulary.spellings == read.vocabulary.spellings
    assert np.array_equal(found.vocabulary.encode(text), read.vocabulary.encode(text))
    assert found.vocabulary.start_token == read.vocabulary.start_token
    for name in ("split", "child", "depth", "partial", "spelling", "begin"):
        assert np.array_equal(
            getattr(found.vocabulary.trie, name), getattr(read.vocabulary.trie, name)
        )
    assert found.vocabulary.trie.max_decisions == read.vocabulary.trie.max_decisions
    assert found.vocabulary.trie.min_decisions == read.vocabulary.trie.min_decisions


def test_a_kept_model_is_not_read_again(gguf, folder, monkeypatch):
    first = ExactModel(gguf, 1)
    monkeypatch.setattr(module, "_read", None)
    second = ExactModel(gguf, 1)
    logits = [m.open(1, 64, 4).step(np.array([5], dtype=np.int32)).copy() for m in (first, second)]
    assert np.array_equal(*logits)


def test_a_damaged_file_is_replaced(gguf, folder):
    model_data(gguf, 1)
    (kept,) = folder.glob("*.arrays")
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    model_data(gguf, 1)
    assert kept.read_bytes() == whole


def test_files_of_other_layouts_go(gguf, folder, monkeypatch):
    model_data(gguf, 1)
    monkeypatch.setattr(module, "_LAYOUT", 99)
    model_data(gguf, 1)
    (kept,) = folder.glob("*.arrays")
    assert "-99-" in kept.name


@pytest.mark.parametrize("kind", ["file in the way", "no home", "full disk"])
def test_without_a_folder_nothing_is_kept_and_all_works(gguf, folder, kind, monkeypatch):
    if kind == "file in the way":
        folder.parent.parent.mkdir(parents=True)
        folder.parent.write_text("")
    elif kind == "no home":
        monkeypatch.setattr(module, "cache_folder", lambda: None)
        monkeypatch.setattr(file_hash, "cache_folder", lambda: None)
    else:

        def full(*arguments):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.replace", full)
    for _ in range(2):
        assert model_data(gguf, 1).shape.width
    assert not list(folder.glob("*"))


@pytest.mark.parametrize("damaged", [False, True])
def test_a_folder_that_others_have_written_is_left_alone(gguf, folder, damaged, monkeypatch):
    model_data(gguf, 1)
    (kept,) = folder.glob("*.arrays")
    if damaged:
        kept.write_bytes(kept.read_bytes()[:-1])
    else:
        monkeypatch.setattr(module, "_LAYOUT", 99)
    before = kept.read_bytes()

    def refuse(*arguments, **named):
        raise PermissionError(13, "Permission denied")

    # Permissions do not stop the superuser, whom tests may run as.
    for name in ("pathlib.Path.unlink", "os.replace", "tempfile.mkstemp"):
        monkeypatch.setattr(name, refuse)
    assert model_data(gguf, 1).shape.width
    assert [path.name for path in folder.glob("*.arrays")] == [kept.name]
    assert kept.read_bytes() == before


def test_a_changed_model_is_another(gguf, folder):
    before = sha256_of(gguf)
    assert sha256_of(gguf) == before
    data = bytearray(gguf.read_bytes())
    data[-1] ^= 1
    gguf.write_bytes(data)
    assert sha256_of(gguf) != before
    # The same time stamp and size, but another file.
    other = gguf.with_name("other")
    other.write_bytes(bytes(data[:-1]) + bytes([data[-1] ^ 1]))
    stamp = gguf.stat().st_mtime_ns
    os.utime(other, ns=(stamp, stamp))
    other.replace(gguf)
    assert sha256_of(gguf) == before


def test_a_hash_is_remembered(gguf, folder, monkeypatch):
    digest = sha256_of(gguf)
    monkeypatch.setattr("hashlib.sha256", None)
    assert sha256_of(gguf) == digest
    (path,) = folder.glob("*.sha256")
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (1, 0x10):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            with pytest.raises(TypeError):
                sha256_of(gguf)
    path.write_bytes(whole)
    assert sha256_of(gguf) == digest


def test_processes_can_write_at_the_same_time(gguf, folder):
    code = f"""
import pathlib
from predictors.language_models.exact.model_data import model_data
model_data(pathlib.Path({str(gguf)!r}), 1)
"""
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    (kept,) = folder.glob("*.arrays")
    assert map_arrays(kept, 1) is not None and len(list(folder.iterdir())) == 2
