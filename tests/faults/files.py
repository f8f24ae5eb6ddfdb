"""Inputs that change, vanish or can't be read; what lies in the way of the output."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.lab import Fault, Lab, finish, must, must_fail


def change_while_read(lab: Lab, times: int) -> Iterator[str]:
    # Long enough for the other process.
    data = lab.data * 4
    for i in range(times):
        lab.clear()
        path = lab.put("a", data)
        process = lab.start("compress", *(["--rm"] if i % 2 else []), "a")
        _wait_for(lab.folder / "a.nc.part", 2000)
        name = ("appended to", "truncated", "overwritten", "replaced")[i % 4]
        changed = _change(path, data, name)
        result = finish(process)
        if name == "replaced" and not i % 2:
            must(result[0] == 0, f"the file that was read is sound: {result[2]}")
        else:
            must(result[0] == 1 and "has changed" in result[2], f"{name}: {result}")
        must(path.read_bytes() == changed, "the input was touched")
        if name != "replaced":
            must(lab.names() == {"a"}, f"left behind: {lab.names()}")
        yield name


def _change(path: Path, data: bytes, name: str) -> bytes:
    """Change the file; return what it holds then."""
    if name == "appended to":
        with open(path, "ab") as file:
            file.write(b"more")
        return data + b"more"
    if name == "truncated":
        os.truncate(path, len(data) - 5)
        return data[:-5]
    if name == "overwritten":
        with open(path, "r+b") as file:
            file.seek(len(data) // 2)
            file.write(b"x")
    else:
        path.with_name("new").write_bytes(data)
        path.with_name("new").rename(path)
    return path.read_bytes()


def vanish(lab: Lab, times: int) -> Iterator[str]:
    for _ in range(times):
        lab.clear()
        for name in ("a", "b", "c"):
            lab.put(name, lab.data)
        process = lab.start("compress", "a", "b", "c")
        _wait_for(lab.folder / "a.nc.part", 1)
        (lab.folder / "b").unlink()
        must_fail(finish(process), "can't read b", "2 files done, 1 failed")
        must(lab.names() == {"a", "a.nc", "c", "c.nc"}, f"left behind: {lab.names()}")
        yield "the others done"


def unreadable(lab: Lab, times: int) -> Iterator[str]:
    for i in range(times):
        lab.clear()
        lab.put("b", lab.data)
        if i % 2:
            # Opens as a regular file, and then can't be read.
            bad = Path("/proc/self/mem")
        else:
            bad = lab.folder / "loop"
            bad.symlink_to("loop")
        must_fail(lab.run("compress", "-o", "x", bad), "can't read")
        must(lab.names() <= {"b", "loop"}, f"left behind: {lab.names()}")
        must_fail(lab.run("compress", bad if not i % 2 else "missing", "b"), "1 files done")
        must("b.nc" in lab.names(), "the other file was not done")
        yield "the others done"


def special_inputs(lab: Lab, times: int) -> Iterator[str]:
    for i in range(times):
        lab.clear()
        kind = ("folder", "fifo", "device", "closed input")[i % 4]
        if kind == "folder":
            (lab.folder / "x").mkdir()
            must_fail(lab.run("compress", "x"), "is a directory", "tar")
        elif kind == "fifo":
            os.mkfifo(lab.folder / "x")
            must_fail(lab.run("compress", "x"), "not a regular file")
        elif kind == "device":
            must_fail(lab.run("compress", "/dev/null"), "not a regular file")
        else:
            result = lab.run("compress", stdin=None, preexec_fn=lambda: os.close(0))
            must_fail(result, "closed")
        must(lab.names() <= {"x"}, f"left behind: {lab.names()}")
        yield f"{kind}: exit code 1"


def in_the_way(lab: Lab, times: int) -> Iterator[str]:
    """Something stands where the part or the target shall be."""
    for i in range(times):
        lab.clear()
        lab.put("a", lab.data)
        precious = lab.put("precious", b"precious")
        name = "a.nc.part" if i % 2 else "a.nc"
        kind = ("symbolic link", "hard link", "fifo", "folder")[i // 2 % 4]
        path = lab.folder / name
        if kind == "symbolic link":
            path.symlink_to("precious")
        elif kind == "hard link":
            os.link(precious, path)
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            path.mkdir()
        if kind == "fifo" and name == "a.nc":
            # Is written into if a reader is there.
            reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            code, _, error = lab.run("compress", "a")
            os.close(reader)
            must(code == 0, error)
        elif kind == "hard link" and name == "a.nc.part":
            code, _, error = lab.run("compress", "a")
            must(code == 0, error)
            must((lab.folder / "a.nc").read_bytes() == lab.packed, "a.nc is not whole")
        else:
            must_fail(lab.run("compress", "a"), name)
        must(precious.read_bytes() == b"precious", "the other file was written to")
        yield f"{kind} as {name}"


HOSTILE_NAMES = ["two\nlines", "\x1b[31mred", "evil\u202etxt.exe", "caf\udce9", "d[", "-rf", " "]


def hostile_names(lab: Lab, times: int) -> Iterator[str]:
    """There and back, and in a message; nothing of the name may act on a terminal."""
    for i in range(times):
        name = HOSTILE_NAMES[i % len(HOSTILE_NAMES)]
        lab.clear()
        lab.put(name, lab.data)
        code, _, error = lab.run("compress", "-v", "--", name)
        must(code == 0, error)
        must(error.count("\n") == 1 and error[:-1].isprintable(), f"shown as {error!r}")
        (lab.folder / name).unlink()
        code, _, error = lab.run("decompress", "--", name + ".nc")
        must(code == 0, error)
        must((lab.folder / name).read_bytes() == lab.data, "restored otherwise")
        error = lab.run("decompress", "--", name)[2]
        must(error.count("\n") == 1 and error[:-1].isprintable(), f"shown as {error!r}")
        yield "shown safely"


def outputs_that_are_no_files(lab: Lab, times: int) -> Iterator[str]:
    for i in range(times):
        lab.clear()
        lab.put("a", lab.data)
        target = ("/proc/self/fd/1", "/dev/fd/1", "/dev/null")[i % 3]
        (lab.folder / "o").symlink_to(target)
        with open(lab.folder / "out", "wb") as out:
            options = ["-f"] if i % 2 else []
            code, _, error = lab.run("compress", *options, "-o", "o", "a", stdout=out)
        must(code == 0, error)
        must((lab.folder / "o").is_symlink(), "the link was replaced")
        expected = b"" if target == "/dev/null" else lab.packed
        must((lab.folder / "out").read_bytes() == expected, "other bytes arrived")
        must_fail(lab.run("compress", "--rm", "-o", "o", "a", stdout=subprocess.DEVNULL), "--rm")
        must((lab.folder / "a").exists(), "the input was removed")
        yield "written to, not replaced"


def two_runs(lab: Lab, times: int) -> Iterator[str]:
    for i in range(times):
        lab.clear()
        lab.put("a", lab.data)
        options = ["-f"] if i % 2 else []
        processes = [lab.start("compress", *options, "a") for _ in range(3)]
        results = [finish(process) for process in processes]
        won = [r for r in results if r[0] == 0]
        must(bool(won), f"none has won: {results}")
        must(i % 2 == 1 or len(won) == 1, f"{len(won)} have won")
        for code, _, error in results:
            if code:
                clear = "another run" in error or "exists" in error
                must(code == 1 and clear, f"exit code {code}: {error}")
        must((lab.folder / "a.nc").read_bytes() == lab.packed, "a.nc is not whole")
        must(lab.names() == {"a", "a.nc"}, f"left behind: {lab.names()}")
        yield f"{len(won)} of 3 did it{' (-f)' if i % 2 else ''}"


def _wait_for(path: Path, size: int) -> None:
    """Wait until there is a file of this size."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and path.stat().st_size >= size:
            return
        time.sleep(0.005)


FAULTS = [
    Fault(
        "input changed while it is read",
        "Exit code 1, a message, no output; with `--rm` a file that took the input's place is "
        "not removed.",
        16,
        change_while_read,
    ),
    Fault("input vanishes", "The other files are done; exit code 1; a summary.", 6, vanish),
    Fault("input can't be read", "The other files are done; exit code 1.", 6, unreadable),
    Fault("folder, fifo, device as input", "Exit code 1 and a message.", 8, special_inputs),
    Fault(
        "something in the place of the part or the target",
        "Links are not followed, other files not written to.",
        16,
        in_the_way,
    ),
    Fault(
        "names with line breaks, terminal sequences, bytes that are not UTF-8",
        "There and back; each message is one line that is printable.",
        14,
        hostile_names,
    ),
    Fault(
        "output is a link to a descriptor or device",
        "It is written to and stays; `--rm` is refused.",
        12,
        outputs_that_are_no_files,
    ),
    Fault(
        "three runs on one file at once",
        "One makes the file, unless -f lets a later one make it again; the others exit with 1; "
        "the file is whole.",
        10,
        two_runs,
    ),
]
