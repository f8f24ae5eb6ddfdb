"""The same command lines with this checkout and with another one, in turn."""

import io
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from nacrith.bench.command_line import Taken, there_and_back
from nacrith.bench.edition import FIGURES, ROOT, code_hash
from nacrith.bench.generated import json_lines, log_lines, repeated_line
from nacrith.bench.machine import measure_limits
from nacrith.bench.markdown import table
from nacrith.bench.store import FOLDER, cached
from nacrith.bench.texts import alice, canterbury, enwik8
from nacrith.errors import FileError

_BEGIN = 1_000
"""Bytes of alice29.txt before the shorter texts: its title."""

_LINES_BYTES = 16_000
_SHORT = 4_000
"""Bytes; longer texts are measured once, as their runs differ little."""

_SOURCES = ("coder", "nacrith/format")
"""What is in the tarball: some 70 KB of Python, a few minutes."""


@dataclass(frozen=True)
class Case:
    """A text, by name, and the options it is compressed with.

    Attributes:
        make: returns the text.
        full: is it left out unless all are wanted?
    """

    name: str
    make: Callable[[], bytes]
    options: tuple[str, ...] = ()
    full: bool = False


def _alice(size: int) -> Callable[[], bytes]:
    return lambda: alice()[_BEGIN : _BEGIN + size]


def source_tarball() -> bytes:
    """A tar file of Python sources of this checkout, the same for the same sources."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(path for name in _SOURCES for path in (ROOT / name).rglob("*.py")):
            data = path.read_bytes()
            # Owner, mode and time stamp stay those of a new `TarInfo`.
            entry = tarfile.TarInfo(path.relative_to(ROOT).as_posix())
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return sink.getvalue()


_ALONE = ("--streams", "1", "--window", "1024")
"""One stream, with the window that both have by default: alone it is longer now."""

CASES = (
    Case("400 bytes", _alice(400)),
    Case("a letter, 2,500 bytes", _alice(2_500)),
    Case("a log, 16,000 bytes", lambda: log_lines(_LINES_BYTES)),
    Case("JSON lines, 16,000 bytes", lambda: json_lines(_LINES_BYTES), _ALONE),
    Case("a line again and again, 16,000 bytes", lambda: repeated_line(_LINES_BYTES), _ALONE),
    Case("source code (fields.c)", lambda: canterbury()["fields.c"], _ALONE),
    Case("HTML (cp.html)", lambda: canterbury()["cp.html"], _ALONE),
    Case("a chapter, 40,000 bytes", _alice(40_000)),
    Case("8 streams, 40,000 bytes", _alice(40_000), ("--streams", "8")),
    Case("64 streams, 200,000 bytes", lambda: enwik8(200_000), ("--streams", "64")),
    Case("sources, a tar file", source_tarball),
    Case("alice29.txt", alice),
    Case("enwik8, 1,000,000 bytes", lambda: enwik8(1_000_000), full=True),
)


def measure(case: Case, before: Path, rounds: int) -> dict[str, Any]:
    """Compress and restore a text with both checkouts, in turn.

    Args:
        before: another checkout. It keeps what it unpacks in a folder of its own, since its
            layout may be another one.
        rounds: medians of so many are taken; of a long text, one.

    Returns:
        For `before` and `after`: `size`, bytes; `compress` and `decompress`, seconds and
        `compress_peak`, `decompress_peak`, bytes of resident memory. `original`: bytes.

    Raises:
        NacrithError: a run failed, or restored something else.
    """
    text = case.make()
    rounds = rounds if len(text) <= _SHORT else 1
    sides = {"before": (before, _own_cache()), "after": (ROOT, dict[str, str]())}
    taken: dict[str, dict[str, list[Taken]]] = {
        side: {"compress": [], "decompress": []} for side in sides
    }
    sizes = {}
    with tempfile.TemporaryDirectory() as name:
        original = Path(name, "text")
        original.write_bytes(text)
        for _ in range(rounds):
            for side, (root, environment) in sides.items():
                there, back, sizes[side] = there_and_back(original, root, environment, case.options)
                taken[side]["compress"].append(there)
                taken[side]["decompress"].append(back)
    found: dict[str, Any] = {"original": len(text), "rounds": rounds}
    for side, directions in taken.items():
        found[side] = {"size": sizes[side]}
        for direction, runs in directions.items():
            found[side][direction] = median(r.seconds for r in runs)
            found[side][f"{direction}_peak"] = median(r.peak for r in runs)
    return found


def _own_cache() -> dict[str, str]:
    return {"XDG_CACHE_HOME": os.path.abspath(FOLDER / "before")}


def _warm_up(before: Path) -> None:
    """Compile and unpack all that will be needed, with both checkouts, before it is timed."""
    with tempfile.TemporaryDirectory() as name:
        original = Path(name, "text")
        original.write_bytes(_alice(3_000)())
        environments: list[tuple[Path, Mapping[str, str]]] = [(before, _own_cache()), (ROOT, {})]
        for root, environment in environments:
            for streams in ("1", "3"):
                there_and_back(original, root, environment, ("--streams", streams))


def before_after(
    before: Path, rounds: int, full: bool, only: tuple[str, ...] = ()
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Measure the cases, or take what was stored of the same code of both.

    Args:
        before: another checkout.
        rounds: see `measure`.
        full: those that take long, too.
        only: the beginnings of the names of those that are wanted; none = all.

    Yields:
        The name of a case, and what `measure` returned.

    Raises:
        NacrithError: no such checkout, or a run failed.
    """
    before = before.resolve()
    if not (before / "nacrith" / "__main__.py").is_file():
        raise FileError(f"{before} is no checkout of nacrith: it has no nacrith/__main__.py")
    there = [name for name in FIGURES if (before / name).exists()]
    other = code_hash(before, tuple(there))
    warm = False

    def warmed(case: Case) -> dict[str, Any]:
        nonlocal warm
        if not warm:
            _warm_up(before)
            warm = True
        return measure(case, before, rounds)

    for case in CASES:
        wanted = not only or any(case.name.startswith(name) for name in only)
        if wanted and (full or not case.full):
            key = f"before-after-{case.name.replace(' ', '-').replace(',', '')}-{other}"
            yield case.name, cached(key, partial(warmed, case))


