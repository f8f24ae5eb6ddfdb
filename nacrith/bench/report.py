"""docs/benchmarks.md: every measurement of this project, by one command."""

import platform
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from nacrith import __version__
from nacrith.bench.backend_sections import (
    backends_section,
    coding_section,
    exact_section,
    skipping_section,
    speed_section,
    window_section,
)
from nacrith.bench.corpus import bpb, measure_alone, run_corpus
from nacrith.bench.groups import BINARY, GROUPS, TEXTS, group_of
from nacrith.bench.levels import level_texts, levels_section, measure_levels
from nacrith.bench.loading import loading_section
from nacrith.bench.markdown import put_head, put_section, table
from nacrith.bench.store import cached
from nacrith.bench.streams import SIZES, measure_streams, streams_section, texts_to_cut
from nacrith.bench.texts import alice, canterbury, unseen
from nacrith.format.container import VERSION
from nacrith.models.catalog import default_model
from nacrith.models.corrections import shipped, short_name

Section = Callable[[bool], str]
Tell = Callable[[str], None]

COMPARED = Path("docs/canterbury")
"""Where `make bench-canterbury` writes."""

# Longer texts are only compressed, which takes a part of the time.
_LARGE = 130_000  # bytes
_RESTORED = ("alice29.txt", "kennedy.xls", "ptt5")

# Bytes of header, frame and trailer around one payload.
_CONTAINER = 30


def write_report(
    quick: bool, output: Path | None, names: Sequence[str] = (), tell: Tell = lambda what: None
) -> None:
    """Measure what is not stored yet, and print sections or put each into its place in `output`.

    Args:
        names: of `SECTIONS`; empty = all, and what is in front of the first one.
        tell: called with the name of each before it is measured.

    Raises:
        NacrithError: the time of `store.end_after` is over; the sections before are there.
    """
    if not names:
        head = _head()
        if output:
            put_head(output, head)
        else:
            print(head)
    for name in names or SECTIONS:
        tell(name)
        section = SECTIONS[name](quick)
        if output:
            put_section(output, section)
        else:
            print(section)


def _head() -> str:
    import llama_cpp

    from predictors.language_models.numerics import available_threads

    model, correction = default_model(), next(shipped())
    return (
        "# Benchmarks\n\n"
        f"Made by `make bench`, version {__version__}, format {VERSION - 0x80}. Sizes count every "
        "byte of the file,\nheader and checksums included, but not the model, which both "
        "directions need; bpb is bits per\nbyte of the original. Speeds are of one machine on one "
        "day: the "
        "ratios, measured in one run, are\nwhat to look at.\n\n"
        f"Machine: {_processor()}, {available_threads()} CPUs. "
        f"Python {platform.python_version()}, llama-cpp-python {llama_cpp.__version__}, "
        f"model {model.name} ({model.path.stat().st_size / 1e6:.0f} MB), correction "
        f"{short_name(correction)} ({correction.size / 1e6:.1f} MB).\n"
    )


def _others(quick: bool) -> str:
    """What `make bench-canterbury` has written, with its plots."""
    try:
        text = (COMPARED / "compare.md").read_text("utf-8")
    except FileNotFoundError:
        text = "`make bench-canterbury` was not run yet.\n"
    text = re.sub(r"\]\(([\w-]+\.svg)\)", rf"]({COMPARED.name}/\1)", text)
    return "## Beside other compressors\n\n" + text


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _one_stream(quick: bool) -> str:
    group = {name: group_of(name, data) for name, data in (canterbury() | unseen()).items()}
    results = _results(quick)
    text = (
        "## Bits: one stream\n\n"
        "The default settings but for a single stream. *Model alone*: an ideal coder on the\n"
        "model's softmax, on the text as it is, with the same window and the same container.\n"
        f"Files up to {_LARGE} bytes and {', '.join(_RESTORED)}\n"
        "were restored and found equal; the others were only compressed.\n"
    )
    for name in GROUPS:
        # Prefixes of enwik8 are in no corpus of files.
        mine = [r for r in results if group.get(r["file"], TEXTS) == name]
        alone = "" if name == BINARY else " | model alone | against it"
        head = f"{name} | bytes | compressed | gzip -9 bpb | bzip2 -9 | xz -9e | nacrith{alone}"
        if mine:
            text += "\n" + table(head, [_ratio_row(r, with_model=bool(alone)) for r in mine])
    return text


