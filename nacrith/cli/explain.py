"""`nacrith explain`."""

import os
from functools import partial
from pathlib import Path

import click

from nacrith.cli.display import printable
from nacrith.cli.file_job import progress_of
from nacrith.cli.options import CORRECTION, DICTIONARY, MODEL, NAME, OUTPUT_NAME, with_level
from nacrith.errors import FileError
from nacrith.pipeline.presets import LEVELS, WITH_MODEL
from nacrith.system.files import open_input, open_output


@click.command()
@click.argument("file", type=NAME)
@click.option(
    "-o", "--output", type=OUTPUT_NAME, metavar="PATH",
    help="Write to PATH instead of FILE.html.",
)  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@MODEL
@CORRECTION
@DICTIONARY
@partial(with_level, least=WITH_MODEL)
def explain(
    file: Path,
    output: Path | None,
    force: bool,
    quiet: bool,
    model: Path | None,
    correction: Path | str | None,
    dictionary: bytes | None,
    level: int,
) -> None:
    """Write a page that shows what each token of FILE costs, and why.

    FILE is a text or a FILE.nc. The page is one HTML file without links to the network, with all
    of the text, what gzip and xz make of it, and what each predictor is worth to it. It takes
    two to three times as long as compressing.

    \b
    nacrith explain book.txt
    nacrith explain -o page.html book.txt.nc
    """
    from nacrith.cli.notices import show_notices
    from nacrith.explain import explain as make_page
    from nacrith.pipeline.options import CompressOptions

    show_notices(quiet)
    if level < WITH_MODEL:
        raise click.UsageError(f"below -{WITH_MODEL} there is no model whose work could be shown")
    chosen = LEVELS[level]
    options = CompressOptions(
        model,
        preset=chosen,
        parameters=chosen.parameters,
        dictionary=dictionary or b"",
        correction=correction,
    )
    if os.path.isdir(file):
        raise FileError(f"{file} is a directory; name a file in it")
    with open_input(file, special=output is not None) as (source, _):
        target = output or file.with_name(file.name + ".html")
        if target.exists() and target.samefile(file):
            raise FileError(f"{file} is both the input and the page; name another file with -o")
        with open_output(target, force) as sink:
            progress = progress_of(file, quiet, decoding=False)
            try:
                page = make_page(source, printable(file.name), options, progress)
            finally:
                progress.end()
            sink.write(page.encode("utf-8"))