def section(results: Iterable[tuple[str, dict[str, Any]]], limits: dict[str, Any]) -> str:
    """The section of docs/benchmarks.md."""
    results = list(results)
    return (
        "## Before and after\n\n"
        "`nacrith bench before-after CHECKOUT`: the same command lines with another checkout and "
        "with this one,\nin turn, whole processes; a time of texts up to "
        f"{_SHORT:,} bytes is the median of several. Ratios are\nbefore / after: above 1, it has "
        "become smaller or faster. Memory is the resident peak, mapped files counted.\n\n"
        + table(
            "text | bytes before | after | compress, s before | after | ratio "
            "| decompress, s before | after | ratio | MiB before | after",
            [_row(name, r) for name, r in results],
        )
        + "\n"
        + _limits(limits)
    )


def _row(name: str, r: dict[str, Any]) -> list[str]:
    before, after = r["before"], r["after"]
    row = [name, f"{before['size']:,}", f"{after['size']:,}"]
    for direction in ("compress", "decompress"):
        ratio = before[direction] / after[direction]
        row += [f"{before[direction]:.2f}", f"{after[direction]:.2f}", f"**{ratio:.2f}**"]
    peaks = [max(s["compress_peak"], s["decompress_peak"]) / 2**20 for s in (before, after)]
    return [*row, *(f"{peak:.0f}" for peak in peaks)]


def _limits(limits: dict[str, Any]) -> str:
    rows = [
        [
            str(d["streams"]),
            f"{d['rate_at_first']:.0f}",
            f"{d['rate']:.0f}",
            f"{100 * d['of_bandwidth']:.0f} %",
            f"{100 * d['of_products']:.0f} %",
        ]
        for d in limits["decoding"]
    ]
    return (
        f"This machine reads {limits['bandwidth'] / 1e9:.1f} GB/s of memory and does "
        f"{limits['products'] / 1e9:.0f}·10⁹ multiply-accumulates of an\n8-bit weight and "
        "a value of a row per second, each with all threads and nothing else. A step reads "
        f"{limits['weights'] / 1e6:.0f} MB\nof weights, and {limits['cache'] / 1e6:.1f} MB of "
        f"keys and values for each stream that has read {limits['window']:,} tokens. What steps of "
        "the model\nalone use of both then:\n\n"
        + table(
            "streams | tokens/s at first | with full windows | of the bandwidth | of the products",
            rows,
        )
    )


def write_before_after(
    before: Path, rounds: int, full: bool, only: tuple[str, ...], put: Callable[[str], None]
) -> None:
    """Measure and hand the section over."""
    results = list(before_after(before, rounds, full, only))
    put(section(results, cached("limits", measure_limits)))
