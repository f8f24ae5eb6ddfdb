"""`nacrith bench roundtrip`: the documents, archives, pictures and sounds of a machine."""

import shlex
import sys
from pathlib import Path

import click

from nacrith.cli.measure_texts import INTO, MINUTES
from nacrith.cli.options import LARGEST, NAME, Count
from nacrith.errors import NacrithError
from nacrith.format.frame import MAX_ORIGINAL
from nacrith.pipeline.presets import LEVELS


@click.command("roundtrip")
@click.argument("folders", type=NAME, nargs=-1, metavar="[FOLDER]...")
@click.option(
    "-N",
    "--number",
    type=Count(1, LARGEST),
    metavar="N",
    help="Only N files, of all kinds, by chance.",
)
@click.option(
    "--largest", type=Count(1, MAX_ORIGINAL), default=1 << 20, show_default=True, metavar="BYTES",
    help="Leave larger files out.",
)  # fmt: skip
@click.option("--workers", type=Count(1, 256), default=1, show_default=True, help="Processes.")
@click.option(
    "--level", type=click.IntRange(min(LEVELS), max(LEVELS)), default=1, show_default=True,
    help="As -1 to -9 of compress.",
)  # fmt: skip
@MINUTES
@INTO
def bench_roundtrip(
    folders: tuple[Path, ...],
    number: int | None,
    largest: int,
    workers: int,
    level: int,
    minutes: int | None,
    output: Path | None,
) -> None:
    """Compress and restore every document, archive, picture and sound there is, and count.

    Below FOLDERs; by default /usr/share, Python's library and its packages. What is done is kept
    in build/bench; a run that was cut goes on where it was. Ends with exit code 1 if a file did
    not come back.

    \b
    nacrith bench roundtrip -N 200
    nacrith bench roundtrip --workers 4 --minutes 60 -o docs/reliability.md
    """
    from nacrith.bench.files_carried import carried, usual_folders
    from nacrith.bench.markdown import show
    from nacrith.bench.roundtrip import failed, go_over, roundtrip_section

    for folder in folders:
        if not folder.is_dir():
            raise click.UsageError(f"{folder} is no folder")
    files = [file for file in carried(folders or usual_folders()) if 0 < file.size <= largest]
    if not files:
        raise NacrithError("there is no document, archive, picture or sound in these folders")
    chosen = files[:number]

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{done} of {of}", err=True, nl=done == of)

    seconds = None if minutes is None else 60.0 * minutes
    results = go_over(chosen, level, workers, seconds, tell)
    given = [*folders, *(() if number is None else ("-N", number))]
    options = shlex.join(map(str, [*given, "--largest", largest, "--level", level]))
    show(roundtrip_section(results, level, largest, len(files), options), output)
    if problems := failed(results):
        raise NacrithError(f"{len(problems)} of {len(results)} files did not come back")
    if len(results) < len(chosen):
        raise NacrithError(
            f"the time is over after {len(results)} of {len(chosen)} files; "
            "the same command goes on"
        )
