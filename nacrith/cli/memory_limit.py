"""--memlimit, and the variable that stands for it."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from nacrith.cli.display import say
from nacrith.cli.options import Team
from nacrith.cli.units import memory_size, parse_limit
from nacrith.errors import EnvironmentVariableError
from nacrith.format.frame import Frame
from nacrith.format.header import Header
from nacrith.pipeline.options import CompressOptions

if TYPE_CHECKING:
    from nacrith.pipeline.content import Opened
    from nacrith.pipeline.fitting import Fitted, RestoreLimit

_VARIABLE = "NACRITH_MEMLIMIT"


def chosen_limit(given: int | None, team: Team) -> int | None:
    """The limit in bytes, None = there is none; that of the variable if none was given.

    Args:
        given: on the command line; 0 = no limit.
        team: machines of a cluster are not this one.

    Raises:
        click.UsageError: both a limit and a cluster were given.
        EnvironmentVariableError: the variable's value is too large.
    """
    if given and team.cluster:
        raise click.UsageError("--memlimit and --cluster exclude each other")
    if given is None and not team.cluster and (value := os.environ.get(_VARIABLE)):
        try:
            given = parse_limit(value)
        except ValueError as error:
            raise EnvironmentVariableError(
                f"the environment variable {_VARIABLE}: {error}"
            ) from error
    return given or None


def fitted_compression(
    options: CompressOptions,
    limit: int | None,
    team: Team,
    size: int | None,
    opened: "Opened | None",
) -> "Fitted":
    """See `fit_compression`; `size` in bytes, None = not known."""
    from nacrith.pipeline.fitting import fit_compression

    n_frames = None if size is None else max(1, -(-size // options.block_size))
    return fit_compression(options, limit, team.count(n_frames), size, opened)


def tell_of_changes(name: str, fitted: "Fitted", limit: int) -> None:
    """Say what the limit has changed, if it has."""
    if fitted.changes:
        say(f"{name}: to stay within {memory_size(limit)}, {', '.join(fitted.changes)}")


def restore_limit(
    source: BinaryIO, limit: int | None, model: Path | None, wanted: range | None = None
) -> "RestoreLimit":
    """What restoring takes of memory; if the source can be read twice, of all of it.

    Raises:
        MemoryLimitError: it does not fit, and all of it is wanted.
        FormatError, UnsupportedError: it can't be restored.
    """
    from nacrith.format.container import MemberReader
    from nacrith.pipeline.fitting import RestoreLimit

    found = RestoreLimit(limit, model)
    # Of a range, what is refused is found out when it is its turn.
    look = found.admit if wanted is None else found.look_at
    if source.seekable():
        begin = source.tell()
        for member in MemberReader(source):
            for frame in member.frames():
                look(member.header, frame)
        source.seek(begin)
    return found


def fitted_restoring(
    source: BinaryIO,
    limit: int | None,
    team: Team,
    model: Path | None,
    wanted: range | None = None,
) -> tuple[Team, Callable[[Header, Frame], None]]:
    """The team, as large as fits, and what is to be called before each frame is decoded.

    Raises:
        MemoryLimitError, FormatError, UnsupportedError: as `restore_limit`.
    """
    if limit is None:
        return team, _admit_all
    found = restore_limit(source, limit, model, wanted)
    # Of what can't be read twice nobody knows beforehand what its frames need.
    n = found.workers(team.count()) if source.seekable() else 1
    return with_workers_of(team, n), found.admit


def with_workers_of(team: Team, n: int) -> Team:
    """The team with so many workers; those of GPUs and of a cluster are as many as they are."""
    is_here = team.is_on_processor and not team.cluster
    return replace(team, workers=n) if is_here else team


def _admit_all(header: Header, frame: Frame) -> None:
    """Without a limit there is nothing to refuse."""
