"""Trials of everything that writes a compressed file, each in a process forked from this one.

`python -m tests.faults.writer_trials FOLDER MODEL SEED TIMES ENDING WRITERS...`
prints the outcome of each trial in a few words, or what must hold and did not. A fork finds the
kernels loaded, so that a random moment is one of the writing, not of the start.
"""

import gc
import io
import os
import random
import shutil
import signal
import sys
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import nacrith
from nacrith import api
from nacrith.models import catalog as models
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.system.files import open_output
from tests.faults.lab import Broken, must

BLOCK = 1024
DATA = random.Random(2).randbytes(4 * BLOCK)
OLD = b"the archive of last week"

Writer = Callable[[Path, BinaryIO], None]

_kept: list[Any] = []


class _SourceError(Exception):
    """Raised where the data comes from."""


class _Source(io.RawIOBase):
    """The data, in small pieces; raises _SourceError in front of the byte `end`."""

    def __init__(self, end: int | None = None) -> None:
        self._data = io.BytesIO(DATA[:end])
        self._fails = end is not None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._data.read(min(len(buffer), 500))
        if not piece and self._fails:
            raise _SourceError
        buffer[: len(piece)] = piece
        return len(piece)


def _binary(path: Path, source: BinaryIO) -> None:
    with nacrith.open(path, "wb") as file:
        shutil.copyfileobj(source, file, 700)


def _text(path: Path, source: BinaryIO) -> None:
    with nacrith.open(path, "wt", encoding="latin-1", newline="") as file:
        while piece := source.read(700):
            file.write(piece.decode("latin-1"))


def _closed(path: Path, source: BinaryIO) -> None:
    file = nacrith.open(path, "wb")
    _kept.append(file)
    shutil.copyfileobj(source, file, 700)
    file.close()


def _wrapped(path: Path, source: BinaryIO) -> None:
    with nacrith.open(path, "wb") as file:
        wrapper = io.TextIOWrapper(file, "latin-1", newline="")
        while piece := source.read(700):
            wrapper.write(piece.decode("latin-1"))
        wrapper.flush()


def _tar(path: Path, source: BinaryIO) -> None:
    with (
        nacrith.open(path, "wb") as file,
        tarfile.open(fileobj=file, mode="w|") as tar,
    ):
        member = tarfile.TarInfo("data")
        member.size = len(DATA)
        tar.addfile(member, source)


def _shutil(path: Path, source: BinaryIO) -> None:
    nacrith.register()
    folder = path.with_name("folder")
    folder.mkdir(exist_ok=True)
    with open(folder / "data", "wb") as file:
        shutil.copyfileobj(source, file)
    os.utime(folder / "data", (0, 0))
    os.utime(folder, (0, 0))
    shutil.make_archive(str(path).removesuffix(".tar.nc"), "nctar", path.parent, "folder")


def _fsspec(path: Path, source: BinaryIO) -> None:
    import fsspec

    nacrith.register()
    with fsspec.open(str(path), "wb", compression="nacrith") as file:
        shutil.copyfileobj(source, file, 700)


def _stream(path: Path, source: BinaryIO) -> None:
    with open_output(path, force=True) as sink:
        compress_stream(source, sink, CompressOptions(threads=1, block_size=BLOCK))


WRITERS: dict[str, Writer] = {
    "open wb": _binary,
    "open wt": _text,
    "open wb, close": _closed,
    "TextIOWrapper": _wrapped,
    "tarfile": _tar,
    "shutil": _shutil,
    "fsspec": _fsspec,
    "compress_stream": _stream,
}


def _kill(trial: "_Trial") -> str:
    child = trial.start()
    trial.wait_a_while()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return trial.found(part_may_stay=True)


def _raise(trial: "_Trial") -> str:
    """An exception of the source, or the one that SIGINT makes."""
    if trial.random.random() < 0.5:
        child = trial.start(trial.random.randrange(len(DATA)))
    else:
        child = trial.start()
        trial.wait_a_while()
        os.kill(child, signal.SIGINT)
    os.waitpid(child, 0)
    return trial.found()


def _leave(trial: "_Trial") -> str:
    """Collected, or open at the end of the program, with or without an exception."""
    how = trial.random.choice(("collected", "collected in a cycle", "exit", "exception"))

    def write() -> None:
        file = trial.begun()
        if how.startswith("collected"):
            if how.endswith("cycle"):
                file.cycle = file
            del file
            gc.collect()
            must(trial.path.read_bytes() == OLD, "published by the collector")
            return
        _kept.append(file)
        if how == "exception":
            raise _SourceError

    os.waitpid(trial.fork(write), 0)
    found = trial.found()
    must(found == "the old file", f"{how}: {found}")
    return how


