"""What this machine can do for nacrith, with a short measurement."""

import platform
import time
from collections.abc import Iterator
from pathlib import Path

from nacrith import __version__
from nacrith.codec.loaded_models import load_model
from nacrith.format.numerics import NumericsRecord
from nacrith.models.catalog import describe
from nacrith.models.corrections import corrected, default_corrected, short_name
from nacrith.pipeline.presets import DEFAULT
from nacrith.system.resources import available_memory, gpus
from nacrith.workers.choose import WORKER_MEMORY, worker_count
from predictors.base import LanguageModel
from predictors.language_models.numerics import available_threads, this_machine


def examine(
    model: Path | None = None, backend: str = "auto", seconds: float = 2
) -> Iterator[tuple[str, str]]:
    """Yield pairs of what was looked at and what was found.

    Args:
        seconds: time for the measurement.

    Raises:
        NacrithError: no model, or one that does not load.
    """
    yield "nacrith", f"{__version__}, Python {platform.python_version()}, {platform.system()}"
    threads = available_threads()
    yield "processor", f"{this_machine()}, {threads} threads, {_instructions()}"
    yield "memory", f"{available_memory() / 2**30:.1f} GiB available"
    found = [f"{gpu.name}, {gpu.free / 2**30:.0f} GiB free" for gpu in gpus()]
    yield "GPUs", "; ".join(found) or "none (the exact backend runs on the processor)"
    count = worker_count()
    yield (
        "workers",
        f"{count} for a file of {count} or more frames, each with {max(1, threads // count)} "
        f"threads and about {WORKER_MEMORY / 2**30:.0f} GiB",
    )
    file = corrected(describe(model)) if model else default_corrected()
    yield "model", f"{file.name}, sha256 {file.sha256[:16]}..., {file.path}"
    yield "correction", short_name(file.correction) or "none"
    loaded = load_model(backend, file.path, threads, file.correction)
    try:
        yield "numerics", str(NumericsRecord(**vars(loaded.numerics)))
        for streams in (1, 8, DEFAULT.cutting.most):
            rate = tokens_per_second(loaded, streams, seconds / 2)
            yield f"speed, {streams} streams", f"{rate:.0f} tokens/s of the model alone"
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
