"""Plots of the comparison, each as SVG and PNG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from nacrith.bench.compare import Result, bpb, total
from nacrith.bench.published import published_for
from predictors.language_models.sliding import SLIDE_FRACTION

matplotlib.use("Agg")
# The same text gives the same file, whenever it is made.
matplotlib.rcParams.update({"svg.hashsalt": "nacrith", "font.size": 9, "axes.axisbelow": True})

from matplotlib import pyplot as plt  # noqa: E402 (after the choice of the back end)

_OURS, _OTHERS, _PUBLISHED = "#b33", "#478", "#aaa"

_LABEL_PIXELS = 13
_MARKERS = "ovs^D*<>ph"

Plot = tuple[str, str]
"""Name of the files without ending, and a caption."""


def _save(figure: Any, folder: Path, name: str, caption: str) -> Plot:
    figure.tight_layout()
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", dpi=150)
    plt.close(figure)
    return name, caption


def plot_speed(results: Sequence[Result], folder: Path) -> Plot:
    """Ratio against speed of all files together, both on logarithmic axes."""
    figure, axes = plt.subplots(figsize=(7, 4.5))
    labels: list[tuple[float, float, str, bool]] = []
    for program in dict.fromkeys(r["program"] for r in results):
        r = total(results, program)
        if not r["is_whole"]:
            continue
        ratio = r["size"] / max(r["compressed"], 1)
        colour = _OURS if r["ours"] else _OTHERS
        into = r["size"] / r["compress_seconds"]
        axes.scatter(into, ratio, color=colour, zorder=3)
        labels.append((ratio, into, program, bool(r["ours"])))
        if r["decompress_seconds"]:
            out = r["size"] / r["decompress_seconds"]
            axes.plot([into, out], [ratio, ratio], color=colour, linewidth=0.7)
            axes.scatter(out, ratio, facecolor="white", edgecolor=colour, zorder=3)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.margins(x=0.12, y=0.1)
    # From below, each label high enough to stand clear of the one before.
    lowest = {True: 0.0, False: 0.0}
    for ratio, into, program, ours in sorted(labels):
        y = float(axes.transData.transform((into, ratio))[1])
        above = max(y + 4, lowest[ours]) - y
        axes.annotate(program, (into, ratio), (5, above), textcoords="offset pixels", fontsize=8)
        lowest[ours] = y + above + _LABEL_PIXELS
    axes.set_xlabel("bytes of the original per second (filled: compress, hollow: decompress)")
    axes.set_ylabel("original / compressed")
    axes.grid(True, which="both", color="#eee")
    return _save(figure, folder, "ratio-speed", "Ratio against speed")


def plot_bpb(results: Sequence[Result], folder: Path) -> Plot:
    """Bits per byte of each file by program, published results beside them."""
    files = list(dict.fromkeys(r["file"] for r in results))
    programs = list(dict.fromkeys(r["program"] for r in results))
    figure, axes = plt.subplots(figsize=(max(7.0, 1.3 * len(files)), 4))
    width = 0.8 / len(programs)
    ours = sum(1 for p in programs if total(results, p)["ours"])
    colours = [
        *plt.get_cmap("Blues")(np.linspace(0.35, 0.85, len(programs) - ours)),
        *plt.get_cmap("Reds")(np.linspace(0.45, 0.9, ours)),
    ]
    for i, program in enumerate(programs):
        mine = {r["file"]: bpb(r) for r in results if r["program"] == program}
        places = np.arange(len(files)) + (i - (len(programs) - 1) / 2) * width
        axes.bar(places, [mine.get(f, 0.0) for f in files], width, color=colours[i], label=program)
    published = [(place, p) for place, file in enumerate(files) for p in published_for(file)]
    for name, marker in zip(dict.fromkeys(p.program for _, p in published), _MARKERS, strict=False):
        mine_at = [(place + 0.45, p.bpb) for place, p in published if p.program == name]
        label = f"{name} (published)"
        axes.scatter(*zip(*mine_at, strict=True), s=22, marker=marker, color="#333", label=label)
    axes.set_xticks(range(len(files)), files, rotation=20 if len(files) > 4 else 0)
    axes.set_ylabel("bits per byte")
    axes.grid(True, axis="y", color="#eee")
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1))
    return _save(figure, folder, "bpb", "Bits per byte by file")


def plot_along(along: Sequence[dict[str, Any]], folder: Path) -> Plot:
    """Bits per token along a text, a panel for each backend, with the window's slides."""
    figure, panels = plt.subplots(
        len(along), 1, figsize=(8, 2.6 * len(along)), sharex=True, sharey=True, squeeze=False
    )
    for axes, run in zip(panels[:, 0], along, strict=True):
        axes.plot(run["tokens"], run["model"], color=_PUBLISHED, label="model alone")
        axes.plot(run["tokens"], run["coded"], color=_OURS, label="as coded")
        window, last = run["window"], max(run["tokens"], default=0)
        if run["backend"] == "exact":
            axes.axvspan(window, max(window, last), color="#eef3fa")
            slides = "blue: the window slides, 16 tokens at a time"
        else:
            for slide in range(window, int(last), window // SLIDE_FRACTION):
                axes.axvline(slide, color="#9bd", linewidth=0.6)
            slides = f"blue: a slide of the window, by {window // SLIDE_FRACTION} tokens"
        axes.set_title(f"{run['file']}, {run['backend']} ({slides})", fontsize=8)
        axes.set_ylabel("bits a token")
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=7)
    panels[-1, 0].set_xlabel("token")
    return _save(figure, folder, "along", "Bits per token along a text")
