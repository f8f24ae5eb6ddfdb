"""`nacrith bench levels`, `streams`, `guesses` and `memory`: texts of several kinds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from nacrith.cli.options import LARGEST, NAME, OUTPUT_NAME, STREAMS, Count, options
from nacrith.pipeline.presets import LEVELS

INTO = click.option(
    "-o", "--output", type=OUTPUT_NAME, metavar="PATH",
    help="Markdown whose section of this is replaced; by default it is printed.",
)  # fmt: skip

MINUTES = click.option(
    "--minutes", type=Count(1, LARGEST), metavar="N",
    help="End after N minutes or a little more, with exit code 1; the same command goes on there.",
)  # fmt: skip


def _texts(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments and options of both commands."""
    return options(
        click.argument("files", type=NAME, nargs=-1, metavar="[FILE]..."),
        click.option(
            "--seconds",
            type=click.FloatRange(0),
            metavar="S",
            help="Stop decoding a text after S seconds, and extrapolate (0: never).",
        ),
        INTO,
    )(command)


@click.command("levels")
@_texts
@click.option("--bytes", "n_bytes", type=Count(1, LARGEST), metavar="N", help="Of each text.")
def bench_levels(
    files: tuple[Path, ...], seconds: float | None, output: Path | None, n_bytes: int | None
) -> None:
    """Bits per byte and speed of every level.

    Of FILEs; by default of texts of several kinds, and of alice29.txt. Results are kept in
    build/bench; a run that was cut goes on where it was.

    \b
    nacrith bench levels book.txt page.html
    nacrith bench levels --bytes 20000 -o docs/benchmarks.md
    """
    from nacrith.bench.levels import BYTES, SECONDS, level_texts, levels_section, measure_levels
    from nacrith.bench.markdown import show
    from nacrith.bench.texts import read_files

    enough = SECONDS if seconds is None else seconds
    texts = read_files(files, n_bytes) if files else level_texts(n_bytes or BYTES)
    texts = {name: text for name, text in texts.items() if text}
    if not texts:
        raise click.UsageError("there is nothing in these files")
    show(levels_section(measure_levels(texts, enough, _tell), enough), output)


@click.command("streams")
@_texts
@click.option(
    "--size", "sizes", type=Count(1, LARGEST), multiple=True, metavar="N",
    help="Of the first N bytes (repeatable).",
)  # fmt: skip
def bench_streams(
    files: tuple[Path, ...], seconds: float | None, output: Path | None, sizes: tuple[int, ...]
) -> None:
    """One stream against the default cut, by the size of the text.

    Of FILEs; by default of texts of several kinds. Results are kept in build/bench; a run that
    was cut goes on where it was. The largest sizes take hours.

    \b
    nacrith bench streams --size 20000 --size 80000
    nacrith bench streams book.txt -o docs/benchmarks.md
    """
    from nacrith.bench.markdown import show
    from nacrith.bench.streams import (
        SECONDS,
        SIZES,
        measure_streams,
        streams_section,
        texts_to_cut,
    )
    from nacrith.bench.texts import read_files

    chosen, enough = sizes or SIZES, SECONDS if seconds is None else seconds
    texts = read_files(files, max(chosen)) if files else texts_to_cut(max(chosen))
    results = measure_streams(texts, chosen, enough, _tell)
    if not results:
        raise click.UsageError(f"no file is as long as {min(chosen)} bytes; give a smaller --size")
    show(streams_section(results, enough), output)


@click.command("guesses")
@click.argument("files", type=NAME, nargs=-1, metavar="[FILE]...")
@click.option("--tokens", type=Count(100, LARGEST), metavar="N", help="Of each text.")
@INTO
def bench_guesses(files: tuple[Path, ...], tokens: int | None, output: Path | None) -> None:
    """What guessing the next tokens saves when one stream is decoded.

    Of FILEs; by default of a log, JSON, source code, HTML, a repeated line and prose.

    \b
    nacrith bench guesses
    nacrith bench guesses --tokens 500 access.log
    """
    from nacrith.bench.guesses import TOKENS, guesses_section, kinds, measure_guesses
    from nacrith.bench.markdown import show
    from nacrith.bench.texts import read_files
    from nacrith.codec.loaded_models import load_model
    from nacrith.models.corrections import default_corrected

    texts = {name: text for name, text in (read_files(files) if files else kinds()).items() if text}
    if not texts:
        raise click.UsageError("there is nothing in these files")
    file = default_corrected()
    model = load_model("exact", file.path, 0, file.correction)
    results = measure_guesses(model, texts, tokens or TOKENS, _tell)
    model.close()
    show(guesses_section(results), output)


@click.command("memory")
@click.argument("files", type=NAME, nargs=-1, metavar="[FILE]...")
@click.option(
    "--level", "levels", type=click.IntRange(min(LEVELS), max(LEVELS)), multiple=True,
    metavar="N", help="Only this level (repeatable).",
)  # fmt: skip
@click.option("--bytes", "n_bytes", type=Count(1, LARGEST), metavar="N", help="Of each file.")
@STREAMS
@INTO
def bench_memory(
    files: tuple[Path, ...],
    levels: tuple[int, ...],
    n_bytes: int | None,
    streams: int,
    output: Path | None,
) -> None:
    """Peak memory of both directions beside the estimate that --memlimit goes by.

    Of FILEs; by default of the first 20,000 bytes of alice29.txt, two minutes on 2 cores.

    \b
    nacrith bench memory
    nacrith bench memory --level 6 --streams 64 book.txt
    """
    from nacrith.bench.markdown import show
    from nacrith.bench.memory import BYTES, LEVELS_MEASURED, measure_memory, memory_section
    from nacrith.bench.texts import alice, read_files

    def start() -> dict[str, bytes]:
        return {"alice29.txt": alice()[: n_bytes or BYTES]}

    texts = read_files(files, n_bytes) if files else start()
    results = measure_memory(texts, levels or LEVELS_MEASURED, streams, _tell)
    show(memory_section(results), output)


def _tell(what: str) -> None:
    click.echo(what, err=True)
