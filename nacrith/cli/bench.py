"""`nacrith bench` and its sub-commands."""

from importlib import import_module
from pathlib import Path

import click

from nacrith.cli.compare import compare
from nacrith.cli.measure_texts import bench_levels, bench_streams
from nacrith.cli.options import LARGEST, OUTPUT_NAME, STREAMS, Count
from nacrith.format.parameters import MAX_WINDOW


@click.group()
def bench() -> None:
    """Measure ratio, speed and overheads on this machine.

    \b
    nacrith bench corpus canterbury
    nacrith bench report -o docs/benchmarks.md
    """


@bench.command("corpus")
@click.argument("name", type=click.Choice(["canterbury", "enwik8"]))
@click.option("--bytes", "n_bytes", type=Count(1, LARGEST), default=1_000_000, help="Of enwik8.")
@click.option("--only", multiple=True, metavar="FILE", help="Only this file (repeatable).")
@STREAMS
@click.option(
    "--window",
    type=Count(256, MAX_WINDOW),
    default=1024,
    show_default=True,
    help="Context in tokens.",
)
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
@click.option("-o", "--output", type=OUTPUT_NAME, metavar="PATH", help="Markdown.")
def bench_report(quick: bool, output: Path | None) -> None:
    """Run every measurement that is not in build/bench yet, and write the report.

    \b
    nacrith bench report --quick
    """
    # At once, rather than after hours.
    import_module("transformers")
    import_module("torch")
    from nacrith.bench.report import write_report

    write_report(quick, output)


@bench.command("workers")
@click.option(
    "--bytes",
    "n_bytes",
    type=Count(1, LARGEST),
    default=8_000,
    show_default=True,
    help="Of a frame.",
)
@click.option(
    "--rounds", type=Count(1, LARGEST), default=1, show_default=True, help="The fastest counts."
)
def bench_workers(n_bytes: int, rounds: int) -> None:
    """Two processes against one, for both backends.

    \b
    nacrith bench workers --bytes 20000
    """
    from nacrith.bench.workers import measure_workers, print_workers

    print_workers([measure_workers(name, n_bytes, rounds) for name in ("exact", "llama.cpp")])


bench.add_command(compare)
bench.add_command(bench_levels)
bench.add_command(bench_streams)
