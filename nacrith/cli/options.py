"""Options that several commands share, and the types of their values."""

import functools
import os
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nacrith.cli.units import parse_bytes
from nacrith.errors import DictionaryError, FileError
from nacrith.format.dictionary import MAX_SIZE as MAX_DICTIONARY
from nacrith.format.parameters import MAX_STREAMS
from nacrith.pipeline.presets import LEVELS, PRESETS
from nacrith.system.progress import NO_PROGRESS, Progress

if TYPE_CHECKING:
    from nacrith.workers import Workers

LARGEST = (1 << 31) - 1
"""Bound of numbers that have no other."""


class Count(click.ParamType):
    """A whole number in decimal digits, from `minimum` to `maximum`."""

    name = "integer"

    def __init__(self, minimum: int, maximum: int) -> None:
        self._minimum, self._maximum = minimum, maximum

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        # `int` would take digits of other scripts, blanks and underscores too.
        number = int(value) if re.fullmatch(r"[+-]?[0-9]{1,20}", value) else None
        if number is None or not self._minimum <= number <= self._maximum:
            self.fail(
                f"{value!r} is not a number from {self._minimum} to {self._maximum}", param, ctx
            )
        return number


class Parsed(click.ParamType):
    """A value that a function reads, which raises ValueError."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return self._parse(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


def size_between(minimum: int, maximum: int) -> Parsed:
    """Type of a number of bytes such as 4096, 64K or 4M."""

    def parse(text: str) -> int:
        size = parse_bytes(text)
        if not minimum <= size <= maximum:
            raise ValueError(f"{text!r} is not a size from {minimum} to {maximum} bytes")
        return size

    return Parsed("size", parse)


class _Name(click.Path):
    """A path; the empty one, which `Path` would take for this folder, is none."""

    def __init__(self, allow_dash: bool = False) -> None:
        super().__init__(path_type=Path, allow_dash=allow_dash)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "":
            self.fail("the name of a file is empty", param, ctx)
        return super().convert(value, param, ctx)


class _OutputName(_Name):
    """A path to write to. One that ends in a slash is a folder, which must be there."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if isinstance(value, str) and value.endswith(os.sep) and not os.path.isdir(value):
            raise FileError(f"there is no folder {value}; make it first, or leave out the slash")
        return super().convert(value, param, ctx)


NAME = _Name()
OUTPUT_NAME = _OutputName()


