"""Where compiled code is kept, and what happens if it can't be, or is damaged."""

import importlib
import importlib.util
import shutil
import sys

import pytest

from coder import kernels, messages

SOURCE = """
from coder.kernels import njit

FACTOR = {factor}

@njit(cache=True)
def inner(x):
    return x * FACTOR

@njit(cache=True)
def outer(x):
    return inner(x) + 1
"""


@pytest.fixture(autouse=True)
def new_messages():
    messages.say_once.cache_clear()
    kernels._hash_of_file.cache_clear()


@pytest.fixture
def load(tmp_path):
    """Import a module of kernels as a new process would; run it once."""
    package = tmp_path / "package"
    names = []

    def run(factor=3, name="module"):
        package.mkdir(exist_ok=True)
        (package / "module.py").write_text(SOURCE.format(factor=factor))
        kernels._hash_of_file.cache_clear()
        spec = importlib.util.spec_from_file_location(name, package / "module.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        names.append(name)
        # A module of bytecode that is a second old would be taken for the new one.
        shutil.rmtree(package / "__pycache__", ignore_errors=True)
        spec.loader.exec_module(module)
        assert module.outer(2) == 2 * factor + 1
        return module.outer

    yield run
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder))
    return folder


def hits(dispatcher):
    return sum(dispatcher.stats.cache_hits.values())


def files(folder):
    return sorted(folder.rglob("*.nbc"))


def test_compiled_code_is_found_again(load, cache):
    assert hits(load()) == 0
    assert len(files(cache)) == 2
    assert hits(load()) == 1
    assert not list(cache.rglob("*.tmp"))


def test_another_constant_is_seen_by_who_calls(load, cache):
    load(3)
    assert hits(load(4)) == 0


def test_code_of_a_module_that_has_moved_is_made_again(load, cache):
    load()
    del sys.modules["module"]
    assert hits(load(name="moved")) == 0


def damage(path, how):
    data = path.read_bytes()
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "flipped": changed}[how])


@pytest.mark.parametrize("how", ["empty", "cut", "flipped"])
def test_damaged_code_is_made_again_and_said_once(load, cache, caplog, how):
    load()
    for path in files(cache):
        damage(path, how)
    assert hits(load()) == 0
    assert [record.getMessage() for record in caplog.records] == [
        "nacrith: damaged files of compiled kernels are made again"
    ]
    assert hits(load()) == 1


def test_without_a_folder_code_is_compiled_and_the_user_told(load, tmp_path, caplog, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert hits(load()) == 0
    (record,) = caplog.records
    assert "NUMBA_CACHE_DIR" in record.getMessage()


def test_a_full_disk_does_not_end_the_run(load, cache, caplog, monkeypatch):
    def full(path, data):
        with open(path, "wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert hits(load()) == 0
    assert "No space left" in caplog.text
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_the_folders(tmp_path, monkeypatch):
    source = tmp_path / "package" / "module.py"
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    beside, user = kernels.cache_folders(source)
    assert beside == source.parent / "__pycache__"
    assert user.parent == tmp_path / "user" / "nacrith" / "kernels"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "given"))
    (given,) = kernels.cache_folders(source)
    assert given.parent == tmp_path / "given"


def test_the_second_folder_is_taken_if_the_first_is_read_only(load, tmp_path, monkeypatch):
    load()
    (tmp_path / "file").touch()
    folders = [tmp_path / "file" / "none", tmp_path / "user"]
    monkeypatch.setattr(kernels, "cache_folders", lambda source: folders)
    load()
    assert len(files(tmp_path / "user")) == 2
    assert hits(load()) == 1


def test_kernels_that_are_named_by_their_module_count():
    from predictors.mixing import mixer, weight_sets
    from predictors.text import decision

    called = {f for f, _ in kernels._callees(decision._decide.py_func, set())}
    assert weight_sets.mix.py_func in called and mixer.mix.py_func not in called
    named = kernels._globals_of(decision._decide.py_func)
    assert named["weight_sets.CONSTANT_INPUT"] == weight_sets.CONSTANT_INPUT


def test_what_is_called_through_a_module_is_seen(tmp_path, cache, monkeypatch):
    def write(constant: int) -> int:
        for name in ("callee", "caller"):
            sys.modules.pop(name, None)
        (tmp_path / "callee.py").write_text(
            "from coder.kernels import njit\n\n"
            f"C = {constant}\n\n\n@njit(cache=True)\ndef add(x):\n    return x + C\n"
        )
        (tmp_path / "caller.py").write_text(
            "import callee\nfrom coder.kernels import njit\n\n\n"
            "@njit(cache=True)\ndef f(x):\n    return callee.add(x)\n"
        )
        importlib.invalidate_caches()
        return int(importlib.import_module("caller").f(1))

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert [write(3), write(4), write(3)] == [4, 5, 4]
