"""A command over several files: one that fails does not stop the others."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nacrith.cli.broken_pipe import exiting_without_reader
from nacrith.cli.directory_walk import Choice, walk
from nacrith.cli.display import say
from nacrith.cli.failures import describe, is_internal, show_traceback
from nacrith.cli.inputs import Inputs, input_of
from nacrith.cli.whole_run import WholeRun
from nacrith.errors import FileError
from nacrith.plural import counted

if TYPE_CHECKING:
    from nacrith.pipeline.summary import Summary


def name_of(path: Path | None) -> str:
    """As it stands in messages; None = standard input."""
    return str(path) if path else "(standard input)"


def sizes(summary: "Summary") -> str:
    """Both sizes, and what they come to."""
    share = 100 * summary.compressed / summary.original if summary.original else 100.0
    return (
        f"{counted(summary.original, 'byte')}, compressed {summary.compressed} "
        f"({share:.2f} %, {summary.bpb:.3f} bpb)"
    )


def for_each(
    inputs: Inputs,
    job: Callable[[Path | None], "Summary | None"],
    *,
    choose: Callable[[Path], Choice] = lambda path: Choice.TAKE,
    summarize: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    whole: WholeRun | None = None,
) -> None:
    """Run the job on every file.

    Args:
        choose: which files in folders are meant.
        summarize: say at the end what was done if there were several files.
        quiet: do not name the files that were passed over, nor say at the end how many failed.
        verbose: show where an internal error came from.
        whole: told how far the run is; all files are then looked for before the first is begun.

    Raises:
        SystemExit: with 1 if a file failed.
    """
    n_done = n_failed = 0
    summaries = []

    def failed(message: str) -> None:
        nonlocal n_failed
        n_failed += 1
        say(f"nacrith: {message}")

    def passed_over(path: Path, choice: Choice) -> None:
        if not quiet:
            say(f"nacrith: {path} is passed over: it {choice.value}")

    paths: Iterable[Path] = walk(inputs, choose, passed_over, failed)
    if whole:
        paths = list(paths)
        whole.begin(paths)
    for path in paths:
        if whole:
            whole.begin_file(path)
        before = n_failed
        try:
            with exiting_without_reader():
                summary = job(input_of(path))
            summaries += [summary] if summary else []
            n_done += 1
        except Exception as error:
            failed(_with_name(path, error))
            if verbose and is_internal(error):
                show_traceback(error)
        if whole:
            whole.end_file(failed=n_failed > before)
    if n_done + n_failed > 1 and (n_failed or summarize) and not quiet:
        _summarize(n_done, n_failed, summaries)
    if n_failed:
        raise SystemExit(1)


def _with_name(path: Path, error: Exception) -> str:
    """What went wrong, with the name of the file. Errors of files have it in their text."""
    message = describe(error)
    is_named = re.search(rf"(?<!\w){re.escape(str(path))}(?!\w)", message)
    has_name = isinstance(error, FileError) and is_named
    return message if has_name or str(path) == "-" else f"{path}: {message}"


def _summarize(n_done: int, n_failed: int, summaries: "list[Summary]") -> None:
    from nacrith.pipeline.summary import Summary

    total = Summary(sum(s.original for s in summaries), sum(s.compressed for s in summaries))
    failed = f", {n_failed} failed" if n_failed else ""
    done = f": {sizes(total)}" if summaries else ""
    say(f"{counted(n_done, 'file')} done{failed}{done}")
