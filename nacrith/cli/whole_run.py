"""A command over several files: how far it is in all of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass
class WholeRun:
    """How far a run is, by the bytes of its input files, of which some are done.

    Attributes:
        n_files: that there are.
        size: bytes of all files.
        number: of the current file, from 1.
        current: bytes of that file.
        done: bytes of those before it.
        skipped: bytes of `done` that took no time, since the files could not be used.
        begun: when the first one was begun.
    """

    n_files: int = 1
    size: int = 0
    number: int = 0
    current: int = 0
    done: int = 0
    skipped: int = 0
    begun: float = 0.0

    def begin(self, paths: Sequence[Path]) -> None:
        """These are the files."""
        self.n_files = len(paths)
        self.size = sum(map(_size, paths))
        self.begun = time.monotonic()

    def begin_file(self, path: Path) -> None:
        """It is the turn of that file."""
        self.number += 1
        self.current = _size(path)

    def end_file(self, failed: bool) -> None:
        """The file is done, or has failed."""
        self.done += self.current
        self.skipped += self.current if failed else 0
        self.current = 0

    @property
    def place(self) -> str:
        """In front of the current file's name: 2/5; nothing if it is the only one."""
        return f"{self.number}/{self.n_files} " if self.n_files > 1 else ""

    def share(self, of_current: float) -> float:
        """The share of all that is done if so much of the current file is."""
        return (self.done + of_current * self.current) / max(1, self.size)

    def seconds_left(self, of_current: float) -> float:
        """Seconds until the end, as fast as it has been so far."""
        worked = self.done + of_current * self.current - self.skipped
        left = self.size - self.skipped - worked
        return (time.monotonic() - self.begun) * left / max(1.0, worked)


ONE_FILE = WholeRun()
"""Of a run over one file, about which there is nothing more to say."""


def _size(path: Path) -> int:
    """Bytes; 0 for what is no regular file."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