def _sharing(quick: bool) -> str:
    n = 20_000 if quick else 1_000_000
    one, eight = (
        run_corpus("enwik8", n, streams=streams, both_ways=False)[0] for streams in (1, 8)
    )
    more = 100 * (eight["nacrith"] / one["nacrith"] - 1)
    return (
        "## Streams share what is learned\n\n"
        f"The first {n} bytes of enwik8: {one['nacrith']} bytes with one stream, "
        f"{eight['nacrith']} with 8\nthat share what is learned: {more:+.2f} %.\n"
    )


def _levels(quick: bool) -> str:
    if quick:
        return levels_section(measure_levels({"alice29.txt": alice()[:2000]}))
    return levels_section(measure_levels(level_texts()))


def _streams(quick: bool) -> str:
    if quick:
        return streams_section(measure_streams({"alice29.txt": alice()}, [6000]))
    return streams_section(measure_streams(texts_to_cut(max(SIZES))))


def _results(quick: bool) -> list[dict[str, Any]]:
    """Canterbury, the texts never published, and enwik8's begin: one stream, shortest first."""
    sizes = {name: len(data) for name, data in canterbury().items()}
    if quick:
        names = [n for n, size in sizes.items() if size < 5000]
        return run_corpus("canterbury", only=names, streams=1)
    large = [n for n, size in sizes.items() if size > _LARGE and n not in _RESTORED]
    small = [n for n in sizes if n not in large]
    found = run_corpus("unseen", streams=1)
    found += run_corpus("canterbury", only=small, streams=1)
    found += run_corpus("canterbury", only=large, streams=1, both_ways=False)
    for n in (200_000, 1_000_000):
        found += run_corpus("enwik8", n, streams=1, both_ways=False)
    return sorted(found, key=lambda r: r["size"])


def _ratio_row(r: dict[str, Any], with_model: bool) -> list[str]:
    row = [
        r["file"],
        f"{r['size']:,}",
        f"{r['nacrith']:,}",
        *(f"{bpb(r, c):.3f}" for c in ("gzip", "bzip2", "xz")),
        f"**{bpb(r, 'nacrith'):.3f}**",
    ]
    if not with_model:
        return row
    file = r["file"]
    alone = cached(f"alone-{file}", partial(measure_alone, file))["bits"] / 8 + _CONTAINER
    return [*row, f"{8 * alone / r['size']:.3f}", f"{100 * (r['nacrith'] / alone - 1):+.1f} %"]


def _ablation(quick: bool) -> str:
    from nacrith.bench.ablation import LENGTH, row, run_ablation

    results = run_ablation(2000, quick=True) if quick else run_ablation()
    names = list(results[0]["sizes"])
    return (
        "## What each predictor is worth\n\n"
        f"The first {2000 if quick else LENGTH} bytes of each text, from recorded outputs. First\n"
        "line: bytes. Then: by how many per cent the size changes without the predictor, and by\n"
        "how many milliseconds a token the time.\n\n"
        + table(
            " | ".join(["without", *names, "all", "ms a token"]),
            [row(result, results[0], names) for result in results],
        )
    )


def _documents(quick: bool) -> str:
    from nacrith.bench.documents import documents_section

    return documents_section([], 1 if quick else 3)


def _media(quick: bool) -> str:
    from nacrith.bench.media import measure_media, media_section

    return media_section(measure_media([]))


SECTIONS: dict[str, Section] = {
    "compare": _others,
    "one-stream": _one_stream,
    "sharing": _sharing,
    "levels": _levels,
    "streams": _streams,
    "documents": _documents,
    "media": _media,
    "ablation": _ablation,
    "skipping": skipping_section,
    "exact": exact_section,
    "speed": speed_section,
    "loading": loading_section,
    "coding": coding_section,
    "window": window_section,
    "backends": backends_section,
}
"""By the name that `nacrith bench report` takes."""
