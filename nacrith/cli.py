"""The command line. Heavy modules are imported inside the commands."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nacrith import __version__, signals
from nacrith.cli_compare import compare
from nacrith.cli_completion import completion
from nacrith.cli_explain import explain
from nacrith.errors import FileError, NacrithError

if TYPE_CHECKING:
    from nacrith.pipeline import Summary
    from nacrith.progress import Progress

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
_COMMON = _options(
    click.option("-q", "--quiet", is_flag=True, help="No progress, no summary."),
    click.option(
        "-v", "--verbose", is_flag=True, help="Print a summary even if not on a terminal."
    ),
)
_OUTPUT = _options(
    click.option("-o", "--output", type=_PATH, metavar="PATH", help="Write to PATH."),
    click.option("-c", "--stdout", is_flag=True, help="Write to standard output."),
    click.option("-k", "--keep", is_flag=True, help="Keep the input (the default)."),
    click.option("--rm", "remove", is_flag=True, help="Remove the input after success."),
    click.option("-f", "--force", is_flag=True, help="Overwrite; write to a terminal."),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nacrith")
def cli() -> None:
    """Compress text with a small language model, without loss.

    \b
    nacrith compress book.txt          makes book.txt.nc
    nacrith decompress book.txt.nc     makes book.txt again
    """


@cli.command()
@_FILES
@_OUTPUT
@_COMMON
@_MODEL
@click.option(
    "--backend",
    type=click.Choice(["auto", "exact", "llama.cpp", "transformers"]),
    default="auto",
    show_default=True,
    help="What runs the model. exact: files open on every machine; auto: exact if it can.",
)
@click.option("--fast", "preset", flag_value="fast", help="Twice as fast, larger.")
@click.option("--best", "preset", flag_value="best", help="Smallest, slower.")
@click.option("--streams", type=int, default=0, metavar="N", help="Parallel streams (0: by size).")
@click.option(
    "--window", type=int, default=0, metavar="N", help="Context in tokens (0: by preset)."
)
@click.option(
    "--threads", type=click.IntRange(0, 1024), default=0, metavar="N", help="Threads (0: all CPUs)."
)
@click.option("-N", "--metadata", is_flag=True, help="Store mode and time stamp in the file.")
def compress(
    files: tuple[Path, ...],
    output: Path | None,
    stdout: bool,
    keep: bool,
    remove: bool,
    force: bool,
    quiet: bool,
    verbose: bool,
    model: Path | None,
    backend: str,
    preset: str | None,
    streams: int,
    window: int,
    threads: int,
    metadata: bool,
) -> None:
    """Compress each FILE to FILE.nc (or standard input to standard output).

    \b
    nacrith compress book.txt
    nacrith compress --best -o out.nc book.txt
    tar -cf - folder | nacrith compress > folder.tar.nc
    """
    _check_usage(files, output, stdout, keep, remove)

    def job(path: Path | None) -> None:
        from nacrith.files import compressed_name
        from nacrith.header import Metadata
        from nacrith.pipeline import CompressOptions, compress_stream
        from nacrith.presets import BEST, DEFAULT, FAST

        def target(path: Path) -> Path:
            return compressed_name(path, force)

        with _Job(path, output, stdout, force, target, quiet) as run:
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
            )
            size = status.st_size if status else None
            summary = compress_stream(run.source, run.sink, options, size, run.progress)
        if remove and path:
            path.unlink()
        _report(path, summary, run.seconds, quiet, verbose)

    _for_each(files, job)


@cli.command()
@_FILES
@_OUTPUT
@_COMMON
@_MODEL
@click.option("-N", "--metadata", is_flag=True, help="Restore the stored mode and time stamp.")
def decompress(
    files: tuple[Path, ...],
    output: Path | None,
    stdout: bool,
    keep: bool,
    remove: bool,
    force: bool,
    quiet: bool,
    verbose: bool,
    model: Path | None,
    metadata: bool,
) -> None:
    """Restore FILE from each FILE.nc (or standard input to standard output).

    \b
    nacrith decompress book.txt.nc
    nacrith decompress -c book.txt.nc | less
    """
    _check_usage(files, output, stdout, keep, remove)

    def job(path: Path | None) -> None:
        from nacrith.files import original_name
        from nacrith.pipeline import decompress_stream

        with _Job(path, output, stdout, force, original_name, quiet, decoding=True) as run:
            summary, header = decompress_stream(run.source, run.sink, model, run.progress)
        if metadata and header.metadata and run.target:
            run.target.chmod(header.metadata.mode & 0o777)
            os.utime(run.target, (header.metadata.mtime, header.metadata.mtime))
        if remove and path:
            path.unlink()
        _report(path, summary, run.seconds, quiet, verbose)

    _for_each(files, job)


@cli.command()
@_FILES
@_COMMON
@_MODEL
def test(files: tuple[Path, ...], quiet: bool, verbose: bool, model: Path | None) -> None:
    """Check that each FILE.nc can be restored, without writing anything.

    \b
    nacrith test book.txt.nc
    """

    def job(path: Path | None) -> None:
        from nacrith.files import open_input
        from nacrith.pipeline import decompress_stream

        with open_input(path) as (source, _):
            progress = _progress(path, quiet, decoding=True)
            try:
                summary, _ = decompress_stream(source, None, model, progress)
            finally:
                progress.end()
        if not quiet:
            click.echo(f"{_name(path)}: OK, {summary.original} bytes", err=True)

    _for_each(files, job)


@cli.command()
@_FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one line a file.")
def info(files: tuple[Path, ...], as_json: bool) -> None:
    """Show what a FILE.nc holds and needs, after checking its frames.

    \b
    nacrith info book.txt.nc
    """

    def job(path: Path | None) -> None:
        from nacrith.files import open_input
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


class _Job:
    """Opens input, output and progress of one file; closes them in the right order."""

    def __init__(
        self,
        path: Path | None,
        output: Path | None,
        stdout: bool,
        force: bool,
        target: Callable[[Path], Path],
        quiet: bool,
        decoding: bool = False,
    ) -> None:
        from nacrith.files import open_input, open_output

        if output and str(output) == "-":
            output, stdout = None, True
        self._stack = ExitStack()
        with ExitStack() as stack:
            self.target = output
            if not output and not stdout and path:
                self.target = target(path)
            self.source, self.status = stack.enter_context(open_input(path))
            if self.target:
                if path and self.target.exists() and self.target.samefile(path):
                    raise FileError(f"{path} is both input and output")
                attributes = self.status if path else None
                self.sink = stack.enter_context(open_output(self.target, force, attributes))
            else:
                self.sink = sys.stdout.buffer
                if sys.stdout.isatty() and not decoding and not force:
                    raise FileError("compressed data is not written to a terminal; use -f to force")
            self.progress = _progress(path, quiet, decoding)
            self._stack = stack.pop_all()

    def __enter__(self) -> "_Job":
        self._started = time.monotonic()
        return self

    def __exit__(self, *error: Any) -> None:
        self.seconds = time.monotonic() - self._started
        self.progress.end()
        if error[0] is None and not self.target:
            self.sink.flush()
        self._stack.__exit__(*error)


def _progress(path: Path | None, quiet: bool, decoding: bool) -> "Progress":
    from nacrith.progress import NO_PROGRESS, BarProgress

    if quiet or not sys.stderr.isatty():
        return NO_PROGRESS
    total = None
    if decoding and path:
        from nacrith.info import original_size

        total = original_size(path)
    return BarProgress(_name(path), total, decoding)


def _report(
    path: Path | None, summary: "Summary", seconds: float, quiet: bool, verbose: bool
) -> None:
    if quiet or not (verbose or sys.stderr.isatty()):
        return
    share = 100 * summary.compressed / summary.original if summary.original else 100.0
    line = (
        f"{_name(path)}: {summary.original} bytes, compressed {summary.compressed} "
        f"({share:.2f} %, {summary.bpb:.3f} bpb)"
    )
    if summary.tokens:
        line += f", {summary.tokens / max(seconds, 1e-9):.0f} tokens/s"
    click.echo(line, err=True)


def _name(path: Path | None) -> str:
    return str(path) if path else "(standard input)"


def _check_usage(
    files: tuple[Path, ...], output: Path | None, stdout: bool, keep: bool, remove: bool
) -> None:
    if output and len(files) > 1:
        raise click.UsageError("-o takes one FILE; leave it out, or use -c")
    if output and stdout:
        raise click.UsageError("-o and -c exclude each other")
    if keep and remove:
        raise click.UsageError("-k and --rm exclude each other")
    if remove and stdout:
        raise click.UsageError("--rm needs an output file, not -c")


def _for_each(files: tuple[Path, ...], job: Callable[[Path | None], None]) -> None:
    """Run the job on every file; a file that fails does not stop the others."""
    failed = False
    for path in files or (Path("-"),):
        try:
            job(None if str(path) == "-" else path)
        except NacrithError as error:
            name = "" if str(path) == "-" or str(path) in str(error) else f"{path}: "
            click.echo(f"nacrith: {name}{error}", err=True)
            failed = True
    if failed:
        raise SystemExit(1)


cli.add_command(completion)
cli.add_command(explain)
bench.add_command(compare)


def main() -> None:
    """Entry point: exit code 0 = done, 1 = failed, 2 = wrong usage, 128 + n = signal n."""
    signals.install()
    try:
        cli.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(128 + signal.SIGINT)
    except NacrithError as error:
        click.echo(f"nacrith: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader has gone; the interpreter must not try to flush again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except MemoryError:
        click.echo(
            "nacrith: not enough memory; use fewer --streams or a smaller --window", err=True
        )
        sys.exit(1)
    except OSError as error:
        click.echo(f"nacrith: {error}", err=True)
        sys.exit(1)
