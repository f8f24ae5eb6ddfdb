"""Files through many compressors in one run: size, and speed of both directions."""

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from nacrith.bench.groups import group_of
from nacrith.bench.rivals import Program
from nacrith.bench.store import cached
from nacrith.pipeline.options import BLOCK

Result = dict[str, Any]

ENOUGH_SECONDS = 0.2
"""Others are repeated until so much time is spent, for what takes no time at all."""
WARM_UP = b"A short text, for what is compiled at the first use.\n" * 2
"""What ours compress first, not counted."""


def compare(
    files: dict[str, bytes],
    programs: Sequence[Program],
    restore: int | None = None,
    llama_cpp: int | None = None,
    tell: Callable[[str, str], None] = lambda file, program: None,
) -> list[Result]:
    """Measure every program on every file, or take what was measured before.

    Our programs take a large file in blocks of `pipeline.options.BLOCK`, each measured and
    stored on its own, so that a run of days can be cut. A block costs the same as a
    frame of one large file does, and some 60 bytes more.

    Args:
        files: contents by name.
        restore: of a larger file ours restore only the first so many bytes, compressed with
            the settings for the whole of it, and `decompress_seconds` is estimated from them;
            0 = no program restores anything, and it is None.
        llama_cpp: larger files than this are left out for ours with that backend.
        tell: called with file and program before each measurement.

    Returns:
        `file`, `group` (`groups.GROUPS`), `size`, `program`, `ours`, `needs` (see `Program`),
        `compressed` in bytes, `compress_seconds`, `decompress_seconds`.
    """
    results = []
    warm: set[str] = set()
    for file, data in files.items():
        for program in programs:
            if llama_cpp is not None and len(data) > llama_cpp and "llama.cpp" in program.name:
                continue
            tell(file, program.name)
            step = BLOCK if program.is_ours else max(len(data), 1)
            parts = [
                _measure_once(data[begin : begin + step], program, restore, warm)
                for begin in range(0, max(len(data), 1), step)
            ]
            results.append(_joined(file, data, program, parts, restore))
    return results


def _measure_once(data: bytes, program: Program, restore: int | None, warm: set[str]) -> Result:
    """Measure a part of a file unless that was done before.

    Args:
        warm: programs of ours that need no warming up; added to.
    """

    def run() -> Result:
        if program.is_ours and program.name not in warm:
            program.decompress(program.compress(WARM_UP))
            warm.add(program.name)
        return _measure(data, program, restore)

    digest = hashlib.sha256(data).hexdigest()[:12]
    name = "".join(c if c.isalnum() else "-" for c in program.name)
    ways = {None: "", 0: "-in"}.get(restore, f"-{restore}")
    return cached(f"compare-{digest}-{name}{ways}", run, program.is_ours)


def _joined(
    file: str, data: bytes, program: Program, parts: list[Result], restore: int | None
) -> Result:
    """The result for a file, of those for its parts."""

    def total(name: str) -> Any:
        return sum(part[name] for part in parts)

    return {
        "file": file,
        "group": group_of(file, data),
        "size": len(data),
        "program": program.name,
        "ours": program.is_ours,
        "needs": program.needs,
        "compressed": total("compressed"),
        "compress_seconds": total("compress_seconds"),
        "decompress_seconds": total("decompress_seconds") if restore != 0 else None,
    }


def _measure(data: bytes, program: Program, restore: int | None) -> Result:
    """Raises AssertionError if the restored bytes differ."""
    enough = 0.0 if program.is_ours else ENOUGH_SECONDS
    packed, seconds = _timed(program.compress, data, enough)
    restoring = None
    if restore != 0:
        part, packed_part = data, packed
        if restore and restore < len(data) and program.compress_start:
            part = data[:restore]
            packed_part = program.compress_start(part, len(data))
        restored, restoring = _timed(program.decompress, packed_part, enough)
        if restored != part:
            raise AssertionError(f"{program.name}: the restored bytes differ")
        restoring *= len(data) / max(len(part), 1)
    return {
        "compressed": len(packed),
        "compress_seconds": seconds,
        "decompress_seconds": restoring,
    }


def _timed(work: Callable[[bytes], bytes], data: bytes, enough: float) -> tuple[bytes, float]:
    """Result, and seconds of the quickest run."""
    best, spent = float("inf"), 0.0
    while True:
        begin = time.perf_counter()
        result = work(data)
        seconds = time.perf_counter() - begin
        best, spent = min(best, seconds), spent + seconds
        if spent >= enough:
            return result, best


def bpb(result: Result) -> float:
    """Bits per byte of the original, every byte of the compressed file counted."""
    return 8 * result["compressed"] / max(result["size"], 1)


def total(results: Sequence[Result], program: str) -> Result:
    """All files of a program together; `is_whole`: were these all files there are?"""
    mine = [result for result in results if result["program"] == program]
    restored = all(result["decompress_seconds"] is not None for result in mine)
    return {
        "file": "all",
        "program": program,
        "ours": mine[0]["ours"],
        "needs": mine[0]["needs"],
        "is_whole": len(mine) == len({result["file"] for result in results}),
        "size": sum(r["size"] for r in mine),
        "compressed": sum(r["compressed"] for r in mine),
        "compress_seconds": sum(r["compress_seconds"] for r in mine),
        "decompress_seconds": sum(r["decompress_seconds"] for r in mine) if restored else None,
    }
