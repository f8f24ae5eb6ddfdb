"""Several files, folders: one that fails does not stop the others."""

import builtins
import os
import random

import pytest

from tests.conftest import assert_fails

NOISE = random.Random(1).randbytes(700)


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def fill(folder):
    (folder / "in" / "below").mkdir(parents=True)
    for name in ("in/a", "in/b", "in/below/c"):
        (folder / name).write_bytes(name.encode() + NOISE)
    (folder / "in" / "link").symlink_to("a")
    os.mkfifo(folder / "in" / "fifo")


def test_folders_there_and_back(nacrith, tmp_path):
    fill(tmp_path)
    result = nacrith("compress", "-r", "-v", "--rm", "in")
    assert result.returncode == 0
    assert "3 files done: 2118 bytes" in result.stderr.decode()
    # Links and pipes stay as they are.
    packed = ["in/a.nc", "in/b.nc", "in/below/c.nc", "in/fifo", "in/link"]
    assert names(tmp_path) == packed
    # What is compressed is left alone, and nothing else is there.
    assert nacrith("compress", "-r", "in").returncode == 0
    assert names(tmp_path) == packed
    assert nacrith("test", "-r", "in").stderr.count(b"OK") == 3
    assert nacrith("decompress", "-r", "--rm", "in").returncode == 0
    assert names(tmp_path) == ["in/a", "in/b", "in/below/c", "in/fifo", "in/link"]
    assert (tmp_path / "in" / "below" / "c").read_bytes() == b"in/below/c" + NOISE


def test_the_summary_counts_what_failed(nacrith, tmp_path):
    fill(tmp_path)
    assert nacrith("compress", "-r", "in").returncode == 0
    spoiled = bytearray((tmp_path / "in/b.nc").read_bytes())
    spoiled[300] ^= 4
    (tmp_path / "in/b.nc").write_bytes(spoiled)
    assert_fails(nacrith("test", "-r", "in"), 1, "in/b.nc: ", "2 files done, 1 failed")
    assert_fails(nacrith("test", "--quick", "-r", "in"), 1, "in/b.nc: ", "2 files done, 1 failed")
    for name in ("a", "b", "below/c"):
        (tmp_path / "in" / name).unlink()
    result = nacrith("decompress", "-r", "in")
    assert_fails(result, 1, "in/b.nc: ", "2 files done, 1 failed: 1414 bytes")
    assert not (tmp_path / "in" / "b").exists()
    assert (tmp_path / "in" / "below" / "c").exists()


def test_what_the_system_refuses_does_not_stop_the_others(nacrith, tmp_path):
    long = "x" * 254
    for name in (long, "b"):
        (tmp_path / name).write_bytes(NOISE)
    assert_fails(nacrith("compress", long, "b"), 1, "name too long", "1 file done, 1 failed")
    assert (tmp_path / "b.nc").exists()


def test_a_folder_needs_recursive(nacrith, tmp_path):
    fill(tmp_path)
    assert_fails(nacrith("compress", "in"), 1, "is a directory", "tar", "-r")
    assert_fails(nacrith("compress", "in/fifo"), 1, "not a regular file", "-f")


def test_several_results_on_one_standard_output(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(b"one" + NOISE)
    (tmp_path / "b").write_bytes(b"two" + NOISE)
    packed = nacrith("compress", "-c", "a", "b", environment={"PYTHONUNBUFFERED": "1"}).stdout
    assert nacrith("decompress", stdin=packed).stdout == b"one" + NOISE + b"two" + NOISE


def test_names_that_are_not_utf8(nacrith, tmp_path):
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / name).write_bytes(NOISE)
    strict = {"PYTHONIOENCODING": "utf-8"}
    assert nacrith("compress", "-v", name, environment=strict).returncode == 0
    result = nacrith("info", name + ".nc", environment=strict)
    assert result.returncode == 0 and result.stdout.startswith(rb"caf\xe9.nc: NC06")


@pytest.mark.parametrize("command", ["decompress", "test", "list", "info"])
def test_a_message_names_its_file(tmp_path, monkeypatch, run_main, command):
    """Also a file whose name is a word of the message, or a part of one."""
    monkeypatch.chdir(tmp_path)
    files = ["a", "is", "NC06", "t", "long name"]
    for name in files:
        (tmp_path / name).write_bytes(NOISE)
    _, message = run_main(command, *(["-c"] if command == "decompress" else []), *files)
    found = [line.partition(": this is")[0] for line in message.splitlines()]
    assert found[:-1] == [f"nacrith: {name}" for name in files]


@pytest.mark.parametrize("command", ["compress", "decompress", "test", "list"])
def test_quiet_is_quiet_of_the_count(tmp_path, run_main, command):
    files = [tmp_path / "missing.nc", tmp_path / "missed.nc"]
    code, message = run_main(command, "-q", *files)
    assert code == 1
    lines = [f"nacrith: can't read {file}: No such file or directory" for file in files]
    assert message.splitlines() == lines
    assert "0 files done, 2 failed" in run_main(command, *files)[1]


@pytest.mark.parametrize("command", ["compress", "decompress", "test", "list", "info"])
def test_a_file_that_must_not_be_read(tmp_path, monkeypatch, run_main, command):
    """It is no wrong usage, for which nothing would be done. (Root may read all, so it is told.)"""
    from nacrith.system import files

    packed = b"NC06 is not all there is"
    locked, other = tmp_path / "locked.nc", tmp_path / "other.nc"
    for path in (locked, other):
        path.write_bytes(packed)

    def refuse(path, *rest):
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return builtins.open(path, *rest)

    monkeypatch.setattr(os, "access", lambda path, *rest, **given: str(path) != str(locked))
    monkeypatch.setattr(files, "open", refuse, raising=False)
    code, message = run_main(command, *(["-f"] if command == "compress" else []), locked, other)
    assert code == 1
    assert f"can't read {locked}: Permission denied" in message
    assert str(other) in message or (tmp_path / "other.nc.nc").exists()
