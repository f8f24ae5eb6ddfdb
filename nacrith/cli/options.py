"""Options that several commands share, and the types of their values."""

import functools
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nacrith.cli.units import parse_bytes, parse_limit
from nacrith.errors import ArgumentError, DictionaryError, FileError
from nacrith.format.dictionary import MAX_SIZE as MAX_DICTIONARY
from nacrith.format.header import MAX_THREADS
from nacrith.format.parameters import MAX_STREAMS
from nacrith.pipeline.options import BLOCK
from nacrith.pipeline.presets import LEVELS, PRESETS
from nacrith.system.devices import AUTO, AUTOMATIC, CPU, MAX_GPUS, DeviceChoice
from nacrith.system.files import SUFFIX
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
        # What can't be read or written is told by who opens it, and does not stop the others.
        super().__init__(path_type=Path, allow_dash=allow_dash, readable=False)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "":
            self.fail("the name of a file is empty", param, ctx)
        return super().convert(value, param, ctx)


class OutputName(_Name):
    """A path to write to. One that ends in a slash is a folder, which must be there."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if isinstance(value, str) and value.endswith(os.sep) and not os.path.isdir(value):
            raise FileError(f"there is no folder {value}; make it first, or leave out the slash")
        return super().convert(value, param, ctx)


def _suffix(text: str) -> str:
    if not text or "/" in text or "\0" in text:
        raise ValueError(f"{text!r} is not an ending of names such as {SUFFIX}")
    return text


NAME = _Name()
NAME_OR_DASH = _Name(allow_dash=True)
OUTPUT_NAME = OutputName()


def options(*decorators: Callable[..., Any]) -> Callable[..., Any]:
    """Several options as one decorator."""

    def apply(command: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


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


class _Correction(_Name):
    """A correction of the model's weights: its path, which is looked at, or `none`."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value == "none":
            return value
        from nacrith.models.corrections import described

        return described(super().convert(value, param, ctx)).path


CORRECTION = click.option(
    "--correction", type=_Correction(), default=None, metavar="FILE|none",
    help="Correction of the model's weights; by default the newest that is shipped for the model. "
    "The same FILE is needed to decompress.",
)  # fmt: skip
QUIET = options(
    click.option("-q", "--quiet", is_flag=True, help="No progress, no summary."),
    click.option("--no-progress", is_flag=True, help="No progress."),
    click.option(
        "-v", "--verbose", is_flag=True, help="Print a summary even if not on a terminal."
    ),
)
SUFFIXES = click.option(
    "-S", "--suffix", type=Parsed("suffix", _suffix), default=SUFFIX, show_default=True,
    metavar=".SUF", help="Ending of the compressed files.",
)  # fmt: skip


def _limit_threads(context: click.Context, option: click.Parameter, threads: int | None) -> int:
    """Let this process and its workers use so many threads; 0 = all, None = none was given."""
    if threads is not None:
        os.environ["NACRITH_THREADS"] = str(threads)
    return threads or 0


THREADS = click.option(
    "-T", "--threads", type=Count(0, MAX_THREADS), default=None, callback=_limit_threads,
    metavar="N", help="Threads (0: all CPUs).",
)  # fmt: skip


MEMLIMIT = click.option(
    "-M", "--memlimit", "--memory", "memlimit", type=Parsed("size", parse_limit), default=None,
    metavar="SIZE",
    help="Take at most about so much memory (800M, 2G, 50% of it all): fewer workers, and when "
    "compressing fewer streams, a shorter context, and what is compressed stays closed; what does "
    "not fit is refused (0: no limit).",
)  # fmt: skip
DRY_RUN = click.option(
    "--dry-run", is_flag=True,
    help="Only say what would be done: size, level, time, memory, names.",
)  # fmt: skip


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


def default_level(least: int = 1) -> int:
    """That of the variable NACRITH_LEVEL, which `check_environment` has looked at; the usual one
    if there is none, or if it is below `least`."""
    level = int(os.environ.get("NACRITH_LEVEL") or PRESETS["default"])
    return level if level >= least else PRESETS["default"]


