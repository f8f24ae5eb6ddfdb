"""Runs that are cut: killed, asked to stop, without a reader."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil

from tests.faults.lab import BLOCK, Fault, Lab, finish, must

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_PROMPT = 5
"""Seconds, on a busy machine, within which an interrupted run must end."""


def kill_compress(lab: Lab, times: int) -> Iterator[str]:
    duration = _duration(lab, "compress", "a", lab.data)
    for i in range(times):
        lab.clear()
        path = lab.put("a", lab.data)
        process = lab.start("compress", "a")
        if i % 2:
            # Much of a short run is its start.
            _wait_for(lab, "a.nc.part")
        time.sleep(lab.random.random() * duration / (2 if i % 2 else 1))
        process.kill()
        finish(process)
        must(path.read_bytes() == lab.data, "the original was touched")
        if "a.nc" in lab.names():
            must((lab.folder / "a.nc").read_bytes() == lab.packed, "a.nc is not whole")
            yield "had ended"
            continue
        part = lab.folder / "a.nc.part"
        size = part.stat().st_size if part.exists() else 0
        code, _, error = lab.run("compress", "--resume", "a")
        must(code == 0, f"--resume: {error}")
        must((lab.folder / "a.nc").read_bytes() == lab.packed, "--resume made another file")
        must(lab.names() == {"a", "a.nc"}, f"left behind: {lab.names()}")
        yield "gone on from a part with data" if size else "gone on from nothing"


def kill_decompress(lab: Lab, times: int) -> Iterator[str]:
    duration = _duration(lab, "decompress", "a.nc", lab.packed)
    for _ in range(times):
        lab.clear()
        path = lab.put("a.nc", lab.packed)
        process = lab.start("decompress", "a.nc")
        time.sleep(lab.random.random() * duration)
        process.kill()
        finish(process)
        must(path.read_bytes() == lab.packed, "the input was touched")
        if "a" in lab.names():
            must((lab.folder / "a").read_bytes() == lab.data, "the restored file is not whole")
            yield "had ended"
            continue
        code, _, error = lab.run("decompress", "a.nc")
        must(code == 0, f"the next run: {error}")
        must((lab.folder / "a").read_bytes() == lab.data, "the next run made another file")
        must(lab.names() == {"a", "a.nc"}, f"left behind: {lab.names()}")
        yield "done by the next run"


def _start_to_stop(
    lab: Lab, number: int, *arguments: str, awaited: str
) -> "subprocess.Popen[bytes]":
    """A run that accepts a signal, up to a second after the file `awaited` was there."""
    process = lab.start(*arguments, preexec_fn=lambda: _accept(number))
    _wait_for(lab, awaited)
    time.sleep(lab.random.random())
    return process


def stop_compress(lab: Lab, times: int) -> Iterator[str]:
    for i in range(times):
        number = _SIGNALS[i % len(_SIGNALS)]
        lab.clear()
        lab.put("a", lab.data)
        process = _start_to_stop(lab, number, "compress", "a", awaited="a.nc.part")
        part = lab.folder / "a.nc.part"
        # Surely a frame.
        worthy = part.exists() and part.stat().st_size > 4 * BLOCK
        process.send_signal(number)
        code, _, error = finish(process)
        if "a.nc" in lab.names():
            must((lab.folder / "a.nc").read_bytes() == lab.packed, "a.nc is not whole")
            must(lab.names() == {"a", "a.nc"}, f"left behind: {lab.names()}")
            yield "had ended"
            continue
        must(code == 128 + number, f"exit code {code}: {error}")
        kept = "a.nc.part" in lab.names()
        must(kept or not worthy, "the work was removed")
        must(kept == ("--resume" in error), f"part kept: {kept}, message: {error}")
        code, _, error = lab.run("compress", "--resume", "a")
        must(code == 0, f"--resume: {error}")
        must((lab.folder / "a.nc").read_bytes() == lab.packed, "--resume made another file")
        yield f"{number.name}: {'part kept' if kept else 'nothing left'}"


def stop_decompress(lab: Lab, times: int) -> Iterator[str]:
    for i in range(times):
        number = _SIGNALS[i % len(_SIGNALS)]
        lab.clear()
        lab.put("a.nc", lab.packed)
        process = _start_to_stop(lab, number, "decompress", "a.nc", awaited="a.part")
        process.send_signal(number)
        code, _, error = finish(process)
        if "a" in lab.names():
            must((lab.folder / "a").read_bytes() == lab.data, "the restored file is not whole")
            yield "had ended"
        else:
            must(code == 128 + number, f"exit code {code}: {error}")
            must(lab.names() == {"a.nc"}, f"left behind: {lab.names()}")
            yield f"{number.name}: nothing left"


def interrupt_workers(lab: Lab, times: int) -> Iterator[str]:
    options = ("compress", "--workers", 2, "a")
    lab.clear()
    lab.put("a", lab.data)
    process = lab.start(*options)
    _wait_for_child(process)
    begin = time.monotonic()
    code, _, error = finish(process)
    must(code == 0, error)
    duration = time.monotonic() - begin
    for _ in range(times):
        lab.clear()
        lab.put("a", lab.data)
        process = lab.start(
            *options, start_new_session=True, preexec_fn=lambda: _accept(signal.SIGINT)
        )
        _wait_for_child(process)
        time.sleep(lab.random.random() * duration)
        begin = time.monotonic()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        code, _, error = finish(process)
        seconds = time.monotonic() - begin
        must(code in (0, 128 + signal.SIGINT), f"exit code {code}: {error}")
        must(seconds < _PROMPT, f"it took {seconds:.1f} s to end")
        must(not _is_group(process.pid), "a process is left")
        if "a.nc" in lab.names():
            must((lab.folder / "a.nc").read_bytes() == lab.packed, "a.nc is not whole")
        yield "exit code 130" if code == 128 + signal.SIGINT else "had ended"


def _wait_for_child(process: "subprocess.Popen[bytes]") -> None:
    """Until the first worker has been started, or the run has ended."""
    while process.poll() is None:
        with suppress(psutil.Error):
            if psutil.Process(process.pid).children():
                return
        time.sleep(0.005)


def _is_group(number: int) -> bool:
    """Is a process of this group left, but for those that are about to end?"""
    deadline = time.monotonic() + _PROMPT
    while time.monotonic() < deadline:
        try:
            os.killpg(number, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def close_the_pipe(lab: Lab, times: int) -> Iterator[str]:
    # More than a pipe holds.
    data = lab.random.randbytes(1 << 18)
    lab.clear()
    lab.put("a.nc", lab.compressed(data))
    lab.put("a", data)
    for i in range(times):
        name = "compress" if i % 2 else "decompress"
        process = lab.start(name, "-c", *(["--block-size", "64K", "a"] if i % 2 else ["a.nc"]))
        assert process.stdout
        process.stdout.read(lab.random.randrange(1, 2000))
        process.stdout.close()
        process.stdout = None
        code, _, error = finish(process)
        must(code == 128 + signal.SIGPIPE, f"exit code {code}: {error}")
        must(not error, f"message: {error}")
        yield f"{name}: exit code {code}"


def _duration(lab: Lab, command: str, name: str, data: bytes) -> float:
    """Seconds of an uninterrupted run."""
    lab.clear()
    lab.put(name, data)
    begin = time.monotonic()
    code, _, error = lab.run(command, name)
    must(code == 0, error)
    return time.monotonic() - begin


def _accept(number: int) -> None:
    """A shell's background jobs ignore SIGINT and pass that on."""
    signal.signal(number, signal.SIG_DFL)


