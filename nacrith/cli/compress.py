"""`nacrith compress`, `decompress` and `test`."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nacrith.backends import BACKENDS
from nacrith.cli.batch import for_each, name_of
from nacrith.cli.directory_walk import Choice, compressed, is_compressed, originals
from nacrith.cli.display import say
from nacrith.cli.file_job import FileJob, open_compressed, progress_of
from nacrith.cli.options import (
    FILES,
    MODEL,
    QUIET,
    RECURSIVE,
    STREAMS,
    WORKERS,
    Count,
    Output,
    Parsed,
    paths,
    size_between,
    with_output,
    with_preset,
)
from nacrith.cli.units import parse_range
from nacrith.errors import FileError
from nacrith.format.container import check_records
from nacrith.format.frame import MAX_ORIGINAL
from nacrith.format.header import MAX_THREADS, Metadata
from nacrith.format.parameters import MAX_WINDOW
from nacrith.pipeline.presets import PRESETS
from nacrith.system.files import (
    SUFFIX,
    compressed_name,
    is_special,
    original_name,
    restore_metadata,
)

if TYPE_CHECKING:
    from nacrith.pipeline.summary import Summary


@click.command()
@FILES
@with_output
@RECURSIVE
@MODEL
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default="auto",
    show_default=True,
    help="What runs the model. exact: files open on every machine; auto: exact if it can; "
    "the others: only on a machine like this one.",
)
@with_preset("Faster, larger.", "Smallest, slower.")
@STREAMS
@click.option(
    "--window", type=Count(0, MAX_WINDOW), default=0, metavar="N",
    help="Context in tokens (0: by preset).",
)  # fmt: skip
@WORKERS
@click.option(
    "--threads", type=Count(0, MAX_THREADS), default=0, metavar="N", help="Threads (0: all CPUs)."
)
@click.option(
    "--block-size",
    type=size_between(1, MAX_ORIGINAL),
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
    out: Output,
    recursive: bool,
    model: Path | None,
    backend: str,
    preset: str,
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
    to_stdout = any(map(out.is_stdout, paths(files)))
    for given, option in ((resume, "--resume"), (verify, "--verify")):
        if given and to_stdout:
            raise click.UsageError(f"{option} needs an output file")

    chosen = PRESETS[preset]
    parameters = chosen.chosen(streams, window)
    if problem := parameters.problem_of_choice():
        raise click.UsageError(problem)

    def job(path: Path | None) -> "Summary":
        from nacrith.pipeline.compress import compress_stream
        from nacrith.pipeline.decompress import decompress_stream
        from nacrith.pipeline.options import CompressOptions
        from nacrith.pipeline.resume import holds_a_frame
        from nacrith.workers.choose import choose_workers

        def target(path: Path) -> Path:
            if not out.force and path.suffix == SUFFIX and is_compressed(path):
                raise FileError(f"{path} is compressed already; use -f to compress it again")
            return compressed_name(path)

        reread = "--resume" if resume else "--verify" if verify else None
        with FileJob(path, out, target, False, holds_a_frame, resume, reread) as run:
            status = run.status
            options = CompressOptions(
                model=model,
                backend=backend,
                threads=threads,
                preset=chosen,
                parameters=parameters,
                metadata=Metadata(status.st_mode & 0o7777, max(0, int(status.st_mtime)))
                if metadata and status
                else None,
                block_size=block_size,
            )
            size = status.st_size if status else None
            n_frames = None if size is None else -(-size // block_size)
            with closing(choose_workers(workers, cluster, n_frames, threads, run.progress)) as team:
                summary = compress_stream(
                    run.source, run.sink, options, size, run.progress, team, resume
                )
            run.check_unchanged()
            if verify or (out.remove and verify is not False):
                run.sink.seek(0)
                progress = run.progress_of("verify")
                with closing(choose_workers(workers, cluster, n_frames, threads, progress)) as team:
                    decompress_stream(run.sink, None, model, progress, team)
        run.finish(summary)
        return summary

    _for_each(files, job, recursive, originals, out)


@click.command()
@FILES
@with_output
@RECURSIVE
@MODEL
@click.option(
    "--range",
    "wanted",
    type=Parsed("range", parse_range),
    metavar="A:B",
    help="Only bytes A up to B of the original (-c by default); frames without them are skipped.",
)
@WORKERS
@click.option("-N", "--metadata", is_flag=True, help="Restore the stored mode and time stamp.")
def decompress(
    files: tuple[Path, ...],
    out: Output,
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
        from nacrith.pipeline.decompress import decompress_stream
        from nacrith.workers.choose import choose_workers

        with FileJob(path, out, original_name, decoding=True) as run:
            # A range is seldom more than one frame.
            n_frames = None if wanted is None else 1
            with closing(choose_workers(workers, cluster, n_frames, progress=run.progress)) as team:
                summary, header = decompress_stream(
                    run.source, run.sink, model, run.progress, team, wanted
                )
        if metadata and header.metadata and run.target and not is_special(run.target):
            restore_metadata(run.target, header.metadata)
        run.finish(summary)
        return summary

    _for_each(files, job, recursive, compressed, out)


@click.command()
@FILES
@QUIET
@RECURSIVE
@MODEL
@WORKERS
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
        with open_compressed(path) as source:
            if quick:
                size = check_records(source)
            else:
                from nacrith.pipeline.decompress import decompress_stream
                from nacrith.workers.choose import choose_workers

                progress = progress_of(path, quiet, decoding=True)
                with closing(choose_workers(workers, cluster, progress=progress)) as team:
                    size = decompress_stream(source, None, model, progress, team)[0].original
        if not quiet:
            checked = "frames OK" if quick else "OK"
            say(f"{name_of(path)}: {checked}, {size} bytes")

    for_each(
        files,
        job,
        recursive=recursive,
        choose=compressed,
        quiet=quiet,
        verbose=verbose,
    )


def _for_each(
    files: tuple[Path, ...],
    job: Callable[[Path | None], "Summary"],
    recursive: bool,
    choose: Callable[[Path], Choice],
    out: Output,
) -> None:
    """`for_each`, with what was said of the output."""
    for_each(
        files,
        job,
        recursive=recursive,
        choose=choose,
        summarize=out.talks,
        quiet=out.quiet,
        verbose=out.verbose,
    )
