"""`nacrith bench` and its sub-commands."""

from pathlib import Path

import click

from nacrith.cli.bench_roundtrip import bench_roundtrip
from nacrith.cli.compare import compare
from nacrith.cli.extras import require
from nacrith.cli.measure_texts import (
    INTO,
    MINUTES,
    bench_guesses,
    bench_levels,
    bench_memory,
    bench_streams,
)
from nacrith.cli.options import LARGEST, MODEL, NAME, STREAMS, Count
from nacrith.format.parameters import MAX_WINDOW
from nacrith.pipeline.presets import LEVELS


@click.group()
def bench() -> None:
    """Measure ratio, speed and overheads on this machine.

    \b
    nacrith bench corpus canterbury
    nacrith bench report -o docs/benchmarks.md
    """


@bench.command("corpus")
@click.argument("name", type=click.Choice(["canterbury", "unseen", "enwik8"]))
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
@click.argument("sections", nargs=-1, metavar="[SECTION]...")
@click.option("--quick", is_flag=True, help="Short texts: to see that it runs.")
@click.option("--list", "listing", is_flag=True, help="Only print the names of the sections.")
@MINUTES
@INTO
def bench_report(
    sections: tuple[str, ...], quick: bool, listing: bool, minutes: int | None, output: Path | None
) -> None:
    """Run every measurement that is not in build/bench yet, and write the report.

    Of all SECTIONs or these, each put into its place as soon as it is measured.

    \b
    nacrith bench report --quick
    nacrith bench report levels streams --minutes 25 -o docs/benchmarks.md
    """
    from nacrith.bench.report import SECTIONS, write_report
    from nacrith.bench.store import end_after

    if listing:
        click.echo("\n".join(SECTIONS))
        return
    require("accelerate", "llama_cpp", "torch", "transformers")
    if unknown := [name for name in sections if name not in SECTIONS]:
        raise click.UsageError(f"{unknown[0]!r} is none of the sections: {', '.join(SECTIONS)}")
    end_after(minutes)
    write_report(quick, output, sections, lambda name: click.echo(f"{name} ...", err=True))


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


@bench.command("messages")
@click.argument("file", type=NAME, required=False)
@click.option(
    "--number", type=Count(1, LARGEST), default=64, show_default=True, help="Of messages."
)
@click.option(
    "--bytes", "n_bytes", type=Count(16, 1 << 16), default=200, show_default=True,
    help="Of a message, about.",
)  # fmt: skip
@click.option(
    "--dictionary", "dictionary_bytes", type=Count(1, 1 << 20), default=4096, show_default=True,
    help="Bytes of a dictionary of other messages.",
)  # fmt: skip
@MODEL
def bench_messages(
    file: Path | None, number: int, n_bytes: int, dictionary_bytes: int, model: Path | None
) -> None:
    """Small messages, with and without a dictionary, alone and side by side.

    They are the lines of FILE that are about so long, or JSON records made of alice29.txt.

    \b
    nacrith bench messages
    nacrith bench messages --number 128 records.jsonl
    """
    from nacrith.bench.messages import measure_messages, messages_of, print_messages, records
    from nacrith.bench.texts import read_files

    if file:
        messages = messages_of(next(iter(read_files([file]).values())), n_bytes)
    else:
        messages = records(n_bytes)
    print_messages(measure_messages(messages, number, dictionary_bytes, model=model))


@bench.command("media")
@click.argument("files", type=NAME, nargs=-1)
@INTO
def bench_media(files: tuple[Path, ...], output: Path | None) -> None:
    """Pictures and WAV files without loss, beside PNG, WebP, JPEG XL and FLAC.

    JPEG XL and FLAC where pillow-jxl-plugin and soundfile are installed.

    \b
    nacrith bench media
    nacrith bench media photo.png song.wav
    """
    require("PIL", "matplotlib")
    from nacrith.bench.markdown import show
    from nacrith.bench.media import measure_media, media_section

    show(media_section(measure_media(list(files))), output)


@bench.command("loading")
@click.option("--rounds", type=Count(1, LARGEST), default=5, show_default=True, help="Of each.")
@INTO
def bench_loading(rounds: int, output: Path | None) -> None:
    """The parts of a start, small files through the command line, and memory.

    \b
    nacrith bench loading
    nacrith bench loading -o docs/benchmarks.md
    """
    from nacrith.bench.loading import print_loading
    from nacrith.bench.markdown import show

    print_loading(rounds, lambda section: show(section, output))


