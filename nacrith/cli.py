"""The command line. Heavy modules are imported inside the commands."""

import functools
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from nacrith import __version__, signals
from nacrith.cli_compare import compare
from nacrith.cli_completion import completion
from nacrith.cli_explain import explain
from nacrith.environment import check_environment
from nacrith.errors import ChangedError, FileError, NacrithError
from nacrith.files import (
    PART_SUFFIX,
    SUFFIX,
    compressed_name,
    is_special,
    is_unchanged,
    open_input,
    open_output,
    original_name,
    part_name,
    remove_unchanged,
    standard_output,
)
from nacrith.units import parse_bytes, parse_range

if TYPE_CHECKING:
    from nacrith.pipeline import Summary
    from nacrith.progress import Progress

# `text_codec.BACKENDS`, which takes long to import.
BACKENDS = ("auto", "exact", "llama.cpp", "transformers")

_PATH = click.Path(path_type=Path, allow_dash=True)
_MODEL = click.option(
    "--model", type=click.Path(path_type=Path), metavar="PATH", help="GGUF file of the model."
)


def _options(*decorators: Callable[..., Any]) -> Callable[..., Any]:
    def apply(command: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


_FILES = click.argument("files", nargs=-1, type=_PATH, metavar="[FILE]...")
_QUIET = _options(
    click.option("-q", "--quiet", is_flag=True, help="No progress, no summary."),
    click.option(
        "-v", "--verbose", is_flag=True, help="Print a summary even if not on a terminal."
    ),
)
_RECURSIVE = click.option(
    "-r", "--recursive", is_flag=True, help="The files in a folder and below it."
)


@dataclass(frozen=True)
class _Output:
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


def _with_output(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that write files; they arrive as `out`."""

    @_options(
        click.option("-o", "--output", type=_PATH, metavar="PATH", help="Write to PATH."),
        click.option("-c", "--stdout", is_flag=True, help="Write to standard output."),
        click.option("-k", "--keep", is_flag=True, help="Keep the input (the default)."),
        click.option("--rm", "remove", is_flag=True, help="Remove the input after success."),
        click.option(
            "-f", "--force", is_flag=True, help="Overwrite; write to a terminal; read pipes."
        ),
        _QUIET,
    )
    @functools.wraps(command)
    def with_output(*args: Any, **options: Any) -> None:
        out = _Output(**{field.name: options.pop(field.name) for field in fields(_Output)})
        if out.output and len(options["files"]) > 1:
            raise click.UsageError("-o takes one FILE; leave it out, or use -c")
        if out.output and out.stdout:
            raise click.UsageError("-o and -c exclude each other")
        if out.keep and out.remove:
            raise click.UsageError("-k and --rm exclude each other")
        if out.remove and any(map(out.is_stdout, _paths(options["files"]))):
            raise click.UsageError("--rm needs an output file")
        command(*args, out=out, **options)

    return with_output


class _Parsed(click.ParamType):
    """An option that a function of `units` reads."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return self._parse(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


_WORKERS = _options(
    click.option(
        "--workers",
        type=click.IntRange(0, 1024),
        default=0,
        metavar="N",
        help="Processes that share the frames of a large FILE (0: as many as pay).",
    ),
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Run frames on the Dask cluster at ADDRESS, such as tcp://host:8786.",
    ),
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="nacrith")
@click.option("-d", "decode", is_flag=True, help="As a filter: decompress.")
@click.pass_context
def cli(context: click.Context, decode: bool) -> None:
    """Compress text with a small language model, without loss.

    \b
    nacrith compress book.txt          makes book.txt.nc
    nacrith decompress book.txt.nc     makes book.txt again

    Without a command it is a filter, as tar wants one:

    \b
    tar -I nacrith -cf folder.tar.nc folder
    tar -I nacrith -xf folder.tar.nc
    """
    if context.invoked_subcommand:
        if decode:
            raise click.UsageError("-d is for use without a command")
    elif not decode and sys.stdin and sys.stdin.isatty():
        click.echo(context.get_help())
    else:
        command = decompress if decode else compress
        command.main(["-c"], standalone_mode=False)


@cli.command()
@_FILES
@_with_output
@_RECURSIVE
@_MODEL
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default="auto",
    show_default=True,
    help="What runs the model. exact: files open on every machine; auto: exact if it can; "
    "the others: only on a machine like this one.",
)
@click.option("--fast", "preset", flag_value="fast", help="Twice as fast, larger.")
@click.option("--best", "preset", flag_value="best", help="Smallest, slower.")
@click.option("--streams", type=int, default=0, metavar="N", help="Parallel streams (0: by size).")
@click.option(
    "--window", type=int, default=0, metavar="N", help="Context in tokens (0: by preset)."
)
@_WORKERS
@click.option(
    "--threads", type=click.IntRange(0, 1024), default=0, metavar="N", help="Threads (0: all CPUs)."
)
@click.option(
    "--block-size",
    type=_Parsed("size", parse_bytes),
    default="4M",
    show_default=True,
    metavar="SIZE",
    help="Bytes of a frame: the unit of --resume and --range. Smaller ones compress less.",
)
@click.option("--resume", is_flag=True, help="Go on with what an interrupted run has written.")
@click.option(
    "--verify/--no-verify",
    default=None,
    help="Decode the result before it gets its name. Implied by --rm.",
)
@click.option("-N", "--metadata", is_flag=True, help="Store mode and time stamp in the file.")
def compress(
    files: tuple[Path, ...],
    out: _Output,
    recursive: bool,
    model: Path | None,
    backend: str,
    preset: str | None,
    streams: int,
    window: int,
    workers: int,
    cluster: str | None,
    threads: int,
    block_size: int,
    resume: bool,
    verify: bool | None,
    metadata: bool,
) -> None:
    """Compress each FILE to FILE.nc (or standard input to standard output).

    \b
    nacrith compress book.txt
    nacrith compress --best -o out.nc book.txt
    nacrith compress --resume book.txt
    tar -cf - folder | nacrith compress > folder.tar.nc
    """
    to_stdout = any(map(out.is_stdout, _paths(files)))
    for given, option in ((resume, "--resume"), (verify, "--verify")):
        if given and to_stdout:
            raise click.UsageError(f"{option} needs an output file")

    def job(path: Path | None) -> "Summary":
        from nacrith.header import Metadata
        from nacrith.pipeline import CompressOptions, compress_stream, decompress_stream
        from nacrith.presets import BEST, DEFAULT, FAST
        from nacrith.resume import holds_a_frame
        from nacrith.workers.choose import choose_workers

        def target(path: Path) -> Path:
            return compressed_name(path, out.force)

        reread = "--resume" if resume else "--verify" if verify else None
        with _Job(path, out, target, False, holds_a_frame, resume, reread) as run:
            status = run.status
            chosen = {"fast": FAST, "best": BEST}.get(preset or "", DEFAULT)
            given = {"streams": streams, "window": window}
            options = CompressOptions(
                model=model,
                backend=backend,
                threads=threads,
                preset=chosen,
                parameters=replace(chosen.parameters, **{k: v for k, v in given.items() if v}),
                metadata=Metadata(status.st_mode & 0o7777, max(0, int(status.st_mtime)))
                if metadata and status
                else None,
                block_size=block_size,
            )
            size = status.st_size if status else None
            n_groups = None if size is None else -(-size // block_size)
            team = choose_workers(workers, cluster, n_groups, threads, run.progress)
            summary = compress_stream(
                run.source, run.sink, options, size, run.progress, team, resume
            )
            run.check_unchanged()
            if verify or (out.remove and verify is not False):
                run.sink.seek(0)
                progress = run.progress_of("verify")
                team = choose_workers(workers, cluster, n_groups, threads, progress)
                decompress_stream(run.sink, None, model, progress, team)
        run.finish(summary)
        return summary

    _for_each(files, job, recursive, _is_original, out.talks)


@cli.command()
@_FILES
@_with_output
@_RECURSIVE
@_MODEL
@click.option(
    "--range",
    "wanted",
    type=_Parsed("range", parse_range),
    metavar="A:B",
    help="Only bytes A up to B of the original (-c by default); frames without them are skipped.",
)
@_WORKERS
@click.option("-N", "--metadata", is_flag=True, help="Restore the stored mode and time stamp.")
def decompress(
    files: tuple[Path, ...],
    out: _Output,
    recursive: bool,
    model: Path | None,
    wanted: range | None,
    workers: int,
    cluster: str | None,
    metadata: bool,
) -> None:
    """Restore FILE from each FILE.nc (or standard input to standard output).

    \b
    nacrith decompress book.txt.nc
    nacrith decompress -c book.txt.nc | less
    nacrith decompress --range 4M:5M book.txt.nc
    """
    if wanted is not None:
        if out.remove:
            raise click.UsageError("--rm would lose what is outside of --range")
        out = replace(out, stdout=not out.output)

    def job(path: Path | None) -> "Summary":
        from nacrith.files import restore_metadata
        from nacrith.pipeline import decompress_stream
        from nacrith.workers.choose import choose_workers

        with _Job(path, out, original_name, decoding=True) as run:
            # A range is seldom more than one frame.
            n_groups = None if wanted is None else 1
            team = choose_workers(workers, cluster, n_groups, progress=run.progress)
            summary, header = decompress_stream(
                run.source, run.sink, model, run.progress, team, wanted
            )
        if metadata and header.metadata and run.target and not is_special(run.target):
            restore_metadata(run.target, header.metadata)
        run.finish(summary)
        return summary

    _for_each(files, job, recursive, _is_compressed, out.talks)


@cli.command()
@_FILES
@_QUIET
@_RECURSIVE
@_MODEL
@_WORKERS
@click.option("--quick", is_flag=True, help="Only checksums of the file; needs no model.")
def test(
    files: tuple[Path, ...],
    quiet: bool,
    verbose: bool,
    recursive: bool,
    model: Path | None,
    workers: int,
    cluster: str | None,
    quick: bool,
) -> None:
    """Check that each FILE.nc can be restored, without writing anything.

    \b
    nacrith test book.txt.nc
    nacrith test --quick -r backup/
    """

    def job(path: Path | None) -> None:
        from nacrith.container import check_records
        from nacrith.pipeline import decompress_stream
        from nacrith.workers.choose import choose_workers

        with open_input(path) as (source, _):
            if quick:
                size = check_records(source)
            else:
                progress = _progress(path, quiet, decoding=True)
                team = choose_workers(workers, cluster, progress=progress)
                size = decompress_stream(source, None, model, progress, team)[0].original
        if not quiet:
            checked = "frames OK" if quick else "OK"
            click.echo(f"{_name(path)}: {checked}, {size} bytes", err=True)

    _for_each(files, job, recursive, _is_compressed)


@cli.command()
@_FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one line a file.")
def info(files: tuple[Path, ...], as_json: bool) -> None:
    """Show what a FILE.nc holds and needs, after checking its frames.

    \b
    nacrith info book.txt.nc
    """

    def job(path: Path | None) -> None:
        from nacrith.info import describe_file, format_description

        with open_input(path) as (source, _):
            description = {"file": _name(path), **describe_file(source)}
        if as_json:
            click.echo(json.dumps(description))
        else:
            click.echo(format_description(description))

    _for_each(files, job)


@cli.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List the models found, with their checksums.

    \b
    nacrith models
    nacrith models import SmolLM2-135M/ --dtype f32
    """
    if context.invoked_subcommand:
        return
    from nacrith.models import INSTALL_HINT, candidates, describe, embedded_path, models_directory

    found = [describe(path) for path in candidates()]
    embedded = embedded_path()
    for model in found:
        mark = "  (default)" if model.path == embedded else ""
        click.echo(f"{model.name}{mark}\n  {model.path}\n  sha256 {model.sha256}")
    if not embedded:
        click.echo(f"the default model is missing: {INSTALL_HINT}", err=True)
    if not found:
        raise NacrithError(f"no models found (looked in {models_directory()} too)")


@models.command("import")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--dtype", type=click.Choice(["f32", "f16"]), default="f32", show_default=True,
    help="Type of the weight matrices.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="GGUF path.")
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
def import_model(directory: Path, dtype: str, output: Path | None, force: bool) -> None:
    """Write a GGUF from a Hugging Face Llama checkpoint DIRECTORY.

    The directory holds config.json, tokenizer.json and *.safetensors.

    \b
    nacrith models import SmolLM2-135M/ --dtype f32
    """
    from nacrith.import_checkpoint import import_checkpoint
    from nacrith.models import describe, models_directory

    if output is None:
        output = models_directory() / f"{directory.resolve().name}.{dtype}.gguf"
        output.parent.mkdir(parents=True, exist_ok=True)
    import_checkpoint(directory, output, dtype, force)
    click.echo(f"{output}\n  sha256 {describe(output).sha256}")


@cli.command()
@_MODEL
@click.option(
    "--backend", type=click.Choice(BACKENDS), default="auto", show_default=True, help="To test."
)
def doctor(model: Path | None, backend: str) -> None:
    """Show what this machine has for nacrith, and measure its speed for two seconds.

    \b
    nacrith doctor
    """
    from nacrith.doctor import examine

    for what, found in examine(model, backend):
        click.echo(f"{what:<18} {found}")


@cli.group()
def bench() -> None:
    """Measure ratio, speed and overheads on this machine.

    \b
    nacrith bench corpus canterbury
    nacrith bench report -o docs/benchmarks.md
    """


@bench.command("corpus")
@click.argument("name", type=click.Choice(["canterbury", "enwik8"]))
@click.option("--bytes", "n_bytes", type=int, default=1_000_000, help="Of enwik8.")
@click.option("--only", multiple=True, metavar="FILE", help="Only this file (repeatable).")
@click.option("--streams", type=int, default=0, metavar="N", help="Parallel streams (0: by size).")
@click.option("--window", type=int, default=1024, show_default=True, help="Context in tokens.")
def bench_corpus(name: str, n_bytes: int, only: tuple[str, ...], streams: int, window: int) -> None:
    """Compress and restore every file of a corpus, beside gzip, bzip2 and xz.

    Results are kept in build/bench; a run that was cut goes on where it was.

    \b
    nacrith bench corpus canterbury --only alice29.txt --streams 1
    """
    from nacrith.bench.corpus import print_table, run_corpus

    print_table(run_corpus(name, n_bytes, only, streams, window))


@bench.command("ablation")
@click.option("--quick", is_flag=True, help="Only whole predictors, not each context.")
def bench_ablation(quick: bool) -> None:
    """Switch each predictor off in turn: what is it worth in bits and in time?

    The model's outputs are recorded once in build/bench (some gigabytes).

    \b
    nacrith bench ablation --quick
    """
    from nacrith.bench.ablation import print_ablation, run_ablation

    print_ablation(run_ablation(quick=quick))


@bench.command("report")
@click.option("--quick", is_flag=True, help="Short texts: to see that it runs.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="Markdown.")
def bench_report(quick: bool, output: Path | None) -> None:
    """Run every measurement that is not in build/bench yet, and write the report.

    \b
    nacrith bench report --quick
    """
    from nacrith.bench.report import write_report

    write_report(quick, output)


@bench.command("workers")
@click.option("--bytes", "n_bytes", type=int, default=8_000, show_default=True, help="Of a frame.")
@click.option("--rounds", type=int, default=1, show_default=True, help="The fastest counts.")
def bench_workers(n_bytes: int, rounds: int) -> None:
    """Two processes against one, for both backends.

    \b
    nacrith bench workers --bytes 20000
    """
    from nacrith.bench.workers import measure_workers, print_workers

    print_workers([measure_workers(name, n_bytes, rounds) for name in ("exact", "llama.cpp")])


@bench.command("faults")
@click.option("--quick", is_flag=True, help="A tenth of the trials.")
@click.option("--only", default="", metavar="TEXT", help="Faults whose name holds TEXT.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="Markdown.")
def bench_faults(quick: bool, only: str, output: Path | None) -> None:
    """Kill runs, fill disks, spoil files: what is left afterwards?

    \b
    nacrith bench faults --quick --only kill
    """
    from nacrith.bench.faults.report import write_reliability

    write_reliability(quick, only, output)


class _Job:
    """Opens input, output and progress of one file; closes them in the right order."""

    def __init__(
        self,
        path: Path | None,
        out: _Output,
        target: Callable[[Path], Path],
        decoding: bool = False,
        worth_keeping: Callable[[BinaryIO], bool] = lambda part: False,
        resume: bool = False,
        reread: str | None = None,
    ) -> None:
        """`reread`: the option that needs a target that can be read again, if any."""
        self._path = path
        self._out = out
        self._decoding = decoding
        self.target = None if str(out.output) == "-" else out.output
        if not out.output and not out.stdout and path:
            self.target = target(path)
        if reread and self.target and is_special(self.target):
            raise FileError(f"{self.target} is no regular file, which {reread} needs")
        self._stack = ExitStack()
        with ExitStack() as stack:
            # A pipe is fine if it is said where the data goes.
            special = out.force or out.stdout or out.output is not None
            self.source, self.status = stack.enter_context(open_input(path, special))
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
                if sys.stdout.isatty() and not decoding and not out.force:
                    raise FileError("compressed data is not written to a terminal; use -f to force")
            self.progress = _progress(path, out.quiet, decoding)
            self._stack = stack.pop_all()

    def __enter__(self) -> "_Job":
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
            self._tell_of_part()

    def progress_of(self, label: str) -> "Progress":
        """A second progress display, for a second pass."""
        self.progress.end()
        self.progress = _progress(self._path, self._out.quiet, decoding=True, label=label)
        return self.progress

    def check_unchanged(self) -> None:
        """Raise ChangedError if the input has been written to since it was opened."""
        if self.status and not is_unchanged(os.fstat(self.source.fileno()), self.status):
            raise ChangedError(f"{_name(self._path)} has changed while it was read; try again")

    def finish(self, summary: "Summary") -> None:
        """Remove the input if that is wanted, and print the summary."""
        if self._out.remove and self._path and self.status:
            remove_unchanged(self._path, self.status)
        if not self._out.talks:
            return
        line = f"{_name(self._path)}: {_sizes(summary)}"
        if summary.tokens:
            line += f", {summary.tokens / max(self.seconds, 1e-9):.0f} tokens/s"
        click.echo(line, err=True)

    def _tell_of_part(self) -> None:
        if self.target and not self._decoding and part_name(self.target).exists():
            click.echo(
                f"nacrith: {part_name(self.target)} keeps what is done; go on with --resume",
                err=True,
            )


def _progress(
    path: Path | None, quiet: bool, decoding: bool, label: str | None = None
) -> "Progress":
    from nacrith.progress import NO_PROGRESS, BarProgress

    if quiet or not sys.stderr.isatty():
        return NO_PROGRESS
    return BarProgress(f"{label} {_name(path)}" if label else _name(path), decoding)


def _sizes(summary: "Summary") -> str:
    share = 100 * summary.compressed / summary.original if summary.original else 100.0
    return (
        f"{summary.original} bytes, compressed {summary.compressed} "
        f"({share:.2f} %, {summary.bpb:.3f} bpb)"
    )


def _name(path: Path | None) -> str:
    return str(path) if path else "(standard input)"


def _for_each(
    files: tuple[Path, ...],
    job: Callable[[Path | None], "Summary | None"],
    recursive: bool = False,
    wanted: Callable[[Path], bool] = lambda path: True,
    summarize: bool = False,
) -> None:
    """Run the job on every file; a file that fails does not stop the others.

    Args:
        recursive: run it on the `wanted` files in folders and below them, too.
        summarize: say at the end what was done if there were several files.
    """
    n_done = n_failed = 0
    summaries = []

    def failed(path: Path | str, message: str) -> None:
        nonlocal n_failed
        n_failed += 1
        name = "" if str(path) == "-" or str(path) in message else f"{path}: "
        click.echo(f"nacrith: {name}{message}", err=True)

    for path in _walk(files or (Path("-"),), recursive, wanted, failed):
        try:
            summary = job(_input(path))
            summaries += [summary] if summary else []
            n_done += 1
        except NacrithError as error:
            failed(path, str(error))
        except BrokenPipeError:
            # The reader has gone; the interpreter must not try to flush again. (click would
            # exit with 1.)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(128 + signal.SIGPIPE)
        except OSError as error:
            failed(path, error.strerror or str(error))
    if n_done + n_failed > 1 and (n_failed or summarize):
        _summarize(n_done, n_failed, summaries)
    if n_failed:
        raise SystemExit(1)


def _input(path: Path) -> Path | None:
    """None = standard input."""
    return None if str(path) == "-" else path


def _paths(files: tuple[Path, ...]) -> list[Path | None]:
    """The inputs that a command's arguments name."""
    return [_input(path) for path in files] or [None]


def _is_compressed(path: Path) -> bool:
    return path.suffix == SUFFIX


def _is_original(path: Path) -> bool:
    return not path.name.endswith((SUFFIX, SUFFIX + PART_SUFFIX))


def _walk(
    files: tuple[Path, ...],
    recursive: bool,
    wanted: Callable[[Path], bool],
    failed: Callable[[Path | str, str], None],
) -> Iterator[Path]:
    """Yield the files, with those in folders, sorted; links in folders are left out."""

    def unreadable(error: OSError) -> None:
        failed(error.filename, f"can't read {error.filename}: {error.strerror}")

    for path in files:
        if not recursive or str(path) == "-" or not os.path.isdir(path):
            yield path
            continue
        for folder, folders, names in os.walk(path, onerror=unreadable):
            folders.sort()
            for file in (Path(folder, name) for name in sorted(names)):
                if wanted(file) and not os.path.islink(file) and os.path.isfile(file):
                    yield file


def _summarize(n_done: int, n_failed: int, summaries: "list[Summary]") -> None:
    from nacrith.pipeline import Summary

    total = Summary(sum(s.original for s in summaries), sum(s.compressed for s in summaries))
    failed = f", {n_failed} failed" if n_failed else ""
    sizes = f": {_sizes(total)}" if summaries else ""
    click.echo(f"{n_done} files done{failed}{sizes}", err=True)


def _prepare_streams() -> None:
    """Make the standard streams fit for all file names; open the ones that are closed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")
    # Else a file would get the number of a stream, and then what a library prints to it.
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (until the end)


cli.add_command(completion)
cli.add_command(explain)
bench.add_command(compare)


def main() -> None:
    """Entry point: exit code 0 = done, 1 = failed, 2 = wrong usage, 128 + n = signal n."""
    signals.install()
    _prepare_streams()
    try:
        check_environment()
        cli.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort as error:
        # click makes one of both.
        if isinstance(error.__cause__, EOFError):
            click.echo("nacrith: a file that the program reads has ended too early", err=True)
            sys.exit(1)
        sys.exit(128 + signal.SIGINT)
    except NacrithError as error:
        click.echo(f"nacrith: {error}", err=True)
        sys.exit(1)
    except MemoryError:
        click.echo(
            "nacrith: not enough memory; use fewer --streams or a smaller --window", err=True
        )
        sys.exit(1)
    except OSError as error:
        click.echo(f"nacrith: {error}", err=True)
        sys.exit(1)
