"""Which files a command is about: those named, those of a list, those in folders."""

import functools
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

from nacrith.cli.options import NAME, NAME_OR_DASH, options
from nacrith.errors import FileError


@dataclass(frozen=True)
class Inputs:
    """What the user named.

    Attributes:
        files: `-` is standard input.
        recursive: the files in folders and below them, too.
        excluded: patterns of the shell; see `is_excluded`.
    """

    files: tuple[Path, ...]
    recursive: bool = False
    excluded: tuple[str, ...] = ()

    def paths(self) -> list[Path | None]:
        """The files as they were named; None = standard input."""
        return [input_of(path) for path in self.files]

    def is_excluded(self, path: str | Path) -> bool:
        """Does a pattern fit the last part of a path, or all of it?"""
        name = os.path.basename(path)
        return any(fnmatchcase(name, p) or fnmatchcase(str(path), p) for p in self.excluded)


def input_of(path: Path) -> Path | None:
    """None = standard input."""
    return None if str(path) == "-" else path


def with_inputs(command: Callable[..., None]) -> Callable[..., None]:
    """Add FILE..., -r, --exclude, --exclude-from and --filelist; they arrive as `inputs`."""

    @options(
        click.argument("files", nargs=-1, type=NAME_OR_DASH, metavar="[FILE]..."),
        click.option(
            "-r", "--recursive", is_flag=True, help="The files in a folder and below it."
        ),
        click.option(
            "--exclude", "excluded", multiple=True, metavar="PATTERN",
            help="Leave out files and folders of such a name, or path, as in '*.png'.",
        ),
        click.option(
            "--exclude-from", type=NAME, metavar="FILE", help="Patterns of --exclude, one a line."
        ),
        click.option(
            "--filelist", type=NAME_OR_DASH, metavar="FILE",
            help="More names, one a line (or each ended by a NUL byte); - reads them from "
            "standard input.",
        ),
    )  # fmt: skip
    @functools.wraps(command)
    def with_files(
        *args: Any,
        files: tuple[Path, ...],
        recursive: bool,
        excluded: tuple[str, ...],
        exclude_from: Path | None,
        filelist: Path | None,
        **given: Any,
    ) -> None:
        if exclude_from:
            excluded += tuple(_entries(exclude_from))
        if filelist:
            files += tuple(map(Path, _entries(filelist)))
        elif not files:
            files = (Path("-"),)
        command(*args, inputs=Inputs(files, recursive, excluded), **given)

    return with_files


def _entries(path: Path) -> Sequence[str]:
    """What stands in a list, without empty entries.

    Raises:
        FileError: it can't be read.
    """
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise FileError(f"can't read the list {path}: {error.strerror}") from error
    end = b"\0" if b"\0" in data else b"\n"
    return [os.fsdecode(entry.removesuffix(b"\r")) for entry in data.split(end) if entry.strip()]
