"""Peak memory of the command line beside the estimate of `pipeline.memory`."""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nacrith.bench.command_line import there_and_back
from nacrith.bench.edition import ROOT
from nacrith.bench.markdown import table
from nacrith.format.container import MemberReader
from nacrith.pipeline.fitting import RestoreLimit, fit_compression
from nacrith.pipeline.memory import MIB
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import LEVELS

LEVELS_MEASURED = (1, 3, 4, 6, 9)
BYTES = 20_000
"""Of the text that is measured by default: enough for several streams."""


def measure_memory(
    texts: dict[str, bytes],
    levels: Iterable[int] = LEVELS_MEASURED,
    streams: int = 0,
    tell: Callable[[str], None] = lambda what: None,
) -> list[dict[str, Any]]:
    """Compress and restore each text at each level, each in a process of its own.

    Args:
        streams: of each frame; 0 = by the level.
        tell: called before each measurement with what is measured.

    Returns:
        Of each: `name`, `bytes`, `level`; `compress` and `decompress`, pairs of bytes measured
        and estimated.
    """
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            path = Path(folder, "text")
            path.write_bytes(text)
            for level in levels:
                tell(f"{name}: -{level}")
                given = ["-T", "0", "--workers", "1", f"-{level}", "--streams", streams]
                there, back, _ = there_and_back(path, ROOT, options=given)
                preset = LEVELS[level]
                options = CompressOptions(
                    preset=preset, parameters=preset.parameters, streams=streams
                )
                packing = fit_compression(options, None, 1, len(text)).needed
                restoring = _to_restore(path.with_name("text.nc"))
                results.append({
                    "name": name,
                    "bytes": len(text),
                    "level": level,
                    "compress": (there.peak, packing),
                    "decompress": (back.peak, restoring),
                })  # fmt: skip
    return results


def _to_restore(path: Path) -> int:
    found = RestoreLimit(None)
    with open(path, "rb") as file:
        for member in MemberReader(file):
            for frame in member.frames():
                found.look_at(member.header, frame)
    return found.need


def memory_section(results: list[dict[str, Any]]) -> str:
    """The section of docs/benchmarks.md."""

    def mebibytes(n: int) -> str:
        return f"{n / MIB:.0f}"

    rows = [
        [
            f"{r['name']}, {r['bytes']:,} bytes",
            f"`-{r['level']}`",
            *(mebibytes(n) for way in ("compress", "decompress") for n in r[way]),
        ]
        for r in results
    ]
    return (
        "## Memory\n\n"
        "`nacrith bench memory`. Peak of resident memory in MiB of one process with one worker,\n"
        "and the estimate that `--memlimit` and `--dry-run` go by, which is meant to be no less.\n"
        "The mapped weights count, 165 MiB, which processes share.\n\n"
        + table("file | level | compress | estimate | decompress | estimate", rows)
    )
