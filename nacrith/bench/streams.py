"""One stream against the default cut: what streams cost in bits and save in time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

from nacrith.bench.both_ways import measure_both_ways
from nacrith.bench.markdown import table
from nacrith.bench.store import cached
from nacrith.bench.texts import texts_of_kinds
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import DEFAULT

Result = dict[str, Any]

SIZES = (20_000, 80_000, 320_000, 2_000_000)
"""Bytes of text; the largest is half a frame, and takes 20 minutes for each text."""

KINDS = ("prose", "data", "code", "markup")
"""Folders of texts, of which there are so many bytes: data are logs, tables and JSON."""
SECONDS = 60
"""Decoding is stopped after so many, when the windows of up to 40 streams are full."""

# The model is used whatever it saves: a text that goes elsewhere has no streams. One stream has
# the window of the others here: what a longer one saves is not what streams cost.
_PRESET = replace(DEFAULT, least_saving=None, one_stream_window=0)


def texts_to_cut(n_bytes: int) -> dict[str, bytes]:
    """The first so many bytes of each of the `KINDS`; raises like `texts_of_kinds`.

    What the correction was trained on is in the end of the longer ones: it changes their bits per
    byte, but neither their growth nor their speed.
    """
    return texts_of_kinds(n_bytes, KINDS, learned_too=True)


def measure_streams(
    texts: dict[str, bytes],
    sizes: Sequence[int] = SIZES,
    seconds: float = SECONDS,
    tell: Callable[[str], None] = lambda what: None,
) -> list[Result]:
    """Measure the first so many bytes of every text, or take what was measured before.

    Args:
        texts: by name; one that is shorter than a size is left out there.
        sizes: in bytes.
        seconds: decoding is stopped after so many; 0 = never.
        tell: called before each measurement with what is measured.

    Returns:
        `name`, `size`, `streams` (of the default cut), and as `one` and `cut` what
        `measure_both_ways` returns; `cut` is `one` if the default is one stream.
    """
    results = []
    for size in sizes:
        for name, whole in texts.items():
            text = whole[:size]
            if len(text) < size:
                continue
            # UTF-8 is cut between characters.
            text = text.decode("utf-8", "ignore").encode()
            digest = sha256(text).hexdigest()[:12]
            streams = DEFAULT.cutting.streams_for(text)
            found = {}
            for cut in sorted({1, streams}):
                tell(f"{name}, {size} bytes: {cut} streams")
                options = CompressOptions(preset=_PRESET, streams=cut)
                found[cut] = cached(
                    f"streams-{cut}-{digest}-{seconds:g}",
                    partial(measure_both_ways, text, options, seconds),
                )
            results.append({
                "name": name, "size": len(text), "streams": streams,
                "one": found[1], "cut": found[streams],
            })  # fmt: skip
    return results


def streams_section(results: list[Result], seconds: float = SECONDS) -> str:
    """The section of docs/benchmarks.md."""
    rows = []
    for r in results:
        one, cut = r["one"], r["cut"]
        more = 100 * (cut["compressed"] / one["compressed"] - 1)
        rows.append([
            r["name"],
            f"{r['size']:,}",
            str(r["streams"]),
            f"{8 * one['compressed'] / r['size']:.3f}",
            f"{8 * cut['compressed'] / r['size']:.3f}",
            f"{more:+.2f} %",
            *(
                f"{found['tokens'] / found[way]:.0f}"
                for way in ("compress_seconds", "decompress_seconds")
                for found in (one, cut)
            ),
        ])  # fmt: skip
    stopped = (
        f"stopped after {seconds:g} s and extrapolated from the second half, " if seconds else ""
    )
    return (
        "## One stream against the default cut\n\n"
        "`nacrith bench streams`: the first bytes of texts of several kinds, all through the\n"
        f"model. Tokens/s with loading the model; decoding is {stopped}of all else\n"
        "the result was compared. The longer texts end in such as the correction was trained on, "
        "which have\nfewer bits per byte than others.\n\n"
        + table(
            "text | bytes | streams | bpb, one stream | bpb, cut | growth | tokens/s in, one "
            "| cut | out, one | cut",
            rows,
        )
    )