def _wait_for(lab: Lab, name: str) -> None:
    deadline = time.monotonic() + 60
    while not os.path.exists(lab.folder / name) and time.monotonic() < deadline:
        time.sleep(0.005)


FAULTS = [
    Fault(
        "kill -9 of compress at a random moment",
        "The original is untouched; FILE.nc is whole or not there; `--resume` makes the file of "
        "an uninterrupted run, to the byte.",
        50,
        kill_compress,
    ),
    Fault(
        "kill -9 of decompress at a random moment",
        "FILE.nc is untouched; FILE is whole or not there; the next run restores it.",
        20,
        kill_decompress,
    ),
    Fault(
        "SIGINT, SIGTERM or SIGHUP to compress",
        "Exit code 128 + number; the part is kept only if it holds a frame, and a message says so; "
        "`--resume` makes the file of an uninterrupted run.",
        21,
        stop_compress,
    ),
    Fault(
        "SIGINT, SIGTERM or SIGHUP to decompress",
        "Exit code 128 + number; nothing is left behind.",
        12,
        stop_decompress,
    ),
    Fault(
        "SIGINT to all processes of a run with two workers, while they start",
        "Exit code 130 within 5 s; no traceback of any process; no process is left; a.nc is whole "
        "or not there.",
        100,
        interrupt_workers,
    ),
    Fault(
        "reader of a pipe gone",
        "Exit code 141 as of any filter, and no message.",
        10,
        close_the_pipe,
    ),
]