def with_level(command: Callable[..., None], least: int = 1) -> Callable[..., None]:
    """Add -1 to -9, --fast and --best; they arrive as `level`.

    Args:
        least: what a variable says below it has no effect. Options arrive as they are, but the
            help does not name them.
    """

    @options(
        *(
            click.option(
                f"-{level}",
                *_LEVEL_NAMES.get(level, ()),
                f"level_{level}",
                is_flag=True,
                help=_LEVEL_HELP[level],
                hidden=level < least,
            )
            for level in LEVELS
        )
    )
    @functools.wraps(command)
    def with_number(*args: Any, **given: Any) -> None:
        chosen = [level for level in LEVELS if given.pop(f"level_{level}")]
        if len(chosen) > 1:
            # Some write -19, as for zstd.
            names = [" or ".join((f"-{n}", *_LEVEL_NAMES.get(n, ()))) for n in chosen[:2]]
            raise click.UsageError(
                f"{' and '.join(names)} exclude each other; levels go up to -{max(LEVELS)}"
            )
        command(*args, level=chosen[0] if chosen else default_level(least), **given)

    return with_number


def _device(text: str) -> str:
    """Raises ArgumentError, which is a ValueError."""
    return DeviceChoice(text).device


@dataclass(frozen=True)
class Team:
    """Where the frames of a file run; see `choose_workers`."""

    workers: int
    cluster: str | None
    device: DeviceChoice

    @property
    def is_on_processor(self) -> bool:
        """Is it certain that no GPU will do the work?"""
        from nacrith.workers.gpu_choice import may_find_gpus

        if self.device.must_be_gpu:
            return False
        return self.device.device == CPU or bool(self.cluster) or not may_find_gpus()

    def count(self, n_frames: int | None = None) -> int:
        """How many workers there are on this machine."""
        from nacrith.workers.counting import worker_count

        return 1 if self.cluster else self.workers or worker_count(n_frames)

    def open(
        self,
        n_frames: int | None = None,
        threads: int = 0,
        progress: Progress = NO_PROGRESS,
        block_size: int = BLOCK,
    ) -> "AbstractContextManager[Workers]":
        """A context in which there are workers; see `choose_workers`."""
        from nacrith.workers.choose import choose_workers

        return closing(
            choose_workers(
                self.workers, self.cluster, n_frames, threads, progress, self.device, block_size
            )
        )


def _team(workers: int, cluster: str | None, device: str, gpus: int) -> Team:
    """Raises click.UsageError: they exclude each other."""
    try:
        choice = DeviceChoice(device, gpus)
    except ArgumentError as error:
        raise click.UsageError(str(error)) from error
    if cluster and choice != AUTOMATIC:
        name = "--device" if device != AUTO else "--gpus"
        raise click.UsageError(
            f"--cluster and {name} exclude each other: each worker of a cluster has its own device"
        )
    if workers and gpus > workers:
        raise click.UsageError(f"{gpus} GPUs need as many --workers at least, not {workers}")
    return Team(workers, cluster, choice)


def with_workers(command: Callable[..., None]) -> Callable[..., None]:
    """Add --workers, --cluster, --device and --gpus; they arrive as `team`."""

    @options(
        click.option(
            "--workers", type=Count(0, 1024), default=0, metavar="N",
            help="Processes that share the frames of a large FILE (0: one per GPU, or as many as "
            "pay).",
        ),
        click.option(
            "--cluster", metavar="ADDRESS",
            help="Run frames on the Dask cluster at ADDRESS, such as tcp://host:8786.",
        ),
        click.option(
            "--device", type=Parsed("device", _device), default=AUTO, show_default=True,
            metavar="auto|cpu|cuda|cuda:N",
            help="Where the model runs: on all GPUs that are fit and pay, else the processor; the "
            "processor; all GPUs; the GPU of that number. No byte of a file depends on it.",
        ),
        click.option(
            "--gpus", type=Count(0, MAX_GPUS), default=0, metavar="N",
            help="GPUs to use at most, those with the most free memory (0: all).",
        ),
    )  # fmt: skip
    @functools.wraps(command)
    def with_team(
        *args: Any, workers: int, cluster: str | None, device: str, gpus: int, **given: Any
    ) -> None:
        command(*args, team=_team(workers, cluster, device, gpus), **given)

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
