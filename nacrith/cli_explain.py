"""`nacrith explain`."""

import sys
from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="PATH",
    help="Write to PATH instead of FILE.html.",
)  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Overwrite.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="PATH", help="GGUF file of the model."
)
@click.option("--fast", "preset", flag_value="fast", help="As of compress; only for a text.")
@click.option("--best", "preset", flag_value="best", help="As of compress; only for a text.")
def explain(
    file: Path,
    output: Path | None,
    force: bool,
    quiet: bool,
    model: Path | None,
    preset: str | None,
) -> None:
    """Write a page that shows what each token of FILE costs, and why.

    FILE is a text or a FILE.nc. The page is one HTML file without links to the network.

    \b
    nacrith explain book.txt
    nacrith explain -o page.html book.txt.nc
    """
    from nacrith.explain import explain as make_page
    from nacrith.files import open_input, open_output
    from nacrith.pipeline import CompressOptions
    from nacrith.presets import BEST, DEFAULT, FAST
    from nacrith.progress import NO_PROGRESS, BarProgress

    chosen = {"fast": FAST, "best": BEST}.get(preset or "", DEFAULT)
    options = CompressOptions(model, preset=chosen, parameters=chosen.parameters)
    target = output or file.with_name(file.name + ".html")
    bar = sys.stderr.isatty() and not quiet
    progress = BarProgress(str(file)) if bar else NO_PROGRESS
    with open_input(file) as (source, _), open_output(target, force) as sink:
        try:
            page = make_page(source, file.name, options, progress)
        finally:
            progress.end()
        sink.write(page.encode("utf-8"))
