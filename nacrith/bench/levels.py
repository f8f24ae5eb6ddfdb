"""Every level on texts of several kinds: bits, and seconds of both directions."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

from nacrith.bench.both_ways import measure_both_ways
from nacrith.bench.markdown import table
from nacrith.bench.store import cached
from nacrith.bench.texts import texts_of_kinds, unseen
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import LEVELS

Result = dict[str, Any]

BYTES = 100_000
"""Of each text."""
SECONDS = 15
"""Decoding is stopped after so many."""

_WARM_UP = b"A short text, for what is compiled at the first use.\n" * 30
_MEGABYTE = 1e6


def level_texts(n_bytes: int = BYTES) -> dict[str, bytes]:
    """Texts of several kinds, and those never published; raises like `texts_of_kinds`."""
    return texts_of_kinds(n_bytes) | {"unpublished": b"".join(unseen().values())[:n_bytes]}


def measure_levels(
    texts: dict[str, bytes],
    seconds: float = SECONDS,
    tell: Callable[[str], None] = lambda what: None,
) -> list[Result]:
    """Measure every level on every text, or take what was measured before.

    Args:
        texts: by name; none empty.
        seconds: decoding is stopped after so many; 0 = never.
        tell: called before each measurement with what is measured.

    Returns:
        Of each level its number as `level`, and as `texts` by name what `measure_both_ways`
        returns.
    """
    results = []
    warm = set()
    for level, preset in LEVELS.items():
        found = {}
        for name, text in texts.items():
            options = CompressOptions(preset=preset, parameters=preset.parameters)

            def run(options: CompressOptions = options, text: bytes = text) -> Result:
                if options.preset.mixing not in warm:
                    measure_both_ways(_WARM_UP, options)
                    warm.add(options.preset.mixing)
                return measure_both_ways(text, options, seconds)

            tell(f"{name}: -{level}")
            digest = sha256(text).hexdigest()[:12]
            found[name] = cached(f"level-{level}-{digest}-{seconds:g}", partial(run))
        results.append({"level": level, "texts": found})
    return results


def levels_section(results: list[Result], seconds: float = SECONDS) -> str:
    """The section of docs/benchmarks.md; raises no errors."""
    names = list(results[0]["texts"])
    rows = []
    for result in results:
        found = result["texts"].values()
        size = sum(r["size"] for r in found)
        rows.append([
            f"`-{result['level']}`",
            *(f"{8 * r['compressed'] / r['size']:.3f}" for r in found),
            f"{8 * sum(r['compressed'] for r in found) / size:.3f}",
            *(
                _seconds(sum(r[way] for r in found) * _MEGABYTE / size)
                for way in ("compress_seconds", "decompress_seconds")
            ),
        ])  # fmt: skip
    sizes = ", ".join(f"{name} {r['size']:,}" for name, r in results[0]["texts"].items())
    stopped = (
        f"Decoding was stopped after {seconds:g} s a text, and its time extrapolated; what was\n"
        "decoded to the end was compared.\n"
        if seconds and any(r["restored"] < 1 for x in results for r in x["texts"].values())
        else "All were restored and found equal.\n"
    )
    return (
        "## Levels\n\n"
        "`nacrith bench levels`: bits per byte of each text and of all, every byte of the file\n"
        "counted; seconds for a megabyte of text in both directions, loading the model included.\n"
        f"{stopped}Bytes: {sizes}.\n\n"
        + table(f"level | {' | '.join(names)} | all | s/MB in | s/MB out", rows)
    )


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"
