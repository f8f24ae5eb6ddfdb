"""Disks that are full or must not be written."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.lab import Fault, Lab, must, must_fail

NOT_ALLOWED = "not tried: needs the right to mount"


def file_size_limit(lab: Lab, times: int) -> Iterator[str]:
    for i in range(times):
        limit = int((i + 0.5) / times * len(lab.packed))
        lab.clear()
        lab.put("a", lab.data)

        def limited(n: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))

        must_fail(
            lab.run("compress", "a", preexec_fn=limited), "can't write a.nc", "File too large"
        )
        yield _go_on(lab)


def full_file_system(lab: Lab, times: int) -> Iterator[str]:
    lab.clear()
    for i in range(times):
        with _mounted(lab, f"size={4096 * (i + 1)}") as disk:
            if not disk:
                yield NOT_ALLOWED
                continue
            lab.put("a", lab.data)
            must_fail(lab.run("compress", "-o", disk / "a.nc", "a"), "can't write", "No space left")
            must(lab.names() == {"a", "disk"}, f"left behind: {lab.names()}")
            left = {path.name for path in disk.iterdir()}
            must(left <= {"a.nc.part"}, f"left behind: {left}")
            if not left:
                yield "nothing left"
                continue
            _remount(disk, "size=1M")
            code, _, error = lab.run("compress", "--resume", "-o", disk / "a.nc", "a")
            must(code == 0, f"--resume: {error}")
            must((disk / "a.nc").read_bytes() == lab.packed, "--resume made another file")
            yield "part kept, gone on with more room"


def full_while_restoring(lab: Lab, times: int) -> Iterator[str]:
    for i in range(times):
        limit = int((i + 0.5) / times * len(lab.data))
        lab.clear()
        lab.put("a.nc", lab.packed)

        def limited(n: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))

        must_fail(lab.run("decompress", "a.nc", preexec_fn=limited), "can't write a:")
        must(lab.names() == {"a.nc"}, f"left behind: {lab.names()}")
        yield "nothing left"


def full_device(lab: Lab, times: int) -> Iterator[str]:
    lab.clear()
    lab.put("a", lab.data)
    for i in range(times):
        if i % 2:
            result = lab.run("compress", "-o", "/dev/full", "a")
        else:
            with open("/dev/full", "wb") as full:
                result = lab.run("compress", "-c", "a", stdout=full)
        must_fail(result, "No space left")
        yield "exit code 1"


def read_only_folder(lab: Lab, times: int) -> Iterator[str]:
    lab.clear()
    for i in range(times):
        with _mounted(lab, "size=1M") as disk:
            if not disk:
                yield NOT_ALLOWED
                continue
            name, data = ("a", lab.data) if i % 2 else ("a.nc", lab.packed)
            command = "compress" if i % 2 else "decompress"
            (disk / name).write_bytes(data)
            _remount(disk, "ro")
            must_fail(lab.run(command, disk / name), "can't write", "Read-only")
            code, _, error = lab.run(command, "--rm", "-o", "out", disk / name)
            must(code == 1 and "can't remove" in error, f"exit code {code}: {error}")
            must((disk / name).read_bytes() == data, "the input was touched")
            (lab.folder / "out").unlink()
            yield f"{command}: exit code 1"


def _go_on(lab: Lab) -> str:
    must((lab.folder / "a").read_bytes() == lab.data, "the original was touched")
    must(lab.names() <= {"a", "a.nc.part"}, f"left behind: {lab.names()}")
    kept = "a.nc.part" in lab.names()
    code, _, error = lab.run("compress", "--resume", "a")
    must(code == 0, f"--resume: {error}")
    must((lab.folder / "a.nc").read_bytes() == lab.packed, "--resume made another file")
    return "part kept, gone on with more room" if kept else "nothing left"


@contextmanager
def _mounted(lab: Lab, options: str) -> Iterator[Path | None]:
    """A file system of its own; None if that is not allowed."""
    disk = lab.folder / "disk"
    disk.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(disk)]
    try:
        allowed = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        allowed = False
    if not allowed:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


_FULL = (
    "Exit code 1 and a message; the original is untouched; the part is kept only if it holds a "
    "frame; with more room `--resume` makes the file of an uninterrupted run."
)

FAULTS = [
    Fault("compress: file size limit (RLIMIT_FSIZE) reached", _FULL, 12, file_size_limit),
    Fault("compress: file system full (tmpfs)", _FULL, 5, full_file_system),
    Fault(
        "decompress: file size limit reached",
        "Exit code 1 and a message; nothing is left behind.",
        6,
        full_while_restoring,
    ),
    Fault("output is /dev/full", "Exit code 1 and a message.", 4, full_device),
    Fault(
        "read-only folder",
        "Exit code 1 and a message; with `--rm` the input that can't be removed is reported.",
        4,
        read_only_folder,
    ),
]
