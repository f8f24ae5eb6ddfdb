"""--resume of a file that an earlier run has compressed whole."""

import os
from collections.abc import Callable
from pathlib import Path

from nacrith.cli.display import say
from nacrith.cli.file_job import progress_of
from nacrith.cli.memory_limit import fitted_restoring
from nacrith.cli.options import Team
from nacrith.cli.output import Output
from nacrith.pipeline.options import CompressOptions
from nacrith.system.files import open_input, remove_unchanged
from nacrith.system.part_file import part_name
from nacrith.system.special_files import is_special


def whole_result(
    path: Path, out: Output, name: Callable[[Path], Path]
) -> tuple[Path, os.stat_result] | None:
    """The file in which an earlier run has compressed all of this one, and this one's status; None
    = there is none.

    Args:
        name: that of the result beside the input.

    Raises:
        FileError: a file can't be read.
    """
    target = out.place_for(path, name)
    if not target or not target.is_file() or is_special(target) or out.is_taken(target):
        return None
    # What is refused here is told by who compresses.
    if not path.is_file() or (out.remove and path.is_symlink()):
        return None
    part = part_name(target)
    # Both names of one file: a run was killed after it had given the file its name.
    if part.exists() and not part.samefile(target):
        return None
    from nacrith.pipeline.resume import is_made_of

    with open_input(path) as (source, status), open_input(target) as (packed, _):
        return (target, status) if status and is_made_of(packed, source) else None


def is_done(
    path: Path,
    out: Output,
    options: CompressOptions,
    limit: int | None,
    team: Team,
    name: Callable[[Path], Path],
    verify: bool | None,
) -> bool:
    """Has an earlier run compressed all of the file? Then its input is removed, if it is to be.

    Args:
        options: of compression.
        limit: of memory, in bytes. team: who decodes.
        name: that of the result beside the input.
        verify: decode the result first; None = if the input is to be removed.

    Raises:
        FileError: a file can't be read or removed.
        FormatError: the result can't be restored.
    """
    from nacrith.pipeline.decompress import decompress_stream

    found = whole_result(path, out, name)
    if not found:
        return False
    target, status = found
    with open_input(target) as (packed, _):
        if verify or (out.remove and verify is not False):
            progress = progress_of(path, out.hides_progress, True, "verify", out.whole)
            team, admit = fitted_restoring(packed, limit, team, options.model)
            with team.open(progress=progress) as workers:
                decompress_stream(
                    packed, None, options.model, progress, workers, None,
                    options.dictionary, options.correction, admit,
                )  # fmt: skip
        if out.remove:
            # Nobody may have waited for it to be on disk yet.
            os.fsync(packed.fileno())
    out.take(target)
    if out.remove:
        remove_unchanged(path, status)
    if not out.quiet:
        say(f"{path}: already done, {target} holds all of it")
    return True
