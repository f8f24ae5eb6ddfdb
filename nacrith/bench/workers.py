"""Processes against one process, on the same text, in one run."""

import io
import resource
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from nacrith.bench.texts import alice
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.workers.processes import process_workers
from predictors.language_models.numerics import available_threads


def measure_workers(backend: str, n_bytes: int, rounds: int) -> dict[str, Any]:
    """Seconds to compress and restore two frames of `n_bytes` each of alice29.txt.

    Two processes of one thread each, against one process of two threads and one of one
    thread, in turn; the least time of each counts. Starting the processes is part of it.
    """
    text = alice()[: 2 * n_bytes]
    options = CompressOptions(backend=backend, streams=1, block_size=n_bytes)
    shapes = {"1 x 1": (1, 1), "1 x 2": (1, 2), "2 x 1": (2, 1)}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in shapes}
    files = set()
    for _ in range(rounds):
        for name, (count, threads) in shapes.items():
            packed, restored = io.BytesIO(), io.BytesIO()
            begin = time.perf_counter()
            with closing(process_workers(count, threads)) as workers:
                compress_stream(io.BytesIO(text), packed, options, len(text), workers=workers)
            middle = time.perf_counter()
            with closing(process_workers(count, threads)) as workers:
                decompress_stream(io.BytesIO(packed.getvalue()), restored, workers=workers)
            times[name].append((middle - begin, time.perf_counter() - middle))
            if restored.getvalue() != text:
                raise AssertionError("the restored text differs")
            files.add(packed.getvalue())
    return {
        "backend": backend,
        "bytes": len(text),
        "processors": available_threads(),
        "rounds": rounds,
        "files": len(files),
        "peak_memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        **{
            name: {"compress": min(t[0] for t in found), "decompress": min(t[1] for t in found)}
            for name, found in times.items()
        },
    }


def print_workers(results: Sequence[dict[str, Any]]) -> None:
    """Show the results as a Markdown table."""
    print("| backend | | 1 x 1 thread, s | 1 x 2 | 2 x 1 | 2 x 1 against 1 x 1 | against 1 x 2 |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for r in results:
        for side in ("compress", "decompress"):
            one, threads, two = (r[name][side] for name in ("1 x 1", "1 x 2", "2 x 1"))
            print(
                f"| {r['backend']} | {side} | {one:.1f} | {threads:.1f} | {two:.1f} "
                f"| {one / two:.2f} | {threads / two:.2f} |"
            )
        print(f"  {r['files']} different files, peak {r['peak_memory'] / 2**20:.0f} MiB a process")
