"""--dry-run: what would be done, and about what it would take."""

import io
import os
from pathlib import Path
from typing import BinaryIO

import click

from nacrith.cli.batch import name_of
from nacrith.cli.display import printable
from nacrith.cli.expectation import expected_seconds, threads_of
from nacrith.cli.memory_limit import fitted_compression, restore_limit
from nacrith.cli.options import Team
from nacrith.cli.output import Output
from nacrith.cli.units import duration, memory_size
from nacrith.errors import FileError
from nacrith.format.frame import Kind
from nacrith.pipeline.options import CompressOptions
from nacrith.plural import counted
from nacrith.system.files import is_special, part_name
from nacrith.system.reading import read_up_to

_SECONDS_PER_MB = {Kind.MIXED: 25.0, Kind.STORED: 0.01}
"""To compress data that is not text, one core (docs/benchmarks.md)."""

_NAMES = {Kind.TEXT: "text", Kind.MIXED: "binary data", Kind.STORED: "compressed already"}
_MEGABYTE = 1e6
_MOST_NAMED = 0.995
"""A kind that is more than this share of a file is all that is named."""


def describe_compression(
    path: Path | None,
    source: BinaryIO,
    target: Path | None,
    level: int,
    options: CompressOptions,
    limit: int | None,
    team: Team,
) -> str:
    """One line about what compressing a file would do.

    Raises:
        MemoryLimitError: it does not fit the limit.
    """
    block = read_up_to(source, options.block_size)
    size = len(block)
    if path and path.is_file():
        size = path.stat().st_size
    else:
        while data := source.read(1 << 20):
            size += len(data)
    sizes = _kinds(block)
    fitted = fitted_compression(options, limit, team, size)
    scale = size / max(1, len(block))
    seconds = scale * sum(
        expected_seconds(n, level, threads_of(options.threads))
        if kind == Kind.TEXT
        else n / _MEGABYTE * _SECONDS_PER_MB[kind]
        for kind, n in sizes.items()
    )
    how = f"-{level}"
    if sizes[Kind.TEXT] and options.preset.mixing is None:
        streams = fitted.options.streams or fitted.options.cutting.most_for(len(block))
        upto = "" if fitted.options.streams or streams == 1 else "up to "
        how += f", {upto}{counted(streams, 'stream')}"
        how += f", a window of {fitted.options.parameters.window}"
    if fitted.workers > 1:
        how += f", {fitted.workers} workers"
    what = f"{counted(size, 'byte')}, {_shares(sizes)}"
    return _line(path, what, target, how, seconds, fitted.needed) + _where(team)


def describe_restoring(
    path: Path | None,
    source: BinaryIO,
    target: Path | None,
    model: Path | None,
    limit: int | None,
    team: Team,
) -> str:
    """One line about what restoring a file would do; raises as `restore_limit`."""
    from nacrith.format.description import describe_file
    from nacrith.pipeline.restore_time import seconds_to_restore

    if not source.seekable():
        source = io.BytesIO(source.read())
    found = restore_limit(source, limit, model)
    described = describe_file(source)
    members = described["members"]
    frames = sum(member["frames"] for member in members)
    workers = min(found.workers(team.count()), max(1, frames))
    size = sum(member["original_size"] for member in members)
    names = {member["model"]["name"] for member in members if member["model"]}
    how = " and ".join(sorted(names)) or "no model"
    if workers > 1:
        how += f", {workers} workers"
    seconds = sum(map(seconds_to_restore, members))
    what = f"{counted(described['size'], 'byte')} that hold {size}"
    return _line(path, what, target, how, seconds, found.needed(workers)) + _where(team)


def show(line: str) -> None:
    click.echo(printable(line))


def check_target(target: Path | None, out: Output, resume: bool = False) -> None:
    """Raise FileError if the run itself would refuse to write there."""
    if target is None or is_special(target):
        return
    if os.path.lexists(target) and not (out.force or resume):
        raise FileError(f"{target} exists; use -f to overwrite it")
    if not target.parent.is_dir() and out.output:
        raise FileError(f"can't write {part_name(target)}: there is no such folder")


def _line(
    path: Path | None, what: str, target: Path | None, how: str, seconds: float, memory: int
) -> str:
    return (
        f"{name_of(path)}: {what}; would make {target or '(standard output)'} with {how}; "
        f"about {duration(max(1, seconds))} and {memory_size(memory)} of memory"
    )


def _where(team: Team) -> str:
    return "" if team.is_on_processor else " (of the processor; a GPU takes less time)"


def _kinds(block: bytes) -> dict[Kind, int]:
    """Bytes of text, of binary data and of what is compressed already."""
    from nacrith.codec.segments import find_segments

    sizes = dict.fromkeys(_NAMES, 0)
    for kind, length in find_segments(block):
        sizes[kind if kind in sizes else Kind.MIXED] += length
    return sizes


def _shares(sizes: dict[Kind, int]) -> str:
    total = sum(sizes.values())
    if not total:
        return "nothing"
    for kind, n in sizes.items():
        if n >= _MOST_NAMED * total:
            return _NAMES[kind]
    return ", ".join(f"{n / total:.0%} {_NAMES[kind]}" for kind, n in sizes.items() if n)