def _fork(trial: "_Trial") -> str:
    """A child with the file object ends; then the file is written to its end."""
    how = trial.random.choice(("_exit", "sys.exit", "exception", "close", "collected"))

    def write() -> None:
        with trial.begun() as file:
            child = os.fork()
            if not child:
                if how == "_exit":
                    os._exit(0)
                if how == "sys.exit":
                    sys.exit(0)
                if how == "exception":
                    raise _SourceError
                if how == "collected":
                    del file
                    gc.collect()
                return
            os.waitpid(child, 0)
            must(trial.path.read_bytes() == OLD, "published by a forked child")
            must(Path(f"{trial.path}.new.part").exists(), "the part was removed by a forked child")
            file.write(DATA[trial.written :])

    os.waitpid(trial.fork(write), 0)
    found = trial.found()
    must(found == "the new file", f"{how}: {found}")
    return f"child's {how}"


ENDINGS = {"kill": _kill, "raise": _raise, "leave": _leave, "fork": _fork}


class _Trial:
    """Attributes:
    path: the file written.
    random: chooses moments and places.
    written: bytes that `begun` writes.
    """

    def __init__(self, writer: str, folder: Path, seed: int) -> None:
        self._writer = WRITERS[writer]
        self._replaces = writer != "fsspec"
        self.random = random.Random(seed)
        self.path = folder / "a.tar.nc"
        self.written = 0
        # Loads the kernels.
        self._writer(self.path, io.BufferedReader(_Source()))
        _kept.clear()
        self._new = self.path.read_bytes()
        self._duration = max(self._measured() for _ in range(2))

    def _measured(self) -> float:
        """Seconds until the file is there."""
        self.path.write_bytes(OLD)
        begin = time.monotonic()
        child = self.start()
        while self.path.read_bytes() != self._new:
            time.sleep(0.001)
        duration = time.monotonic() - begin
        os.waitpid(child, 0)
        return duration

    def run(self, ending: str) -> str:
        self.path.write_bytes(OLD)
        for name in (f"{self.path}.new.part", "failure"):
            (self.path.parent / name).unlink(missing_ok=True)
        self.written = self.random.randrange(len(DATA))
        return ENDINGS[ending](self)

    def start(self, end: int | None = None) -> int:
        """Write in a child, in which the source ends with an error if `end` is given."""
        return self.fork(lambda: self._writer(self.path, io.BufferedReader(_Source(end))))

    def begun(self) -> Any:
        """A file object with a part of the data written."""
        file = nacrith.open(self.path, "wb")
        file.write(DATA[: self.written])
        return file

    def fork(self, write: Callable[[], None]) -> int:
        """Do it in a child, which then ends as a program does."""
        # Not before the child is ready for it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        child = os.fork()
        if not child:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            try:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
                write()
            except Broken as error:
                (self.path.parent / "failure").write_text(str(error), "utf-8")
            sys.exit(0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return child

    def wait_a_while(self) -> None:
        time.sleep(self.random.random() * self._duration * 1.2)

    def found(self, part_may_stay: bool = False) -> str:
        failure = self.path.parent / "failure"
        if failure.exists():
            raise Broken(failure.read_text("utf-8"))
        part = Path(f"{self.path}.new.part")
        must(part_may_stay or not part.exists(), "the part was left behind")
        data = self.path.read_bytes()
        if data in (OLD, self._new):
            return "the old file" if data == OLD else "the new file"
        must(not self._replaces, f"{len(data)} bytes of a part of {len(self._new)}")
        try:
            nacrith.decompress(data)
        except nacrith.NacrithError:
            return "a file refused as truncated"
        raise Broken("a valid file of a part of the data")


def main(folder: str, model: str, seed: str, times: str, ending: str, *writers: str) -> None:
    models.embedded_path = lambda: Path(model)
    # Not every writer takes options.
    api.chosen_options = partial(api.chosen_options, window=256, threads=1, block_size=BLOCK)
    for writer in writers:
        trial = _Trial(writer, Path(folder), int(seed))
        for _ in range(int(times)):
            try:
                print(f"{writer}: {trial.run(ending)}", flush=True)
            except Broken as error:
                print(f"BROKEN {writer}: {error}", flush=True)
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
