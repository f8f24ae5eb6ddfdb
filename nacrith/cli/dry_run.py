"""--dry-run: what would be done, and about what it would take."""

import io
import os
from dataclasses import dataclass, replace
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
from nacrith.pipeline.blocks import read_blocks
from nacrith.pipeline.chosen_parameters import window_of
from nacrith.pipeline.content import Opened, largest_opened
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.resume import block_size_of, done_of
from nacrith.plural import counted
from nacrith.system.files import open_input
from nacrith.system.part_file import no_folder, part_name
from nacrith.system.special_files import is_special
from nacrith.transforms.opening.limits import Inside
from nacrith.transforms.opening.peeking import peek

_SECONDS_PER_MB = {Kind.MIXED: 25.0, Kind.STORED: 0.01}
"""To compress data that is not text, one core (docs/benchmarks.md)."""

_NAMES = {Kind.TEXT: "text", Kind.MIXED: "binary data", Kind.STORED: "compressed already"}
_MEGABYTE = 1e6
_MOST_NAMED = 0.995
"""A kind that is more than this share of a file is all that is named."""


@dataclass(frozen=True)
class Part:
    """What an interrupted run has left.

    Attributes:
        path: where it is.
        keeps_block: the block size is the one that is given, not that of the interrupted run.
    """

    path: Path
    keeps_block: bool


def find_part(target: Path, keeps_block: bool) -> Part | None:
    """The part of a target, if there is one."""
    path = part_name(target)
    return None if is_special(target) or not path.is_file() else Part(path, keeps_block)


def describe_compression(
    path: Path | None,
    source: BinaryIO,
    target: Path | None,
    level: int,
    options: CompressOptions,
    limit: int | None,
    team: Team,
    part: Part | None = None,
) -> str:
    """One line about what compressing a file would do.

    Args:
        source: at its start; with a part it can be read twice.
        part: what an interrupted run has left, if the run would go on with it.

    Raises:
        MemoryLimitError: it does not fit the limit.
        ResumeError: the part was made of something else.
        FileError: the part can't be read.
    """
    if part and not part.keeps_block:
        with open_input(part.path) as (begun, _):
            found = block_size_of(begun, source, options.block_size, options.inside)
        options = replace(options, block_size=found)
    opened = None
    if limit is not None:
        opened = largest_opened(source, options.block_size, options.inside)
    blocks = read_blocks(source, options.block_size, options.inside)
    block = next(blocks, b"")
    is_file = path is not None and path.is_file()
    size = os.fstat(source.fileno()).st_size if is_file else len(block) + sum(map(len, blocks))
    sizes = _kinds(block, options.inside)
    in_streams = sum(sizes.values())
    opened = opened or Opened(in_streams)
    opened = opened._replace(size=max(opened.size, in_streams))
    fitted = fitted_compression(options, limit, team, size, opened)
    if fitted.options.inside != options.inside:
        sizes, in_streams = _kinds(block, fitted.options.inside), len(block)
    done = 0
    if part:
        # What is opened decides where blocks end.
        source.seek(0)
        with open_input(part.path) as (begun, _):
            done = done_of(begun, source, options.block_size, fitted.options.inside)
    scale = (size - done) / max(1, len(block))
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
        how += f", a window of {window_of(fitted.options, size)}"
    if fitted.workers > 1:
        how += f", {fitted.workers} workers"
    if fitted.options.inside != options.inside:
        how += ", compressed streams in it closed"
    what = f"{counted(size, 'byte')}, {_shares(sizes)}"
    if in_streams > len(block):
        what += " once opened"
    would = f"make {_place(target)}"
    if part and done:
        would = f"go on with {part.path}, in which {done} are done,"
    return _line(path, what, would, how, seconds, fitted.needed) + _where(team)


def describe_done(path: Path, target: Path, removes: bool) -> str:
    """One line about a file that an earlier run has compressed whole."""
    then = f"; would remove {path}" if removes else ""
    return f"{path}: already done, {target} holds all of it{then}"


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
    from nacrith.pipeline.restore_time import RestoreTime

    if not source.seekable():
        source = io.BytesIO(source.read())
    found = restore_limit(source, limit, model)
    time = RestoreTime()
    described = describe_file(source, time.look_at)
    members = described["members"]
    frames = sum(member["frames"] for member in members)
    workers = min(found.workers(team.count()), max(1, frames))
    size = sum(member["original_size"] for member in members)
    names = {member["model"]["name"] for member in members if member["model"]}
    how = " and ".join(sorted(names)) or "no model"
    if workers > 1:
        how += f", {workers} workers"
    what = f"{counted(described['size'], 'byte')} that hold {size}"
    would = f"make {_place(target)}"
    return _line(path, what, would, how, time.seconds, found.needed(workers)) + _where(team)


def show(line: str) -> None:
    click.echo(printable(line))


def check_target(target: Path | None, out: Output) -> None:
    """Raise FileError if the run itself would refuse to write there."""
    if target is None or is_special(target):
        return
    if os.path.lexists(target) and not out.force:
        raise FileError(f"{target} exists; use -f to overwrite it")
    if not target.parent.exists() and out.output:
        raise FileError(no_folder(part_name(target)))


def _place(target: Path | None) -> str:
    return str(target or "(standard output)")


def _line(path: Path | None, what: str, would: str, how: str, seconds: float, memory: int) -> str:
    return (
        f"{name_of(path)}: {what}; would {would} with {how}; "
        f"about {duration(max(1, seconds))} and {memory_size(memory)} of memory"
    )


def _where(team: Team) -> str:
    return "" if team.is_on_processor else " (of the processor; a GPU takes less time)"


def _kinds(block: bytes, inside: Inside) -> dict[Kind, int]:
    """Bytes of text, of binary data and of what is compressed already, streams in it opened."""
    from nacrith.codec.segments import find_segments

    sizes = dict.fromkeys(_NAMES, 0)
    for piece in peek(block, inside):
        for kind, length in find_segments(piece):
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
