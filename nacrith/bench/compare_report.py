"""What `compare` measured: as tables on the terminal, JSON, Markdown and plots."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nacrith.bench.compare import Result, bpb, total
from nacrith.bench.groups import BINARY, GROUPS, TEXTS, UNSEEN
from nacrith.bench.markdown import table
from nacrith.bench.published import Published, published_for

ABOUT = {
    TEXTS: "Texts of a corpus are famous: alice29.txt and its like are in the training data of "
    "every language\nmodel, so what a model makes of them says little of a text that it has not "
    "read.\n",
    UNSEEN: "Written for this benchmark in November 2026 (`corpora/unseen`), after all the models "
    "had been\ntrained. They are short, and were worded with the help of a language model, which "
    "may make them\neasier for another one.\n",
    BINARY: "The language model has a part only in text that is within them.\n",
}


def write_all(
    folder: Path,
    results: Sequence[Result],
    along: Sequence[dict[str, Any]],
    restore: int | None = None,
) -> None:
    """Write compare.json, compare.md and the plots into `folder`."""
    from nacrith.bench.plots import plot_all

    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "measured": list(results),
        "published": [vars(p) for p in _published(results)],
        "along": list(along),
    }
    (folder / "compare.json").write_text(json.dumps(document, indent=1), "utf-8")
    plots = plot_all(results, along, folder)
    (folder / "compare.md").write_text(markdown(results, plots, restore), "utf-8")


def markdown(
    results: Sequence[Result], plots: Sequence[tuple[str, str]] = (), restore: int | None = None
) -> str:
    """The tables and (name, caption) of the plots; `restore` as given to `compare`."""
    text = (
        "Bits per byte, every byte of the compressed file counted, but neither a program nor a "
        "model.\nSpeeds are in kilobytes of the original per second, each program in memory, on "
        "one machine in one\nrun; ours with loading the model.\n"
    )
    if restore:
        text += f"Ours restored the first {restore} bytes of larger files, compressed as the whole"
        text += " is.\n"
    for group, mine in _groups(results):
        text += f"\n### {group[:1].upper()}{group[1:]}\n\n{ABOUT[group]}\n"
        text += _files_table(mine) + "\n" + _totals_table(mine)
        if published := _published(mine):
            text += "\n" + _published_table(mine, published)
    for name, caption in plots:
        text += f"\n![{caption}]({name}.svg)\n"
    return text


def print_tables(results: Sequence[Result]) -> None:
    """Show the results on the terminal: a program a line."""
    from rich.console import Console
    from rich.table import Table

    for group, mine in _groups(results):
        files, programs = _names(mine)
        published = _published(mine)
        shown = Table(title=f"{group}: bits per byte, every byte counted; speeds in kB/s")
        shown.add_column("program")
        for name in (*files, "all", "ratio", "in", "out", "needs"):
            shown.add_column(name, justify="right")
        for program in programs:
            own = {r["file"]: f"{bpb(r):.3f}" for r in mine if r["program"] == program}
            row = _total_row(mine, program)
            shown.add_row(program, *(own.get(file, "-") for file in files), *row[2:])
        for program in _unique(p.program for p in published):
            found = {p.file: f"{p.bpb:.3f}" for p in published if p.program == program}
            cells = (found.get(file, "") for file in files)
            shown.add_row(f"{program} (published)", *cells)
        Console(width=max(100, 46 + 13 * len(files))).print(shown)


def _groups(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    """The groups that there are, each with its results."""
    for group in GROUPS:
        if mine := [r for r in results if r["group"] == group]:
            yield group, mine


def _names(results: Sequence[Result]) -> tuple[list[str], list[str]]:
    return _unique(r["file"] for r in results), _unique(r["program"] for r in results)


def _unique(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


def _size(results: Sequence[Result], file: str) -> int:
    return int(next(r["size"] for r in results if r["file"] == file))


def _published(results: Sequence[Result]) -> list[Published]:
    return [p for file in _names(results)[0] for p in published_for(file)]


def _files_table(results: Sequence[Result]) -> str:
    """A file a line; the best one measured is marked."""
    files, programs = _names(results)
    rows = []
    for file in files:
        found = {r["program"]: bpb(r) for r in results if r["file"] == file}
        least = min(found.values())
        cells = [_cell(found.get(program), least) for program in programs]
        rows.append([file, f"{_size(results, file):,}", *cells])
    return table(" | ".join(["file", "bytes", *programs]), rows)


def _cell(value: float | None, least: float) -> str:
    if value is None:
        return "-"
    return f"**{value:.3f}**" if value == least else f"{value:.3f}"


def _totals_table(results: Sequence[Result]) -> str:
    """A program a line, all files together."""
    return table(
        "all together | bytes | bits per byte | ratio | kB/s in | kB/s out | needs besides",
        [_total_row(results, name) for name in _names(results)[1]],
    )


def _total_row(results: Sequence[Result], program: str) -> list[str]:
    """Name, bytes, bpb, ratio, speeds, what it needs; no sums of a program that left files out."""
    r = total(results, program)
    sums = [f"{r['compressed']:,}", f"{bpb(r):.3f}", f"{r['size'] / max(r['compressed'], 1):.2f}"]
    speeds = [
        f"{r['size'] / 1000 / r[side]:,.1f}" if r[side] else "-"
        for side in ("compress_seconds", "decompress_seconds")
    ]
    needs = f"{r['needs'] / 1e6:.0f} MB" if r["needs"] else ""
    return [program, *(sums if r["is_whole"] else ["-"] * len(sums)), *speeds, needs]


def _published_table(results: Sequence[Result], published: Sequence[Published]) -> str:
    """What others have published: not measured here, and not with these machines."""
    rows: list[list[str]] = []
    sources: dict[str, None] = {}
    files = [file for file in _names(results)[0] if any(p.file == file for p in published)]
    for program in _unique(p.program for p in published):
        found = {p.file: p for p in published if p.program == program}
        cells = [f"{found[file].bpb:.3f}" if file in found else "" for file in files]
        one = next(iter(found.values()))
        sources[one.source] = None
        rows.append([program, *cells, one.knows or ""])
    return table(" | ".join(["published by others", *files, "needs besides"]), rows) + (
        "\nSources: " + "; ".join(sources) + ".\n"
    )
