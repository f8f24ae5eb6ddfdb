"""`nacrith test`."""

import json
import sys
from pathlib import Path

import click

from nacrith.cli.ahead import before_restoring
from nacrith.cli.batch import for_each, name_of
from nacrith.cli.directory_walk import compressed
from nacrith.cli.display import say
from nacrith.cli.failures import describe
from nacrith.cli.file_job import open_compressed, progress_of
from nacrith.cli.inputs import Inputs, with_inputs
from nacrith.cli.memory_limit import chosen_limit, fitted_restoring
from nacrith.cli.options import (
    CORRECTION,
    DICTIONARY,
    MEMLIMIT,
    MODEL,
    QUIET,
    SUFFIXES,
    THREADS,
    Team,
    with_workers,
)
from nacrith.cli.whole_run import WholeRun
from nacrith.format.container import check_records
from nacrith.plural import counted


@click.command()
@with_inputs
@SUFFIXES
@QUIET
@MODEL
@CORRECTION
@DICTIONARY
@with_workers
@THREADS
@MEMLIMIT
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one line a file.")
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
    memlimit: int | None,
    as_json: bool,
    quick: bool,
) -> None:
    """Check that each FILE.nc can be restored, without writing anything.

    \b
    nacrith test book.txt.nc
    nacrith test --quick -r backup/
    """

    limit = chosen_limit(memlimit, team)
    whole = WholeRun()
    hidden = quiet or no_progress

    def check(path: Path | None) -> int:
        with open_compressed(path) as source:
            if quick:
                return check_records(source)
            before_restoring(path, team.device)
            from nacrith.cli.notices import show_notices
            from nacrith.pipeline.decompress import decompress_stream

            show_notices(quiet)
            fitting, admit = fitted_restoring(source, limit, team, model)
            progress = progress_of(path, hidden, decoding=True, whole=whole)
            with fitting.open(progress=progress) as workers:
                summary, _ = decompress_stream(
                    source, None, model, progress, workers, None, dictionary or b"", correction,
                    admit,
                )  # fmt: skip
            return summary.original

    def job(path: Path | None) -> None:
        found: dict[str, object] = {"file": name_of(path), "quick": quick}
        try:
            size = check(path)
        except Exception as error:
            if as_json:
                click.echo(json.dumps({**found, "ok": False, "error": describe(error)}))
            raise
        if as_json:
            click.echo(json.dumps({**found, "ok": True, "original": size}))
        elif not quiet:
            checked = "frames OK" if quick else "OK"
            say(f"{name_of(path)}: {checked}, {counted(size, 'byte')}")

    for_each(
        inputs,
        job,
        choose=lambda path: compressed(path, suffix),
        quiet=quiet,
        verbose=verbose,
        whole=whole if not hidden and sys.stderr.isatty() else None,
    )
