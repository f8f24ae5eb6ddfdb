"""Where faults are tried: a folder, a tiny model, and processes of the command line."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nacrith
from coder.compiling import MESSAGE
from tests.tiny_model import write_tiny_model

BLOCK = 1024
TIMEOUT = 120


class Broken(Exception):
    """What must hold did not."""


def must(holds: bool, what: str) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(what)


@dataclass(frozen=True)
class Fault:
    """Attributes:
    name: the fault.
    must_hold: a sentence.
    times: how often it is tried.
    trials: yields the outcome of each trial in a few words; raises `Broken`.
    """

    name: str
    must_hold: str
    times: int
    trials: Callable[["Lab", int], Iterator[str]]


class Lab:
    """Attributes:
    folder: where trials take place.
    model: GGUF of the tiny model.
    environment: of the processes.
    random: chooses moments and places.
    data: an original of several frames, half of them text, half binary.
    packed: its compressed file.
    """

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder / "trial"
        self.random = random.Random(seed)
        self.model = write_tiny_model(folder)
        self.environment = {**os.environ, "PYTHONPATH": str(Path(nacrith.__file__).parent.parent)}
        text = "".join(f"{i}. The {i * i % 97}th sheep of the herd.\n" for i in range(40))
        noise = self.random.randbytes(20 * BLOCK) + bytes(range(256)) * 40
        self.data = text.encode() + noise
        self.clear()
        self.packed = self.compressed(self.data)

    def clear(self) -> Path:
        """Empty the folder; return it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        return self.folder

    def put(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def command(self, name: str, *arguments: object) -> list[str]:
        options: list[object] = []
        if name != "info" and "--quick" not in arguments:
            options = ["--model", self.model]
        if name == "compress":
            options += ["--window", 256, "--threads", 1, "--block-size", BLOCK]
        return [sys.executable, "-m", "nacrith", name, *map(str, [*options, *arguments])]

    def start(self, name: str, *arguments: object, **options: Any) -> "subprocess.Popen[bytes]":
        """Start a process in the folder; both outputs are pipes unless `options` differ."""
        defaults: dict[str, Any] = {"env": self.environment}
        defaults |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": -1}
        return subprocess.Popen(
            self.command(name, *arguments),
            cwd=self.folder,
            **{**defaults, **options},
        )

    def run(self, name: str, *arguments: object, **options: Any) -> tuple[int, bytes, str]:
        """Run to the end; return exit code, standard output, messages."""
        given = options.pop("input", None)
        if given is not None:
            options["stdin"] = subprocess.PIPE
        return finish(self.start(name, *arguments, **options), given)

    def compressed(self, data: bytes) -> bytes:
        """What an uninterrupted run makes of it."""
        self.put("original", data)
        code, packed, error = self.run("compress", "-c", "original")
        must(code == 0, f"compress: {error}")
        (self.folder / "original").unlink()
        return packed


def finish(
    process: "subprocess.Popen[bytes]", given: bytes | None = None
) -> tuple[int, bytes, str]:
    """Wait for a process; return exit code, standard output, messages.

    That kernels are compiled is no message: it depends on what was tried before.
    """
    try:
        output, error = process.communicate(given, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as expired:
        process.kill()
        raise Broken(f"no end after {TIMEOUT} s") from expired
    message = (error or b"").decode().replace(f"{MESSAGE}\n", "")
    must("Traceback" not in message, message)
    return process.returncode, output or b"", message


def must_fail(result: tuple[int, bytes, str], *words: str) -> None:
    """It must have exited with 1 and a message of one line that holds the words."""
    code, _, message = result
    must(code == 1, f"exit code {code}: {message}")
    must(message.startswith("nacrith: "), f"no message: {message!r}")
    for word in words:
        must(word in message, f"{word!r} is missing in {message!r}")
