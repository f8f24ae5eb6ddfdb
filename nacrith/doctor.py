"""What this machine can do for nacrith, with a short measurement."""

import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacrith import __version__
from nacrith.codec.loaded_models import load_model
from nacrith.format.numerics import NumericsRecord
from nacrith.models.catalog import describe
from nacrith.models.corrections import corrected, default_corrected, short_name
from nacrith.pipeline.presets import DEFAULT
from nacrith.plural import counted
from nacrith.system.resources import available_memory, gpus, total_memory
from nacrith.workers.choose import WORKER_MEMORY, worker_count
from predictors.base import LanguageModel
from predictors.language_models.numerics import available_threads, this_machine

BYTES_PER_TOKEN = 4.2
"""Of English prose, behind the transforms (alice29.txt, plrabn12.txt and lcet10.txt)."""

_GIB = 1 << 30


@dataclass(frozen=True)
class Finding:
    """Something that was looked at.

    Attributes:
        key: its name in JSON, which does not change.
        value: what was found, JSON-ready.
        lines: the same for people: what was looked at, and what was found.
    """

    key: str
    value: Any
    lines: tuple[tuple[str, str], ...]


def examine(
    model: Path | None = None, backend: str = "auto", seconds: float = 2
) -> Iterator[Finding]:
    """Look at the program, the machine, and the model; measure how fast it is.

    Args:
        seconds: time for the measurement.

    Raises:
        NacrithError: no model, or one that does not load.
    """

    def line(key: str, value: Any, text: str, name: str = "") -> Finding:
        return Finding(key, value, ((name or key, text),))

    python, system = platform.python_version(), platform.system()
    version = {"version": __version__, "python": python, "system": system}
    yield line("nacrith", version, f"{__version__}, Python {python}, {system}")
    threads, kernels = available_threads(), _instructions()
    processor = {"architecture": this_machine(), "threads": threads, "kernels": kernels}
    yield line("processor", processor, f"{this_machine()}, {counted(threads, 'thread')}, {kernels}")
    free, total = available_memory(), total_memory()
    yield line(
        "memory",
        {"available": free, "total": total},
        f"{free / _GIB:.1f} GiB available of {total / _GIB:.1f}",
    )
    cards = gpus()
    names = [f"{gpu.name}, {gpu.free / _GIB:.0f} GiB free" for gpu in cards]
    yield line(
        "gpus",
        [vars(gpu) for gpu in cards],
        "; ".join(names) or "none (the exact backend runs on the processor)",
        "GPUs",
    )
    count = worker_count()
    share = max(1, threads // count)
    workers = {"count": count, "threads": share, "memory": WORKER_MEMORY}
    yield line(
        "workers",
        workers,
        f"{count} for a file of {counted(count, 'frame')} or more, each with "
        f"{counted(share, 'thread')} and about {WORKER_MEMORY / _GIB:.0f} GiB",
    )
    file = corrected(describe(model)) if model else default_corrected()
    found = {"name": file.name, "sha256": file.sha256, "path": str(file.path)}
    yield line("model", found, f"{file.name}, sha256 {file.sha256[:16]}..., {file.path}")
    correction = short_name(file.correction)
    yield line("correction", correction or None, correction or "none")
    loaded = load_model(backend, file.path, threads, file.correction)
    try:
        numerics = str(NumericsRecord(**vars(loaded.numerics)))
        yield line("numerics", numerics, numerics)
        speeds, lines = [], []
        for streams in (1, 8, DEFAULT.cutting.most):
            rate = tokens_per_second(loaded, streams, seconds / 2)
            bytes_per_second = rate * BYTES_PER_TOKEN
            speeds.append({
                "streams": streams,
                "tokens_per_second": round(rate, 1),
                "bytes_per_second": round(bytes_per_second),
            })  # fmt: skip
            text = (
                f"{bytes_per_second / 1000:.1f} kB/s of English, {rate:.0f} tokens/s of the model "
                "alone"
            )
            lines.append((f"speed, {counted(streams, 'stream')}", text))
        yield Finding("speed", speeds, tuple(lines))
    finally:
        loaded.close()


def _instructions() -> str:
    from predictors.language_models.exact.tiles import VNNI_LANES

    return f"products of bytes, {4 * VNNI_LANES} at once" if VNNI_LANES else "products of words"


def tokens_per_second(model: LanguageModel, streams: int, seconds: float) -> float:
    """Speed of the steps of decoding, after one that compiles and warms up."""
    session = model.open(streams, DEFAULT.parameters.window, DEFAULT.parameters.sinks)
    # Streams that read the same would share what is computed.
    tokens = model.vocabulary.token_of_symbol[-streams:].copy()
    session.step(tokens)
    begin = time.perf_counter()
    n = 0
    while time.perf_counter() - begin < seconds:
        session.step(tokens)
        n += streams
    elapsed = time.perf_counter() - begin
    session.close()
    return n / elapsed