@bench.command("before-after")
@click.argument("checkout", type=NAME)
@click.option("--full", is_flag=True, help="A million bytes of enwik8, too: an hour.")
@click.option(
    "--rounds", type=Count(1, LARGEST), default=3, show_default=True, help="Of short texts."
)
@click.option("--only", multiple=True, metavar="NAME", help="Names that begin so (repeatable).")
@INTO
def bench_before_after(
    checkout: Path, full: bool, rounds: int, only: tuple[str, ...], output: Path | None
) -> None:
    """The same command lines with another CHECKOUT of the project and with this one, in turn.

    Results are kept in build/bench; a run that was cut goes on where it was.

    \b
    git worktree add --detach ../before v1
    nacrith bench before-after ../before -o docs/benchmarks.md
    """
    from nacrith.bench.before_after import write_before_after
    from nacrith.bench.markdown import show

    write_before_after(checkout, rounds, full, only, lambda section: show(section, output))


@bench.command("correction")
@click.argument("files", nargs=-1, type=NAME, metavar="[FILE]...")
@click.option("--canterbury", is_flag=True, help="The texts of that corpus, too.")
@click.option(
    "--enwik8", "prefixes", multiple=True, type=Count(1, LARGEST), metavar="N",
    help="The first N bytes of enwik8, too (repeatable).",
)  # fmt: skip
@click.option("--log", type=NAME, metavar="PATH", help="log.jsonl of its training.")
@INTO
def bench_correction(
    files: tuple[Path, ...],
    canterbury: bool,
    prefixes: tuple[int, ...],
    log: Path | None,
    output: Path | None,
) -> None:
    """Texts with and without the correction of the model's weights, and its learning curve.

    Results are kept in build/bench; a run that was cut goes on where it was.

    \b
    nacrith bench correction --canterbury --enwik8 200000 book.txt
    """
    from nacrith.bench.correction import correction_section
    from nacrith.bench.markdown import show
    from nacrith.bench.texts import corpus_files, read_files

    texts = corpus_files("canterbury") if canterbury else {}
    for n in prefixes:
        texts |= corpus_files("enwik8", n)
    show(correction_section(texts | read_files(files), log), output)


@bench.command("documents")
@click.argument("files", type=NAME, nargs=-1)
@click.option(
    "--level", type=click.IntRange(min(LEVELS), max(LEVELS)), default=3, show_default=True,
    help="As -1 to -9 of compress.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Only open and close the streams, and count them.")
@INTO
def bench_documents(files: tuple[Path, ...], level: int, check: bool, output: Path | None) -> None:
    """What opening the compressed streams in documents, archives and pictures saves.

    FILES may be folders; without any, samples are made by the programs that are found. Results are
    kept in build/bench; a run that was cut goes on where it was.

    \b
    nacrith bench documents -o docs/benchmarks.md
    nacrith bench documents --check /usr/share
    """
    from nacrith.bench.documents import check_files, documents_section
    from nacrith.bench.markdown import show

    if check:
        click.echo(check_files(files))
    else:
        show(documents_section(list(files), level), output)


@bench.command("device")
@click.argument("file", type=NAME, required=False)
@click.option(
    "--device", default="cpu", show_default=True, metavar="NAME", help="cpu, cuda or cuda:N."
)
@click.option(
    "--streams", multiple=True, type=Count(1, 1 << 14), default=(64, 256, 1024),
    show_default=True, help="At once (repeatable).",
)  # fmt: skip
@click.option(
    "--bytes", "n_bytes", type=Count(1, LARGEST), default=1_000_000, show_default=True,
    help="Of the text, which is repeated if it is shorter.",
)  # fmt: skip
@click.option(
    "--window", type=Count(256, MAX_WINDOW), default=1024, show_default=True,
    help="Context in tokens.",
)  # fmt: skip
@click.option("--arithmetic", is_flag=True, help="Only count what steps cost a GPU; needs none.")
@MODEL
@INTO
def bench_device(
    file: Path | None,
    device: str,
    streams: tuple[int, ...],
    n_bytes: int,
    window: int,
    arithmetic: bool,
    model: Path | None,
    output: Path | None,
) -> None:
    """The exact model in PyTorch with many streams: both directions, memory, where the time goes.

    Of FILE, or of alice29.txt repeated. Needs nacrith[gpu].

    \b
    nacrith bench device --device cuda
    nacrith bench device --streams 4 --bytes 2000
    """
    from nacrith.bench.device import device_section, measure_device
    from nacrith.bench.markdown import show
    from nacrith.bench.texts import alice, read_files
    from nacrith.format.parameters import Parameters

    if arithmetic:
        from nacrith.bench.device_arithmetic import arithmetic_section, count_steps

        show(arithmetic_section(*count_steps(streams, window, model)), output)
        return
    name, text = next(iter(read_files([file]).items())) if file else ("alice29.txt", alice())
    if not text:
        raise click.UsageError(f"there is nothing in {name}")
    text = (text * -(-n_bytes // len(text)))[:n_bytes]
    measured = measure_device(device, text, streams, Parameters(window=window), model)
    show(device_section(name, device, measured), output)


bench.add_command(compare)
bench.add_command(bench_roundtrip)
bench.add_command(bench_levels)
bench.add_command(bench_streams)
bench.add_command(bench_guesses)
bench.add_command(bench_memory)
