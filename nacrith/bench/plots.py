"""Plots of the comparison, each as SVG and PNG, as wide as README.md shows them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

from nacrith.bench.compare import Result, bpb, total
from nacrith.bench.groups import GROUPS, UNSEEN
from nacrith.bench.labels import annotate, pixel_box
from nacrith.bench.palette import GRID, OTHERS, OURS, PUBLISHED, TEXT
from nacrith.bench.published import Published, best_of_all, best_published
from predictors.language_models.sliding import SLIDE_FRACTION

matplotlib.use("Agg")
# The same text gives the same file, whenever it is made.
matplotlib.rcParams.update({
    "svg.hashsalt": "nacrith", "font.size": 9, "axes.axisbelow": True, "text.color": TEXT,
    "axes.labelcolor": TEXT, "xtick.color": TEXT, "ytick.color": TEXT, "hatch.linewidth": 0.8,
})  # fmt: skip

from matplotlib import pyplot as plt  # noqa: E402 (after the choice of the back end)

WIDTH = 8.6
"""Inches: 826 pixels at the 96 per inch of an SVG, a column of README.md."""

_BARS = ("gzip -9", "xz -9e", "PPMd var. I -o16", "nacrith -1", "nacrith -3", "nacrith")
"""What gets a bar where there are more programs; the tables have all."""
_BAR_INCHES = 0.155
_SMALL = 8
"""Size of the smallest letters in points: 10.7 pixels."""

Plot = tuple[str, str]
"""Name of the files without ending, and a caption."""


def _save(figure: Any, folder: Path, name: str, caption: str) -> Plot:
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", dpi=150)
    plt.close(figure)
    return name, caption


def _slug(group: str) -> str:
    return group.replace(" ", "-")


def plot_speed(results: Sequence[Result], group: str, folder: Path) -> Plot:
    """Ratio against speed of all files of a group together, both on logarithmic axes."""
    figure, axes = plt.subplots(figsize=(WIDTH, 4.8), layout="tight")
    mine = [r for r in results if r["group"] == group]
    names, points, lines = [], [], []
    for program in dict.fromkeys(r["program"] for r in mine):
        r = total(mine, program)
        if not r["is_whole"]:
            continue
        ratio = r["size"] / max(r["compressed"], 1)
        colour, marker = (OURS, "s") if r["ours"] else (OTHERS, "o")
        into = r["size"] / 1000 / r["compress_seconds"]
        axes.scatter(into, ratio, color=colour, marker=marker, zorder=3)
        names.append(program)
        points.append((into, ratio))
        if r["decompress_seconds"]:
            out = r["size"] / 1000 / r["decompress_seconds"]
            axes.plot([into, out], [ratio, ratio], color=colour, linewidth=0.8, zorder=2)
            axes.scatter(out, ratio, facecolor="white", edgecolor=colour, marker=marker, zorder=3)
            lines.append(((into, ratio), (out, ratio)))
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda x, _: _plain(x)))
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 6, 7, 8)))
    axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axes.margins(x=0.1, y=0.12)
    axes.set_xlabel(
        "kB of the original per second, logarithmic (filled: compress, hollow: decompress)"
    )
    axes.set_ylabel("original / compressed, logarithmic")
    needs = max(r["needs"] for r in mine)
    model = f"; nacrith from -4 on needs its model besides, {needs / 1e6:.0f} MB" if needs else ""
    axes.set_title(f"{group[:1].upper()}{group[1:]} together{model}", fontsize=9)
    axes.grid(True, which="both", color=GRID, linewidth=0.6)
    figure.canvas.draw()
    # A hollow marker is wider than its line.
    taken = [pixel_box(axes, *line, 3) for line in lines]
    taken += [pixel_box(axes, end, end, 5) for _, end in lines]
    annotate(figure, axes, names, points, taken, _SMALL)
    figure.set_layout_engine("none")
    return _save(figure, folder, f"speed-{_slug(group)}", f"Ratio against speed: {group}")


def _plain(x: float) -> str:
    return f"{x:,.0f}" if x >= 10 else f"{x:g}"


Bar = tuple[str, float, str]
"""A program, its bits per byte, and a colour."""


def plot_bpb(results: Sequence[Result], group: str, folder: Path) -> Plot:
    """Bits per byte of each file of a group, a bar for each program; published ones hatched."""
    mine = [r for r in results if r["group"] == group]
    blocks = {
        file: _bars([r for r in mine if r["file"] == file], best_published(file))
        for file in dict.fromkeys(r["file"] for r in mine)
    }
    return _plot_bars(blocks, folder, f"bpb-{_slug(group)}", f"Bits per byte: {group}")


def plot_groups(results: Sequence[Result], folder: Path) -> Plot:
    """The same of all files of each group together."""
    blocks = {}
    for group in GROUPS:
        mine = [r for r in results if r["group"] == group]
        if not mine:
            continue
        sizes = {r["file"]: r["size"] for r in mine}
        sums = [total(mine, program) for program in dict.fromkeys(r["program"] for r in mine)]
        bars = _bars([r for r in sums if r["is_whole"]], best_of_all(sizes))
        blocks[f"{group} ({len(sizes)})"] = bars
    return _plot_bars(blocks, folder, "bpb", "Bits per byte of texts and of binary files")


def _bars(found: Sequence[Result], published: Sequence[Published]) -> list[Bar]:
    """What is shown of results of one file, or of one group: others, published, ours."""
    shown = [r for r in found if r["program"] in _BARS] or found
    return [
        *((r["program"], bpb(r), OTHERS) for r in shown if not r["ours"]),
        *((f"{p.program} (published)", p.bpb, PUBLISHED) for p in published),
        *((r["program"], bpb(r), OURS) for r in shown if r["ours"]),
    ]


def _plot_bars(blocks: dict[str, list[Bar]], folder: Path, name: str, caption: str) -> Plot:
    """A block of bars below each heading."""
    rows = [bar for head, bars in blocks.items() for bar in ((head, 0.0, ""), *bars)]
    figure, axes = plt.subplots(
        figsize=(WIDTH, 0.75 + _BAR_INCHES * len(rows)), layout="constrained"
    )
    places = range(len(rows), 0, -1)
    for place, (_, value, colour) in zip(places, rows, strict=True):
        if not colour:
            continue
        look = {"color": colour}
        if colour == PUBLISHED:
            look = {"facecolor": "white", "edgecolor": colour, "hatch": "////"}
        axes.barh(place, value, 0.78, **look)
        axes.text(value, place, f" {value:.3f}", va="center", fontsize=_SMALL)
    axes.set_yticks(list(places), [label for label, _, _ in rows], fontsize=_SMALL)
    for label, (_, _, colour) in zip(axes.get_yticklabels(), rows, strict=True):
        if not colour:
            label.set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(0.3, len(rows) + 0.8)
    axes.set_xlim(0, 1.08 * max(value for _, value, _ in rows))
    axes.set_xlabel("bits per byte: shorter is better")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return _save(figure, folder, name, caption)


def plot_along(along: Sequence[dict[str, Any]], folder: Path) -> Plot:
    """Bits per token along a text, a panel for each backend, with the window's slides."""
    figure, panels = plt.subplots(
        len(along), 1, figsize=(WIDTH, 2.6 * len(along)), sharex=True, sharey=True, squeeze=False,
        layout="tight",
    )  # fmt: skip
    for axes, run in zip(panels[:, 0], along, strict=True):
        axes.plot(run["tokens"], run["model"], color=PUBLISHED, linestyle="--", label="model alone")
        axes.plot(run["tokens"], run["coded"], color=OURS, label="as coded")
        window, last = run["window"], max(run["tokens"], default=0)
        if run["backend"] == "exact":
            axes.axvspan(window, max(window, last), color="#eef3fa")
            slides = "blue: the window slides, 16 tokens at a time"
        else:
            for slide in range(window, int(last), window // SLIDE_FRACTION):
                axes.axvline(slide, color="#9bd", linewidth=0.6)
            slides = f"blue: a slide of the window, by {window // SLIDE_FRACTION} tokens"
        axes.set_title(f"{run['file']}, {run['backend']} ({slides})", fontsize=_SMALL)
        axes.set_ylabel("bits a token")
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=_SMALL)
    panels[-1, 0].set_xlabel("token")
    return _save(figure, folder, "along", "Bits per token along a text")


def plot_all(
    results: Sequence[Result], along: Sequence[dict[str, Any]], folder: Path
) -> list[Plot]:
    """All plots that these results are for; not of the speed where files are only short."""
    groups = [group for group in GROUPS if any(r["group"] == group for r in results)]
    plots = [plot_groups(results, folder)] if len(groups) > 1 else []
    plots += [plot_bpb(results, group, folder) for group in groups]
    plots += [plot_speed(results, group, folder) for group in groups if group != UNSEEN]
    plots += [plot_along(along, folder)] if along else []
    return plots
