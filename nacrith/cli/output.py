"""Where results go, and what is said about them."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import click

from nacrith.cli.options import NAME, QUIET, SUFFIXES, OutputName, options
from nacrith.cli.whole_run import WholeRun
from nacrith.errors import FileError
from nacrith.system.special_files import is_special


@dataclass(frozen=True)
class Output:
    """What the user said of the results.

    Attributes:
        output: a file, a folder that exists, or `-`.
        stdout: to standard output.
        flat: a folder for all of them.
        mirror: a folder that gets the folders of the inputs too.
        keep, remove: the input. force: overwrite. quiet, verbose, no_progress: what is shown.
        suffix: of compressed files.
        is_trial: nothing is to be written, not even folders.
        whole: how far the run is.
    """

    output: Path | None
    stdout: bool
    flat: Path | None
    mirror: Path | None
    keep: bool
    remove: bool
    force: bool
    quiet: bool
    no_progress: bool
    verbose: bool
    suffix: str
    is_trial: bool = False
    whole: WholeRun = field(default_factory=WholeRun)
    _taken: set[Path] = field(default_factory=set)

    @property
    def talks(self) -> bool:
        return not (self.quiet or self.is_trial) and (self.verbose or sys.stderr.isatty())

    @property
    def hides_progress(self) -> bool:
        return self.quiet or self.no_progress

    @property
    def shows_progress(self) -> bool:
        return not self.hides_progress and sys.stderr.isatty()

    @property
    def is_said(self) -> bool:
        """Did the user say where the results go?"""
        return bool(self.stdout or self.output or self.flat or self.mirror)

    def is_stdout(self, path: Path | None) -> bool:
        """Does the result of this input (None = standard input) go to standard output?"""
        return self.stdout or str(self.output) == "-" or not (self.is_said or path)

    def target(self, path: Path | None, name: Callable[[Path], Path]) -> Path | None:
        """The file that gets the result of an input; None = standard output.

        Args:
            path: None = standard input.
            name: that of the result beside the input.

        Raises:
            FileError: there is no such place, or another result has it.
        """
        target = self.place_for(path, name)
        if target is None:
            return None
        if self.is_taken(target) and not is_special(target):
            raise FileError(f"{target} has been written already, for another input")
        self.take(target)
        return target

    def is_taken(self, target: Path) -> bool:
        """Has another input's result this name?"""
        return target in self._taken

    def take(self, target: Path) -> None:
        """No other input's result may go there."""
        self._taken.add(target)

    def place_for(self, path: Path | None, name: Callable[[Path], Path]) -> Path | None:
        """As `target`, for who only wants to know."""
        return None if self.is_stdout(path) else self._target(path, name)

    def _target(self, path: Path | None, name: Callable[[Path], Path]) -> Path:
        folder = self.flat or self.mirror or self.output
        if folder is None:
            assert path is not None
            return name(path)
        if folder == self.output and not folder.is_dir():
            return folder
        if path is None:
            raise FileError(f"what standard input becomes needs a name: -o {folder}/NAME")
        result = name(path)
        place = folder / (result.name if folder != self.mirror else _below(result))
        if folder != self.output and not self.is_trial:
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise FileError(f"can't make {place.parent}: {error.strerror}") from error
        return place


def _below(path: Path) -> Path:
    """A path to be put behind a folder's."""
    if ".." in path.parts:
        raise FileError(f"{path} leads upwards, which --output-dir-mirror can't follow")
    return path.relative_to(path.anchor)


def with_output(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that write files; they arrive as `out`.

    It stands below `with_inputs`.
    """

    @options(
        click.option(
            "-o", "--output", type=OutputName(allow_dash=True), metavar="PATH",
            help="Write to PATH, or into it if it is a folder. A device, pipe or socket, or a link "
            "to one, is written to and never replaced; a link to a file is replaced with -f, not "
            "followed.",
        ),
        click.option(
            "-c", "--stdout", "--to-stdout", "stdout", is_flag=True,
            help="Write to standard output.",
        ),
        click.option(
            "--output-dir-flat", "flat", type=NAME, metavar="DIR",
            help="Write into DIR, which is made if it is not there.",
        ),
        click.option(
            "--output-dir-mirror", "mirror", type=NAME, metavar="DIR",
            help="Write into DIR, with the folders that the inputs are in.",
        ),
        click.option("-k", "--keep", is_flag=True, help="Keep the input (the default)."),
        click.option(
            "--rm", "remove", is_flag=True,
            help="Remove the input after success; only if the output is a regular file.",
        ),
        click.option(
            "-f", "--force", is_flag=True,
            help="Overwrite; read and write a terminal; read pipes; when restoring to standard "
            "output, copy what is not compressed.",
        ),
        SUFFIXES,
        QUIET,
    )  # fmt: skip
    @functools.wraps(command)
    def with_out(*args: Any, **given: Any) -> None:
        names = [f.name for f in fields(Output) if f.name in given]
        out = Output(**{name: given.pop(name) for name in names})
        inputs = given["inputs"]
        places = {
            "-o": out.output, "-c": out.stdout,
            "--output-dir-flat": out.flat, "--output-dir-mirror": out.mirror,
        }  # fmt: skip
        said = [option for option, place in places.items() if place]
        if len(said) > 1:
            raise click.UsageError(f"{said[0]} and {said[1]} exclude each other")
        is_file = out.output and str(out.output) != "-" and not out.output.is_dir()
        if is_file and len(inputs.files) > 1:
            raise click.UsageError("-o takes one FILE; leave it out, name a folder, or use -c")
        if out.keep and out.remove:
            raise click.UsageError("-k and --rm exclude each other")
        if out.remove and any(map(out.is_stdout, inputs.paths())):
            raise click.UsageError("--rm needs an output file")
        command(*args, out=out, **given)

    return with_out
