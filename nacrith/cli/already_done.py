"""--resume of a file that an earlier run has compressed whole."""

from collections.abc import Callable
from pathlib import Path

from nacrith.cli.display import say
from nacrith.cli.file_job import progress_of
from nacrith.cli.output import Output
from nacrith.pipeline.options import CompressOptions
from nacrith.system.files import open_input, part_name, remove_unchanged


def is_done(
    path: Path,
    out: Output,
    options: CompressOptions,
    name: Callable[[Path], Path],
    verify: bool | None,
) -> bool:
    """Has an earlier run compressed all of the file? Then its input is removed, if it is to be.

    Args:
        options: of compression.
        name: that of the result beside the input.
        verify: decode the result first; None = if the input is to be removed.

    Raises:
        FileError: a file can't be read or removed.
        FormatError: the result can't be restored.
    """
    from nacrith.pipeline.decompress import decompress_stream
    from nacrith.pipeline.resume import is_made_of

    target = out.place_for(path, name)
    if not target or not target.is_file() or part_name(target).exists():
        return False
    with open_input(path) as (source, status), open_input(target) as (packed, _):
        if not status or not is_made_of(packed, source):
            return False
        if verify or (out.remove and verify is not False):
            packed.seek(0)
            progress = progress_of(path, out.hides_progress, True, "verify", out.whole)
            decompress_stream(
                packed, None, options.model, progress,
                dictionary=options.dictionary, correction=options.correction,
            )  # fmt: skip
    if out.remove:
        remove_unchanged(path, status)
    if not out.quiet:
        say(f"{path}: already done, {target} holds all of it")
    return True
