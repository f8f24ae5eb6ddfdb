"""What a small file waits for: the parts of a start, whole runs, and memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from nacrith.bench.command_line import peak_pss, there_and_back
from nacrith.bench.edition import ROOT
from nacrith.bench.markdown import table
from nacrith.bench.store import cached
from nacrith.bench.texts import alice

SIZES = (400, 2_500, 40_000)
"""Bytes: a message, a letter, a chapter."""

_BEGIN = 1_000
"""Bytes of alice29.txt before the text that is taken: its title."""

_PARTS = {
    "interpreter": "the interpreter",
    "numpy, numba": "import of numpy and numba",
    "other imports": "all other imports",
    "hash of the model": "the hash of the model, remembered",
    "weights": "the weights, mapped and checked",
    "vocabulary": "the vocabulary and the rest of the model",
    "tokenizer": "the tokenizer",
    "session": "a session",
    "kernels": "kernels, as they are needed",
    "text": "the 400 bytes",
    "end": "the end of the process",
}


def measure_loading(rounds: int, sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """Medians of so many runs, each in a process of its own. All has been compiled before.

    Returns:
        `parts`: seconds by direction and part, of the first size; `seconds`: of the command
        line, by size and direction; `memory`: bytes (PSS) of one process, and of two that
        compress the last size at the same time.
    """
    text = alice()[_BEGIN:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds: dict[str, dict[str, float]] = {}
        for size in sizes:
            (folder / f"{size}").write_bytes(text[:size])
            seconds[str(size)] = _there_and_back(folder / f"{size}", rounds)
        parts = {
            "compress": _parts("compress", folder / f"{sizes[0]}", rounds),
            "decompress": _parts("decompress", folder / f"{sizes[0]}.nc", rounds),
        }
        long = folder / f"{sizes[-1]}"
        one, two = [("compress", "-q", "-f", "-o", folder / f"out-{i}", long) for i in (1, 2)]
        memory = [peak_pss([one], ROOT), peak_pss([one, two], ROOT)]
    return {"rounds": rounds, "parts": parts, "seconds": seconds, "memory": memory}


def _there_and_back(original: Path, rounds: int) -> dict[str, float]:
    # The first run is not counted: it may be the one that compiles.
    taken = [there_and_back(original, ROOT)[:2] for _ in range(rounds + 1)][1:]
    return {
        "compress": median(there.seconds for there, _ in taken),
        "decompress": median(back.seconds for _, back in taken),
    }


def _parts(direction: str, path: Path, rounds: int) -> dict[str, float]:
    found = [_start(direction, path) for _ in range(rounds)]
    return {part: median(f[part] for f in found) for part in _PARTS if part in found[0]}


def _start(direction: str, path: Path) -> dict[str, float]:
    begin = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "nacrith.bench.start", direction, path, str(begin)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    whole = time.time() - begin
    parts: dict[str, float] = json.loads(done.stdout)
    return {**parts, "end": whole - sum(parts.values())}


def loading_section(quick: bool, rounds: int = 5) -> str:
    """The section of docs/benchmarks.md."""
    sizes = SIZES[:1] if quick else SIZES
    r = cached(f"loading-{len(sizes)}-{rounds}", lambda: measure_loading(rounds, sizes))
    return _section(r)


def _section(r: dict[str, Any]) -> str:
    def milliseconds(values: dict[str, float], part: str) -> str:
        return f"{1000 * values[part]:.0f}" if part in values else "-"

    both = ("compress", "decompress")
    one, two = (size / 2**20 for size in r["memory"])
    memory = (
        f"Memory (PSS, where pages that processes share count once) while {max(SIZES):,} bytes are "
        f"compressed: {one:.0f} MiB of one\nprocess, {two:.0f} MiB of two at once.\n"
    )
    return (
        "## Starting\n\n"
        "`nacrith bench loading`. Milliseconds of the parts of a run on "
        f"{SIZES[0]} bytes of alice29.txt, with all compiled and\nunpacked; medians of "
        f"{r['rounds']} runs.\n\n"
        + table(
            "part | compress | decompress",
            [
                [said, *(milliseconds(r["parts"][direction], part) for direction in both)]
                for part, said in _PARTS.items()
            ],
        )
        + "\nSeconds of the whole command:\n\n"
        + table(
            "bytes | compress | decompress",
            [
                [f"{int(size):,}", *(f"{seconds[direction]:.2f}" for direction in both)]
                for size, seconds in r["seconds"].items()
            ],
        )
        + ("\n" + memory if one else "")
    )


def print_loading(rounds: int, put: Callable[[str], None]) -> None:
    """Measure all of it now, and hand the section over."""
    put(_section(measure_loading(rounds)))
