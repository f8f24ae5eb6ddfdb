"""One file from input to output: opened, reported on, closed in the right order."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from nacrith.cli.batch import name_of, sizes
from nacrith.cli.display import say
from nacrith.cli.output import Output
from nacrith.cli.whole_run import ONE_FILE, WholeRun
from nacrith.errors import ChangedError, FileError
from nacrith.system import signals
from nacrith.system.files import (
    is_unchanged,
    open_input,
    open_output,
    remove_unchanged,
    standard_output,
)
from nacrith.system.part_file import part_name
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.system.special_files import is_special

if TYPE_CHECKING:
    from nacrith.pipeline.summary import Summary


class FileJob:
    """A context in which `source` and `sink` are open.

    Attributes:
        source, status: see `open_input`.
        target: where the output gets its name; None = standard output.
        sink: where to write.
        progress: to report to.
    """

    def __init__(
        self,
        path: Path | None,
        out: Output,
        target: Callable[[Path], Path],
        decoding: bool = False,
        worth_keeping: Callable[[BinaryIO], bool] = lambda part: False,
        resume: bool = False,
        reread: str | None = None,
    ) -> None:
        """
        Args:
            path: the input; None = standard input.
            target: names the output of an input if the user did not.
            decoding: does the input hold compressed data?
            worth_keeping, resume: see `open_output`.
            reread: the option that needs a target that can be read again, if any.

        Raises:
            FileError: the input can't be read, or the output must not be written.
        """
        self._path = path
        self._out = out
        self._decoding = decoding
        self.target: Path | None = None
        self._stack = ExitStack()
        with ExitStack() as stack:
            # A pipe is fine if it is said where the data goes.
            special = out.force or out.is_said
            if decoding and not out.force:
                refuse_terminal(path)
            self.source, self.status = stack.enter_context(open_input(path, special))
            self.target = out.target(path, target)
            if reread and self.target and is_special(self.target):
                raise FileError(f"{self.target} is no regular file, which {reread} needs")
            if self.target:
                if path and self.target.exists() and self.target.samefile(path):
                    raise FileError(f"{path} is both input and output")
                if out.remove and is_special(self.target):
                    raise FileError(f"{self.target} is no regular file, which --rm needs")
                if out.remove and path and path.is_symlink():
                    raise FileError(f"{path} is a symbolic link, which --rm does not remove")
                attributes = self.status if path else None
                self.sink = stack.enter_context(
                    open_output(self.target, out.force, attributes, worth_keeping, resume)
                )
            else:
                self.sink = standard_output()
            if not decoding and not out.force and self.sink.isatty():
                raise FileError("compressed data is not written to a terminal; use -f to force")
            self.progress = progress_of(path, out.hides_progress, decoding, whole=out.whole)
            self._stack = stack.pop_all()

    def __enter__(self) -> "FileJob":
        self._started = time.monotonic()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.seconds = time.monotonic() - self._started
        self.progress.end()
        if error is None and not self.target:
            self.sink.flush()
        try:
            self._stack.__exit__(kind, error, trace)
        finally:
            self._tell_of_part(error)

    def progress_of(self, label: str) -> Progress:
        """A second progress display, for a second pass."""
        self.progress.end()
        self.progress = progress_of(
            self._path, self._out.hides_progress, decoding=True, label=label, whole=self._out.whole
        )
        return self.progress

    def check_unchanged(self) -> None:
        """Raise ChangedError if the input has been written to since it was opened."""
        if self.status and not is_unchanged(os.fstat(self.source.fileno()), self.status):
            name = name_of(self._path)
            raise ChangedError(
                f"{name} has changed while it was read; try again, or if it grows all the time, "
                f"as a log does, take what is there now: nacrith compress < {shlex.quote(name)}"
            )

    def finish(self, summary: "Summary") -> None:
        """Remove the input if that is wanted, and print the summary."""
        if self._out.remove and self._path and self.status:
            remove_unchanged(self._path, self.status)
        if not self._out.talks:
            return
        line = f"{name_of(self._path)}: {sizes(summary)}"
        if summary.tokens:
            line += f", {summary.tokens / max(self.seconds, 1e-9):.0f} tokens/s"
        say(line)

    def _tell_of_part(self, error: BaseException | None) -> None:
        if self.target and not self._decoding and part_name(self.target).exists():
            say(f"nacrith: {part_name(self.target)} keeps what is done; go on with --resume")
            if isinstance(error, signals.Interrupted):
                error.is_told = True


@contextmanager
def open_compressed(path: Path | None) -> Iterator[BinaryIO]:
    """Open a compressed file to look at it: pipes too, but no terminal.

    Raises:
        FileError: it can't be read.
    """
    refuse_terminal(path)
    with open_input(path, special=True) as (source, _):
        yield source


def refuse_terminal(path: Path | None) -> None:
    """Raise FileError if compressed data would be read from somebody's keyboard."""
    if path is None and sys.stdin is not None and sys.stdin.isatty():
        raise FileError(
            "compressed data is not read from a terminal; name a FILE.nc, see nacrith --help"
        )


def progress_of(
    path: Path | None,
    hidden: bool,
    decoding: bool,
    label: str | None = None,
    whole: WholeRun = ONE_FILE,
) -> Progress:
    """What shows how far the work on a file is: a bar on a terminal, else nothing."""
    if hidden or not sys.stderr.isatty():
        return NO_PROGRESS
    from nacrith.cli.progress_bar import BarProgress

    name = name_of(path)
    return BarProgress(f"{label} {name}" if label else name, decoding, whole)
