"""What `compare` measured: as a table on the terminal, JSON, Markdown and plots."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nacrith.bench.compare import Result, bpb, total
from nacrith.bench.published import Published, published_for


def write_all(
    folder: Path,
    results: Sequence[Result],
    along: Sequence[dict[str, Any]],
    restore: int | None = None,
) -> None:
    """Write compare.json, compare.md and the plots into `folder`."""
    from nacrith.bench.plots import plot_along, plot_bpb, plot_speed

    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "measured": list(results),
        "published": [vars(p) for p in _published(results)],
        "along": list(along),
    }
    (folder / "compare.json").write_text(json.dumps(document, indent=1), "utf-8")
    plots = [plot_speed(results, folder), plot_bpb(results, folder)]
    if along:
        plots.append(plot_along(along, folder))
    (folder / "compare.md").write_text(markdown(results, plots, restore), "utf-8")


def markdown(
    results: Sequence[Result], plots: Sequence[tuple[str, str]] = (), restore: int | None = None
) -> str:
    """The tables and (name, caption) of the plots; `restore` as given to `compare`."""
    files, programs = _names(results)
    published = _published(results)
    columns = [f"{name} (published)" for name in _unique(p.program for p in published)]
    lines = _rows(
        ["file", "bytes", *programs, *columns],
        [
            [file, str(_size(results, file)), *_cells(results, published, file, bold="**")]
            for file in files
        ],
    )
    restored = (
        f"Ours restored the first {restore} bytes of larger files, compressed as the whole is.\n"
        if restore
        else ""
    )
    text = (
        "Bits per byte, every byte of the compressed file counted. Columns marked as published\n"
        "are other people's results for the whole file, and were not measured here.\n\n"
        + "\n".join(lines)
        + "\n\nAll files together. Speeds are in kilobytes of the original per second, each\n"
        "program in memory, on one machine in one run; ours with loading the model.\n"
        + restored
        + "\n"
        + "\n".join(
            _rows(
                ["program", "bytes", "bpb", "ratio", "compress kB/s", "decompress kB/s"],
                [_total_row(results, name) for name in programs],
            )
        )
        + "\n"
    )
    if published:
        text += "\nPublished by:\n\n"
        text += "".join(f"- {p.program}, {p.file}: {p.source}\n" for p in published)
    for name, caption in plots:
        text += f"\n![{caption}]({name}.svg)\n"
    return text


def print_tables(results: Sequence[Result]) -> None:
    """Show the results on the terminal: a program a line."""
    from rich.console import Console
    from rich.table import Table

    files, programs = _names(results)
    published = _published(results)
    table = Table(title="bits per byte, every byte counted; speeds in kB/s of the original")
    table.add_column("program")
    for name in (*files, "all", "ratio", "in", "out"):
        table.add_column(name, justify="right")
    for program in programs:
        mine = {r["file"]: f"{bpb(r):.3f}" for r in results if r["program"] == program}
        row = _total_row(results, program)
        table.add_row(program, *(mine.get(file, "-") for file in files), *row[2:])
    for program in _unique(p.program for p in published):
        found = {p.file: f"{p.bpb:.3f}" for p in published if p.program == program}
        table.add_row(f"{program} (published)", *(found.get(file, "") for file in files))
    Console(width=max(100, 34 + 13 * len(files))).print(table)


def _names(results: Sequence[Result]) -> tuple[list[str], list[str]]:
    return _unique(r["file"] for r in results), _unique(r["program"] for r in results)


def _unique(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


def _size(results: Sequence[Result], file: str) -> int:
    return int(next(r["size"] for r in results if r["file"] == file))


def _published(results: Sequence[Result]) -> list[Published]:
    return [p for file in _names(results)[0] for p in published_for(file)]


def _cells(
    results: Sequence[Result], published: Sequence[Published], file: str, bold: str
) -> list[str]:
    """A file's bits per byte by program; the best one measured is marked."""
    by_program = {r["program"]: bpb(r) for r in results if r["file"] == file}
    least = min(by_program.values())
    cells = []
    for program in _names(results)[1]:
        x = by_program.get(program)
        cells.append("-" if x is None else f"{bold}{x:.3f}{bold}" if x == least else f"{x:.3f}")
    found = {p.program: f"{p.bpb:.3f}" for p in published if p.file == file}
    return cells + [found.get(name, "") for name in _unique(p.program for p in published)]


def _total_row(results: Sequence[Result], program: str) -> list[str]:
    """Name, bytes, bpb, ratio and speeds; no sums of a program that left files out."""
    r = total(results, program)
    sums = [str(r["compressed"]), f"{bpb(r):.3f}", f"{r['size'] / max(r['compressed'], 1):.2f}"]
    speeds = [
        f"{r['size'] / 1000 / r[side]:,.1f}" if r[side] else "-"
        for side in ("compress_seconds", "decompress_seconds")
    ]
    return [program, *(sums if r["is_whole"] else ["-"] * len(sums)), *speeds]


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(header) + " |",
        "| --- |" + " ---: |" * (len(header) - 1),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
