"""`nacrith compress`, `decompress` and `test`."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nacrith.backends import BACKENDS
from nacrith.cli.ahead import before_compression, before_decompression
from nacrith.cli.batch import for_each, name_of
from nacrith.cli.directory_walk import Choice, compressed, is_compressed, originals
from nacrith.cli.display import say
from nacrith.cli.expectation import tell_what_to_expect
from nacrith.cli.file_job import FileJob, open_compressed, progress_of
from nacrith.cli.inputs import Inputs, with_inputs
from nacrith.cli.options import (
    CORRECTION,
    DICTIONARY,
    MODEL,
    QUIET,
    STREAMS,
    SUFFIXES,
    THREADS,
    Count,
    Parsed,
    Team,
    limit_threads,
    size_between,
    with_level,
    with_workers,
)
from nacrith.cli.output import Output, with_output
from nacrith.cli.units import parse_range
from nacrith.errors import FileError
from nacrith.format.container import check_records
from nacrith.format.frame import MAX_ORIGINAL
from nacrith.format.header import Metadata
from nacrith.format.parameters import MAX_WINDOW, streams_problem
from nacrith.pipeline.options import BLOCK, CompressOptions
from nacrith.pipeline.presets import LEVELS
from nacrith.system.files import (
    compressed_name,
    has_suffix,
    is_special,
    original_name,
    restore_metadata,
)
from nacrith.transforms.opening.limits import INSIDE

if TYPE_CHECKING:
    from nacrith.pipeline.summary import Summary


@click.command()
@with_inputs
@with_output
@MODEL
@CORRECTION
@DICTIONARY
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default="auto",
    show_default=True,
    help="What runs the model. exact: files open on every machine; auto: exact if it can; "
    "the others: only on a machine like this one.",
)
@with_level
@click.option("-e", "--extreme", is_flag=True, help="One stream: smaller and slower.")
@click.option(
    "--long", is_flag=True,
    help="Frames of 64 MiB, so that what is far apart is compressed together.",
)  # fmt: skip
@STREAMS
@click.option(
    "--window", type=Count(0, MAX_WINDOW), default=0, metavar="N",
    help="Context in tokens (0: by level).",
)  # fmt: skip
@with_workers
@THREADS
@click.option(
    "--block-size",
    type=size_between(1, MAX_ORIGINAL),
    show_default="4M",
    metavar="SIZE",
    help="Bytes of a frame: the unit of --resume and --range. Smaller ones compress less.",
)
@click.option(
    "--inside",
    type=click.Choice(list(INSIDE)),
    default="streams",
    show_default=True,
    help="What in the input is opened: nothing; compressed streams (gzip, zip, PNG, PDF ...); "
    "JPEG pictures too, then restoring needs the package lepton-jpeg-python.",
)
@click.option("--resume", is_flag=True, help="Go on with what an interrupted run has written.")
@click.option(
    "--verify/--no-verify",
    default=None,
    help="Decode the result before it gets its name. Implied by --rm.",
)
@click.option(
    "-N/-n",
    "--metadata/--no-metadata",
    "--name/--no-name",
    help="Store mode and time stamp in the file.",
)
def compress(
    inputs: Inputs,
    out: Output,
    model: Path | None,
    correction: Path | str | None,
    dictionary: bytes | None,
    backend: str,
    level: int,
    streams: int,
    extreme: bool,
    window: int,
    team: Team,
    threads: int,
    block_size: int | None,
    long: bool,
    inside: str,
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
    to_stdout = any(map(out.is_stdout, inputs.paths()))
    for given, option in ((resume, "--resume"), (verify, "--verify")):
        if given and to_stdout:
            raise click.UsageError(f"{option} needs an output file")

    if extreme and streams > 1:
        raise click.UsageError("-e and --streams exclude each other")
    if long and block_size:
        raise click.UsageError("--long and --block-size exclude each other")

    if problem := team.device.problem_with(backend):
        raise click.UsageError(problem)

    chosen = LEVELS[level]
    parameters = chosen.chosen(window)
    if problem := parameters.problem() or streams_problem(streams, parameters.window):
        raise click.UsageError(problem)

    options = CompressOptions(
        model,
        backend,
        threads,
        chosen,
        parameters,
        1 if extreme else streams,
        None,
        block_size or (MAX_ORIGINAL if long else BLOCK),
        dictionary or b"",
        correction,
        INSIDE[inside],
        team.device,
    )

    def job(path: Path | None) -> "Summary":
        if path and not out.hides_progress and sys.stderr.isatty() and team.is_on_processor:
            tell_what_to_expect(path, level, threads)
        return _compress(path, out, options, team, metadata, resume, verify)

    _for_each(inputs, job, originals, out)


def _compress(
    path: Path | None,
    out: Output,
    options: CompressOptions,
    team: Team,
    metadata: bool,
    resume: bool,
    verify: bool | None,
) -> "Summary":
    """Compress one file; `path` None = standard input."""
    if path and path.is_file():
        before_compression(path, path.stat().st_size, options)
    from nacrith.pipeline.compress import compress_stream
    from nacrith.pipeline.decompress import decompress_stream
    from nacrith.pipeline.resume import holds_a_frame

    def target(path: Path) -> Path:
        if (
            not out.force
            and (has_suffix(path, out.suffix) or has_suffix(path))
            and is_compressed(path)
        ):
            raise FileError(f"{path} is compressed already; use -f to compress it again")
        return compressed_name(path, out.suffix)

    reread = "--resume" if resume else "--verify" if verify else None
    with FileJob(path, out, target, False, holds_a_frame, resume, reread) as run:
        status = run.status
        if metadata and status:
            stored = Metadata(status.st_mode & 0o7777, max(0, int(status.st_mtime)))
            options = replace(options, metadata=stored)
        size = status.st_size if status else None
        n_frames = None if size is None else -(-size // options.block_size)
        block_size = options.block_size
        with team.open(n_frames, options.threads, run.progress, block_size) as workers:
            summary = compress_stream(
                run.source, run.sink, options, size, run.progress, workers, resume
            )
        run.check_unchanged()
        if verify or (out.remove and verify is not False):
            run.sink.seek(0)
            progress = run.progress_of("verify")
            with team.open(n_frames, options.threads, progress, block_size) as workers:
                decompress_stream(
                    run.sink,
                    None,
                    options.model,
                    progress,
                    workers,
                    dictionary=options.dictionary,
                    correction=options.correction,
                )
    run.finish(summary)
    return summary


@click.command()
@with_inputs
@with_output
@MODEL
@CORRECTION
@DICTIONARY
@click.option(
    "--range",
    "wanted",
    type=Parsed("range", parse_range),
    metavar="A:B",
    help="Only bytes A up to B of the original (-c by default); frames without them are skipped.",
)
@with_workers
@THREADS
@click.option(
    "-N/-n",
    "--metadata/--no-metadata",
    "--name/--no-name",
    help="Restore the stored mode and time stamp.",
)
def decompress(
    inputs: Inputs,
    out: Output,
    model: Path | None,
    correction: Path | str | None,
    dictionary: bytes | None,
    wanted: range | None,
    team: Team,
    threads: int,
    metadata: bool,
) -> None:
    """Restore FILE from each FILE.nc (or standard input to standard output).

    \b
    nacrith decompress book.txt.nc
    nacrith decompress -c book.txt.nc | less
    nacrith decompress --range 4M:5M book.txt.nc
    """
    limit_threads(threads)
    if wanted is not None:
        if out.remove:
            raise click.UsageError("--rm would lose what is outside of --range")
        out = replace(out, stdout=not out.is_said)

    def target(path: Path) -> Path:
        return original_name(path, out.suffix)

    def job(path: Path | None) -> "Summary":
        if path and path.is_file() and not team.device.must_be_gpu:
            before_decompression(path)
        from nacrith.pipeline.decompress import decompress_stream

        with FileJob(path, out, target, decoding=True) as run:
            # A range is seldom more than one frame.
            n_frames = None if wanted is None else 1
            with team.open(n_frames, progress=run.progress) as workers:
                summary, header = decompress_stream(
                    run.source,
                    run.sink,
                    model,
                    run.progress,
                    workers,
                    wanted,
                    dictionary or b"",
                    correction,
                )
        if metadata and header.metadata and run.target and not is_special(run.target):
            restore_metadata(run.target, header.metadata)
        run.finish(summary)
        return summary

    _for_each(inputs, job, compressed, out)


@click.command()
@with_inputs
@SUFFIXES
@QUIET
@MODEL
@CORRECTION
@DICTIONARY
@with_workers
@THREADS
@click.option("--quick", is_flag=True, help="Only checksums of the file; needs no model.")
def test(
    inputs: Inputs,
    suffix: str,
    quiet: bool,
    no_progress: bool,
    verbose: bool,
    model: Path | None,
    correction: Path | str | None,
    dictionary: bytes | None,
    team: Team,
    threads: int,
    quick: bool,
) -> None:
    """Check that each FILE.nc can be restored, without writing anything.

    \b
    nacrith test book.txt.nc
    nacrith test --quick -r backup/
    """

    limit_threads(threads)

    def job(path: Path | None) -> None:
        with open_compressed(path) as source:
            if quick:
                size = check_records(source)
            else:
                from nacrith.cli.notices import show_notices
                from nacrith.pipeline.decompress import decompress_stream

                show_notices(quiet)
                progress = progress_of(path, quiet or no_progress, decoding=True)
                with team.open(progress=progress) as workers:
                    summary, _ = decompress_stream(
                        source, None, model, progress, workers, None, dictionary or b"", correction
                    )
                    size = summary.original
        if not quiet:
            checked = "frames OK" if quick else "OK"
            say(f"{name_of(path)}: {checked}, {size} bytes")

    for_each(
        inputs,
        job,
        choose=lambda path: compressed(path, suffix),
        quiet=quiet,
        verbose=verbose,
    )


def _for_each(
    inputs: Inputs,
    job: Callable[[Path | None], "Summary"],
    choose: Callable[[Path, str], Choice],
    out: Output,
) -> None:
    """`for_each`, with what was said of the output."""
    from nacrith.cli.notices import show_notices

    show_notices(out.quiet)
    for_each(
        inputs,
        job,
        choose=lambda path: choose(path, out.suffix),
        summarize=out.talks,
        quiet=out.quiet,
        verbose=out.verbose,
    )