def options(*decorators: Callable[..., Any]) -> Callable[..., Any]:
    """Several options as one decorator."""

    def apply(command: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


FILES = click.argument("files", nargs=-1, type=_Name(allow_dash=True), metavar="[FILE]...")
MODEL = click.option("--model", type=NAME, metavar="PATH", help="GGUF file of the model.")


class _Dictionary(_Name):
    """The path of a dictionary, whose bytes arrive."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return read_dictionary(super().convert(value, param, ctx))


DICTIONARY = click.option(
    "-D", "--dictionary", type=_Dictionary(), default=None, metavar="FILE",
    help="A text that the input is like, read before it; as large as 4K or more. The same FILE "
    "is needed to decompress.",
)  # fmt: skip
QUIET = options(
    click.option("-q", "--quiet", is_flag=True, help="No progress, no summary."),
    click.option(
        "-v", "--verbose", is_flag=True, help="Print a summary even if not on a terminal."
    ),
)
RECURSIVE = click.option(
    "-r", "--recursive", is_flag=True, help="The files in a folder and below it."
)
STREAMS = click.option(
    "--streams",
    type=Count(0, MAX_STREAMS),
    default=0,
    metavar="N",
    help="Parallel streams (0: by size).",
)


_LEVEL_HELP = {
    1: "Fastest: context mixing, without the model.",
    2: "Context mixing of more contexts, without the model.",
    3: "The strongest context mixing, without the model.",
    4: "With the model, a context of 256 tokens, many streams.",
    5: "With a context of 512 tokens.",
    6: "With 1,024 tokens: the default.",
    7: "With 2,048 tokens.",
    8: "With 2,048 tokens, few streams.",
    9: "Smallest, slowest: 4,096 tokens, one stream.",
}
_LEVEL_NAMES = {PRESETS["fast"]: ("--fast",), PRESETS["best"]: ("--best",)}


def with_level(command: Callable[..., None]) -> Callable[..., None]:
    """Add -1 to -9, --fast and --best; they arrive as `level`."""

    @options(
        *(
            click.option(
                f"-{level}",
                *_LEVEL_NAMES.get(level, ()),
                f"level_{level}",
                is_flag=True,
                help=_LEVEL_HELP[level],
            )
            for level in LEVELS
        )
    )
    @functools.wraps(command)
    def with_number(*args: Any, **given: Any) -> None:
        chosen = [level for level in LEVELS if given.pop(f"level_{level}")]
        if len(chosen) > 1:
            names = [(*_LEVEL_NAMES.get(level, ()), f"-{level}")[0] for level in chosen[:2]]
            raise click.UsageError(f"{names[0]} and {names[1]} exclude each other")
        command(*args, level=chosen[0] if chosen else PRESETS["default"], **given)

    return with_number


@dataclass(frozen=True)
class Output:
    """Where results go, and what is said about them."""

    output: Path | None
    stdout: bool
    keep: bool
    remove: bool
    force: bool
    quiet: bool
    verbose: bool

    @property
    def talks(self) -> bool:
        return not self.quiet and (self.verbose or sys.stderr.isatty())

    def is_stdout(self, path: Path | None) -> bool:
        """Does the result of this input (None = standard input) go to standard output?"""
        return self.stdout or str(self.output) == "-" or not (self.output or path)


def with_output(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that write files; they arrive as `out`."""

    @options(
        click.option(
            "-o", "--output", type=_OutputName(allow_dash=True), metavar="PATH",
            help="Write to PATH. A device, pipe or socket, or a link to one, is written to "
            "and never replaced; a link to a file is replaced with -f, not followed.",
        ),
        click.option("-c", "--stdout", is_flag=True, help="Write to standard output."),
        click.option("-k", "--keep", is_flag=True, help="Keep the input (the default)."),
        click.option(
            "--rm", "remove", is_flag=True,
            help="Remove the input after success; only if the output is a regular file.",
        ),
        click.option(
            "-f", "--force", is_flag=True,
            help="Overwrite; read and write a terminal; read pipes.",
        ),
        QUIET,
    )  # fmt: skip
    @functools.wraps(command)
    def with_out(*args: Any, **given: Any) -> None:
        out = Output(**{field.name: given.pop(field.name) for field in fields(Output)})
        if out.output and len(given["files"]) > 1:
            raise click.UsageError("-o takes one FILE; leave it out, or use -c")
        if out.output and out.stdout:
            raise click.UsageError("-o and -c exclude each other")
        if out.keep and out.remove:
            raise click.UsageError("-k and --rm exclude each other")
        if out.remove and any(map(out.is_stdout, paths(given["files"]))):
            raise click.UsageError("--rm needs an output file")
        command(*args, out=out, **given)

    return with_out


@dataclass(frozen=True)
class Team:
    """Where the frames of a file run."""

    workers: int
    cluster: str | None

    def open(
        self,
        n_frames: int | None = None,
        threads: int = 0,
        progress: Progress = NO_PROGRESS,
    ) -> "AbstractContextManager[Workers]":
        """A context in which there are workers; see `choose_workers`."""
        from nacrith.workers.choose import choose_workers

        return closing(choose_workers(self.workers, self.cluster, n_frames, threads, progress))


def with_workers(command: Callable[..., None]) -> Callable[..., None]:
    """Add --workers and --cluster; they arrive as `team`."""

    @options(
        click.option(
            "--workers", type=Count(0, 1024), default=0, metavar="N",
            help="Processes that share the frames of a large FILE (0: as many as pay).",
        ),
        click.option(
            "--cluster", metavar="ADDRESS",
            help="Run frames on the Dask cluster at ADDRESS, such as tcp://host:8786.",
        ),
    )  # fmt: skip
    @functools.wraps(command)
    def with_team(*args: Any, workers: int, cluster: str | None, **given: Any) -> None:
        command(*args, team=Team(workers, cluster), **given)

    return with_team


def read_dictionary(path: Path) -> bytes:
    """The bytes of a dictionary.

    Raises:
        DictionaryError: it can't be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DICTIONARY + 1)
    except OSError as error:
        raise DictionaryError(f"can't read the dictionary {path}: {error.strerror}") from error
    if len(data) > MAX_DICTIONARY:
        raise DictionaryError(
            f"the dictionary {path} has more than {MAX_DICTIONARY} bytes; use a part of it"
        )
    return data


def input_of(path: Path) -> Path | None:
    """None = standard input."""
    return None if str(path) == "-" else path


def paths(files: tuple[Path, ...]) -> list[Path | None]:
    """The inputs that a command's arguments name."""
    return [input_of(path) for path in files] or [None]
