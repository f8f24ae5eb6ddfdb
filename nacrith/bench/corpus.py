"""Whole files through the whole pipeline, both directions, beside other compressors."""

import bz2
import gzip
import io
import lzma
import time
from collections.abc import Sequence
from typing import Any

from nacrith.bench.cross_entropy import cross_entropy_of
from nacrith.bench.store import cached
from nacrith.bench.texts import canterbury, corpus_files, enwik8, unseen
from nacrith.format.parameters import Parameters
from nacrith.models.corrections import default_corrected
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from predictors.language_models.exact.model import ExactModel

Result = dict[str, Any]


def run_corpus(
    name: str,
    n_bytes: int = 1_000_000,
    only: Sequence[str] = (),
    streams: int = 0,
    window: int = Parameters.window,
    both_ways: bool = True,
) -> list[Result]:
    """Measure each file (shortest first), or take what was measured before.

    `both_ways`: else the files are only compressed, and `decompress_seconds` is None.
    """
    files = {f"enwik8-{n_bytes}": enwik8(n_bytes)} if name == "enwik8" else corpus_files(name)
    results = []
    for file, data in sorted(files.items(), key=lambda item: len(item[1])):
        if only and file not in only:
            continue
        key = f"corpus-{file}-streams{streams}-window{window}{'' if both_ways else '-in'}"

        def run(f: str = file, d: bytes = data) -> Result:
            return measure(f, d, streams, window, both_ways)

        result = cached(key, run)
        results.append(result)
    return results


def measure(file: str, data: bytes, streams: int, window: int, both_ways: bool) -> Result:
    """Compress and (`both_ways`) restore `data`; sizes in bytes, times in seconds.

    Raises:
        AssertionError: the restored bytes differ.
    """
    options = CompressOptions(parameters=Parameters(window=window), streams=streams)
    packed, restored = io.BytesIO(), io.BytesIO()
    begin = time.perf_counter()
    summary = compress_stream(io.BytesIO(data), packed, options, len(data))
    middle = time.perf_counter()
    if both_ways:
        decompress_stream(io.BytesIO(packed.getvalue()), restored)
        if restored.getvalue() != data:
            raise AssertionError(f"{file}: the restored bytes differ")
    end = time.perf_counter()
    return {
        "file": file,
        "size": len(data),
        "nacrith": summary.compressed,
        "tokens": summary.tokens,
        "streams": streams,
        "window": window,
        "compress_seconds": middle - begin,
        "decompress_seconds": end - middle if both_ways else None,
        "gzip": len(gzip.compress(data, 9)),
        "bzip2": len(bz2.compress(data, 9)),
        "xz": len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
    }


def measure_alone(file: str) -> dict[str, float]:
    """`bits` of a file (`alice29.txt`, `enwik8-1000000`) with the model and an ideal coder."""
    if file.startswith("enwik8"):
        text = enwik8(int(file.split("-")[1]))
    else:
        text = (canterbury() | unseen())[file]
    used = default_corrected()
    model = ExactModel(used.path, correction=used.correction)
    bits = cross_entropy_of(model, text, Parameters())
    model.close()
    return {"bits": bits}


def bpb(result: Result, compressor: str) -> float:
    """Bits per byte of the original, every byte of the compressed file counted."""
    return 8 * result[compressor] / result["size"]


def print_table(results: Sequence[Result]) -> None:
    """Show results on the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="bits per byte, every byte of the file counted; all restored equal")
    for column in ("file", "bytes", "gzip -9", "bzip2 -9", "xz -9e", "nacrith", "streams",
                   "tokens/s in", "out"):  # fmt: skip
        table.add_column(column, justify="left" if column == "file" else "right")
    for r in results:
        table.add_row(
            r["file"],
            str(r["size"]),
            *(f"{bpb(r, c):.3f}" for c in ("gzip", "bzip2", "xz", "nacrith")),
            str(r["streams"] or "-"),
            *(
                f"{r['tokens'] / r[side]:.0f}" if r["tokens"] and r[side] else "-"
                for side in ("compress_seconds", "decompress_seconds")
            ),
        )
    Console(width=110).print(table)
