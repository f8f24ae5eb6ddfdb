"""`nacrith bench compare`."""

from pathlib import Path

import click

from nacrith.cli.extras import require
from nacrith.cli.measure_texts import MINUTES
from nacrith.cli.options import LARGEST, NAME, Count
from nacrith.format.parameters import MAX_STREAMS

# Enough of the longest text for the plot along it: some 15 windows of tokens.
_ALONG = 60_000


@click.command("compare")
@click.argument("files", nargs=-1, type=NAME, metavar="[FILE]...")
@click.option(
    "--corpus", "names", multiple=True,
    type=click.Choice(["canterbury", "calgary", "unseen", "enwik8", "enwik9"]),
    help="All files of a corpus, fetched if need be (repeatable).",
)  # fmt: skip
@click.option(
    "--bytes",
    "n_bytes",
    type=Count(1, LARGEST),
    metavar="N",
    help="Only the first N bytes of each.",
)
@click.option("--only", multiple=True, metavar="PROGRAM", help="Only this one (repeatable).")
@click.option(
    "--streams", type=Count(0, MAX_STREAMS), default=0, metavar="N", help="Of ours (0: by size)."
)
@click.option("--one-way", is_flag=True, help="Only compress: a quarter of the time.")
@click.option(
    "--restore", type=Count(1, LARGEST), metavar="N",
    help="Ours restore only the first N bytes of a larger file.",
)  # fmt: skip
@click.option(
    "--llama-cpp", type=Count(0, LARGEST), metavar="N",
    help="Ours with llama.cpp only for files of at most N bytes.",
)  # fmt: skip
@MINUTES
@click.option(
    "-o", "--output", type=NAME, metavar="FOLDER", show_default=True,
    default=Path("build/compare"), help="For compare.json, compare.md and the plots.",
)  # fmt: skip
def compare(
    files: tuple[Path, ...],
    names: tuple[str, ...],
    n_bytes: int | None,
    only: tuple[str, ...],
    streams: int,
    one_way: bool,
    restore: int | None,
    llama_cpp: int | None,
    minutes: int | None,
    output: Path,
) -> None:
    """Measure our presets and backends beside other compressors, in one run.

    Results are kept in build/bench; a run that was cut goes on where it was.
    What others have published about a file is shown beside, marked as published.

    \b
    nacrith bench compare book.txt
    nacrith bench compare --corpus canterbury --corpus unseen -o build/canterbury
    nacrith bench compare --corpus enwik8 --bytes 1000000 --one-way
    """
    if bool(files) == bool(names):
        raise click.UsageError("give FILEs or --corpus")
    require("brotli", "matplotlib", "pyppmd", "zstandard")
    from nacrith.bench.along import measure_along
    from nacrith.bench.compare import compare as run
    from nacrith.bench.compare_report import print_tables, write_all
    from nacrith.bench.rivals import programs
    from nacrith.bench.store import end_after
    from nacrith.bench.texts import corpus_files, longest_text, read_files

    end_after(minutes)
    known = programs(streams)
    chosen = [program for program in known if program.name in (only or [p.name for p in known])]
    if not chosen:
        raise click.UsageError(f"--only takes one of: {', '.join(p.name for p in known)}")
    if any("llama.cpp" in program.name for program in chosen):
        require("llama_cpp")
    contents = read_files(files, n_bytes)
    for name in names:
        contents |= corpus_files(name, n_bytes)
    results = run(
        contents, chosen, 0 if one_way else restore, llama_cpp,
        lambda file, program: click.echo(f"{file}: {program}", err=True),
    )  # fmt: skip
    backends = {"nacrith": "exact", "nacrith, llama.cpp": "llama.cpp"}
    text = longest_text(contents)
    if text:
        text = text[0], text[1][:_ALONG]
    along = [
        measure_along(*text, backends[program.name])
        for program in chosen
        if text and program.name in backends
    ]
    print_tables(results)
    write_all(output, results, along, restore)
    click.echo(f"written: {output}/compare.md, compare.json and the plots", err=True)
