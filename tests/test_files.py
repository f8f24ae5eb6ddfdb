"""What lies in the way of the output, and what happens to the input meanwhile."""

import fcntl
import os
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nacrith.errors import ChangedError, FileError, FormatError
from nacrith.system import part_file
from nacrith.system.files import open_input, open_output, remove_unchanged, standard_output
from tests.conftest import ROOT, assert_fails

NOISE = bytes(range(256)) * 3


def write(path, data=b"new", error=None, **options):
    with open_output(path, **options) as sink:
        sink.write(data)
        sink.flush()
        if error:
            raise error


def test_a_link_in_the_place_of_the_part_is_not_followed(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "out.part").symlink_to("precious")
    with pytest.raises(FileError, match="no regular file"):
        write(tmp_path / "out", force=True)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert (tmp_path / "out.part").is_symlink()


def test_a_second_name_of_the_part_is_not_written_to(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    os.link(tmp_path / "precious", tmp_path / "out.part")
    write(tmp_path / "out", force=True)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert (tmp_path / "out").read_bytes() == b"new"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_something_else_in_the_place_of_the_part(tmp_path, make):
    make(tmp_path / "out.part")
    with pytest.raises(FileError, match="no regular file"):
        write(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_link_in_the_place_of_the_target_is_replaced_not_followed(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "out").symlink_to("precious")
    with pytest.raises(FileError, match="exists"):
        write(tmp_path / "out")
    write(tmp_path / "out", force=True)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "out").is_symlink()
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(FileError, match="exists"):
        write(tmp_path / "dangling")


def test_a_target_that_appears_meanwhile_is_not_overwritten(tmp_path):
    def write_late():
        with open_output(tmp_path / "out") as sink:
            sink.write(b"late")
            (tmp_path / "out").write_bytes(b"precious")

    with pytest.raises(FileError, match="exists"):
        write_late()
    assert (tmp_path / "out").read_bytes() == b"precious"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_two_runs_on_one_target(tmp_path):
    with open_output(tmp_path / "out") as sink:
        sink.write(b"first")
        for force in (False, True):
            with pytest.raises(FileError, match="another run"):
                write(tmp_path / "out", force=force)
    assert (tmp_path / "out").read_bytes() == b"first"


def test_the_part_of_a_run_that_has_just_ended_is_not_taken(tmp_path, monkeypatch):
    """The name that was opened may stand for another file when the lock is there."""
    part = tmp_path / "out.part"
    real = fcntl.flock
    ended: list[int] = []

    def end_first(descriptor, operation):
        if not ended:
            ended.append(os.fstat(descriptor).st_ino)
            part.rename(tmp_path / "of the other run")
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", end_first)
    write(tmp_path / "out")
    assert (tmp_path / "out").stat().st_ino != ended[0]
    assert (tmp_path / "of the other run").read_bytes() == b""


@pytest.mark.parametrize(
    ("error", "kept"),
    [(KeyboardInterrupt, True), (SystemExit, True), (OSError(28, "full"), True),
     (MemoryError, True), (FileError("can't read"), True), (RuntimeError, True),
     (ChangedError("changed"), False), (FormatError("does not verify"), False)],
)  # fmt: skip
def test_work_is_kept_unless_it_is_wrong(tmp_path, error, kept):
    for worth in (True, False):
        with pytest.raises((BaseException,)):
            write(tmp_path / "out", error=error, force=True, worth_keeping=lambda part, w=worth: w)
        assert (tmp_path / "out.part").exists() == (kept and worth)
        (tmp_path / "out.part").unlink(missing_ok=True)
        assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    real = os.fsync

    def refuse_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    write(tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"new"


def test_the_data_is_on_the_disk_before_the_name(tmp_path, monkeypatch):
    log: list[int | str] = []
    real_sync, real_link = os.fsync, os.link

    def sync(descriptor):
        log.append(os.fstat(descriptor).st_ino)
        real_sync(descriptor)

    def link(source, target):
        log.append("link")
        real_link(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "link", link)
    write(tmp_path / "out", b"data")
    file, folder = (tmp_path / "out").stat().st_ino, tmp_path.stat().st_ino
    assert file in log[: log.index("link")] and folder in log[log.index("link") :]


@pytest.mark.parametrize("change", ["append", "truncate", "overwrite", "replace"])
def test_a_changed_input_is_not_removed(tmp_path, change):
    path = tmp_path / "a"
    path.write_bytes(NOISE)
    os.utime(path, (1, 1))
    with open_input(path) as (source, status):
        source.read()
    assert status is not None
    if change == "replace":
        (tmp_path / "b").write_bytes(NOISE)
        os.utime(tmp_path / "b", (1, 1))
        (tmp_path / "b").rename(path)
    else:
        with open(path, {"append": "ab", "truncate": "wb", "overwrite": "r+b"}[change]) as file:
            file.write(b"x" * (change != "truncate"))
    with pytest.raises(FileError, match="not removed"):
        remove_unchanged(path, status)
    assert path.exists()


def test_rm_needs_a_real_output(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    assert nacrith("compress", "-k", "-o", "a.nc", "a").returncode == 0
    for command, name in (("compress", "a"), ("decompress", "a.nc")):
        assert_fails(nacrith(command, "--rm", "-o", "/dev/null", name), 1, "--rm needs")
        assert (tmp_path / name).exists()
    for option in ("--verify", "--resume"):
        assert_fails(nacrith("compress", option, "-o", "/dev/null", "a"), 1, option)


def test_stored_attributes_are_not_given_to_devices(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    (tmp_path / "a").chmod(0o600)
    assert nacrith("compress", "-N", "a").returncode == 0
    before = os.stat("/dev/null")
    assert nacrith("decompress", "-N", "-o", "/dev/null", "a.nc").returncode == 0
    now = os.stat("/dev/null")
    assert (now.st_mode, now.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


def test_a_time_stamp_that_cannot_be(nacrith, tmp_path):
    from nacrith.format.container import sole_member
    from nacrith.format.frame import Frame, check_of
    from nacrith.format.header import Header, Metadata

    member = sole_member(Header(metadata=Metadata(0o644, (1 << 63) - 1)), Frame([], check_of(b"")))
    (tmp_path / "a.nc").write_bytes(member)
    result = nacrith("decompress", "-N", "a.nc")
    # Some file systems take it.
    if result.returncode:
        assert_fails(result, 1, "can't set")


@pytest.mark.parametrize(
    ("redirection", "code"),
    [("<&-", 0), ("2>&-", 0), ("-c >&-", 1), ("<&- >&- 2>&-", 0), ("- <&-", 1)],
)
def test_closed_standard_streams(tmp_path, redirection, code):
    (tmp_path / "a").write_bytes(NOISE)
    file = "" if redirection.startswith("- ") else f"{tmp_path}/a"
    result = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m nacrith compress {file} {redirection}'],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    assert_fails(result, code)
    if code:
        assert b"closed" in result.stderr
    else:
        assert (tmp_path / "a.nc").read_bytes()[:4] == b"NC06"


@pytest.mark.parametrize("place", ["open", "_lock", "truncate", "_is_still"])
def test_a_signal_while_the_part_is_made_leaves_none(tmp_path, monkeypatch, place):
    owner = {"open": os, "truncate": part_file._DurableFile}.get(place, part_file)
    function = getattr(owner, place)

    def interrupted(*arguments):
        monkeypatch.undo()
        function(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, place, interrupted)
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), open_output(tmp_path / "out", force=True):
        raise AssertionError
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_bytes() == b"old"


@pytest.mark.parametrize("buffering", [0, -1])
def test_standard_output_is_that_of_now(monkeypatch, tmp_path, buffering):
    """Whoever calls commands from Python may give each another one."""
    for name in ("one", "two"):
        with open(tmp_path / name, "wb", buffering) as file:
            monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=file))
            assert standard_output() is standard_output()
            standard_output().write(b"result")
            standard_output().flush()
        assert (tmp_path / name).read_bytes() == b"result"
