"""`nacrith compress` and `decompress`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nacrith.backends import BACKENDS
from nacrith.cli.ahead import before_compression, before_restoring
from nacrith.cli.already_done import is_done, whole_result
from nacrith.cli.batch import for_each, name_of
from nacrith.cli.directory_walk import Choice, compressed, is_compressed, originals
from nacrith.cli.expectation import tell_how_long_restoring_takes, tell_what_to_expect
from nacrith.cli.file_job import FileJob, open_compressed
from nacrith.cli.inputs import Inputs, with_inputs
from nacrith.cli.memory_limit import (
    chosen_limit,
    fitted_compression,
    fitted_restoring,
    tell_of_changes,
    with_workers_of,
)
from nacrith.cli.options import (
    CORRECTION,
    DICTIONARY,
    DRY_RUN,
    MEMLIMIT,
    MODEL,
    STREAMS,
    THREADS,
    Count,
    Parsed,
    Team,
    size_between,
    with_level,
    with_workers,
)
from nacrith.cli.output import Output, with_output
from nacrith.cli.passing_through import is_plain, pass_through
from nacrith.cli.units import parse_range
from nacrith.errors import FileError
from nacrith.format.frame import MAX_ORIGINAL
from nacrith.format.header import Metadata
from nacrith.format.parameters import MAX_WINDOW, streams_problem
from nacrith.pipeline.options import BLOCK, CompressOptions
from nacrith.pipeline.presets import LEVELS
from nacrith.system.files import (
    compressed_name,
    has_suffix,
    open_input,
    original_name,
    restore_metadata,
)
from nacrith.system.special_files import is_special
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
@click.option("-e", "--extreme", is_flag=True, help="One stream, more context: smaller and slower.")
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
@MEMLIMIT
@click.option(
    "--block-size",
    type=size_between(1, MAX_ORIGINAL),
    metavar="SIZE",
    help="Bytes of a frame, 4M by default: the unit of --resume and --range. Smaller ones compress "
    "less.",
)
@click.option(
    "--inside",
    type=click.Choice(list(INSIDE)),
    default="jpeg",
    show_default=True,
    help="What in the input is opened: nothing; compressed streams (gzip, zip, PNG, PDF ...); "
    "JPEG pictures too.",
)
@click.option(
    "--resume", is_flag=True,
    help="Go on with what an interrupted run has written; what is done already is left alone.",
)  # fmt: skip
@DRY_RUN
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
    memlimit: int | None,
    block_size: int | None,
    long: bool,
    inside: str,
    resume: bool,
    dry_run: bool,
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

    preset, parameters = LEVELS[level].chosen(window)
    if problem := parameters.problem() or streams_problem(streams, parameters.window):
        raise click.UsageError(problem)

    options = CompressOptions(
        model,
        backend,
        threads,
        preset,
        parameters,
        1 if extreme else streams,
        None,
        block_size or (MAX_ORIGINAL if long else BLOCK),
        dictionary or b"",
        correction,
        INSIDE[inside],
        team.device,
    )

    limit = chosen_limit(memlimit, team)
    out = replace(out, is_trial=dry_run)

    def job(path: Path | None) -> "Summary | None":
        if dry_run:
            from nacrith.cli import dry_run as preview

            if resume and path and (done := whole_result(path, out, _target_of(out))):
                out.take(done[0])
                preview.show(preview.describe_done(path, done[0], out.remove))
                return None
            with open_input(path, special=out.force or out.is_said) as (source, status):
                target = out.target(path, _target_of(out))
                preview.check_target(target, out)
                part = None
                if resume and target and status:
                    part = preview.find_part(target, bool(block_size or long))
                preview.show(
                    preview.describe_compression(
                        path, source, target, level, options, limit, team, part
                    )
                )
            return None
        if resume and path and is_done(path, out, options, limit, team, _target_of(out), verify):
            return None
        if path and out.shows_progress and team.is_on_processor:
            tell_what_to_expect(path, level, threads)
        keeps_block = bool(block_size or long)
        return _compress(path, out, options, limit, team, metadata, resume, verify, keeps_block)

    _for_each(inputs, job, originals, out)


def _target_of(out: Output) -> Callable[[Path], Path]:
    """Names the output of an input."""

    def target(path: Path) -> Path:
        if (
            not out.force
            and (has_suffix(path, out.suffix) or has_suffix(path))
            and is_compressed(path)
        ):
            raise FileError(f"{path} is compressed already; use -f to compress it again")
        return compressed_name(path, out.suffix)

    return target


def _compress(
    path: Path | None,
    out: Output,
    options: CompressOptions,
    limit: int | None,
    team: Team,
    metadata: bool,
    resume: bool,
    verify: bool | None,
    keeps_block: bool,
) -> "Summary":
    """Compress one file; `path` None = standard input."""
    before_compression(path, options)
    from nacrith.pipeline.compress import compress_stream
    from nacrith.pipeline.decompress import decompress_stream
    from nacrith.pipeline.resume import block_size_of, holds_a_frame

    reread = "--resume" if resume else "--verify" if verify else None
    with FileJob(path, out, _target_of(out), False, holds_a_frame, resume, reread) as run:
        status = run.status
        if metadata and status:
            stored = Metadata(status.st_mode & 0o7777, max(0, int(status.st_mtime)))
            options = replace(options, metadata=stored)
        size = status.st_size if status else None
        if resume and not keeps_block:
            found = block_size_of(run.sink, run.source, options.block_size, options.inside)
            options = replace(options, block_size=found)
        if limit is not None:
            from nacrith.pipeline.content import largest_opened

            opened = largest_opened(run.source, options.block_size, options.inside)
            fitted = fitted_compression(options, limit, team, size, opened)
            options, team = fitted.options, with_workers_of(team, fitted.workers)
            if not out.quiet:
                tell_of_changes(name_of(path), fitted, limit)
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
@MEMLIMIT
@DRY_RUN
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
    memlimit: int | None,
    dry_run: bool,
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
        out = replace(out, stdout=out.stdout or not out.is_said)

    def target(path: Path) -> Path:
        return original_name(path, out.suffix)

    limit = chosen_limit(memlimit, team)
    out = replace(out, is_trial=dry_run)

    def job(path: Path | None) -> "Summary | None":
        if dry_run:
            from nacrith.cli import dry_run as preview

            with open_compressed(path) as source:
                place = out.target(path, target)
                preview.check_target(place, out)
                preview.show(preview.describe_restoring(path, source, place, model, limit, team))
            return None
        before_restoring(path, team.device)
        from nacrith.pipeline.decompress import decompress_stream

        with FileJob(path, out, target, decoding=True) as run:
            if out.force and wanted is None and run.target is None and is_plain(run.source):
                pass_through(run.source, run.sink)
                return None
            if out.shows_progress and wanted is None:
                tell_how_long_restoring_takes(name_of(path), run.source)
            fitting, admit = fitted_restoring(run.source, limit, team, model, wanted)
            # A range is seldom more than one frame.
            n_frames = None if wanted is None else 1
            with fitting.open(n_frames, progress=run.progress) as workers:
                summary, header = decompress_stream(
                    run.source,
                    run.sink,
                    model,
                    run.progress,
                    workers,
                    wanted,
                    dictionary or b"",
                    correction,
                    admit,
                )
        if metadata and header.metadata and run.target and not is_special(run.target):
            restore_metadata(run.target, header.metadata)
        run.finish(summary)
        return summary

    _for_each(inputs, job, compressed, out)


def _for_each(
    inputs: Inputs,
    job: Callable[[Path | None], "Summary | None"],
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
        whole=out.whole if out.shows_progress and not out.is_trial else None,
    )
