"""What this machine can do for nacrith, with a short measurement."""

import platform
from collections.abc import Iterator
from pathlib import Path

from nacrith import __version__
from nacrith.backends import EXACT
from nacrith.codec.loaded_models import first_line, load_model
from nacrith.errors import DeviceError
from nacrith.format.numerics import NumericsRecord
from nacrith.model_speed import SpeedOfGpu, speed_of_gpu, tokens_per_second
from nacrith.models.catalog import ModelFile, describe
from nacrith.models.corrections import corrected, default_corrected, short_name
from nacrith.pipeline.presets import DEFAULT
from nacrith.system.gpus import Gpu, find_gpus
from nacrith.system.resources import available_memory
from nacrith.workers.counting import WORKER_MEMORY, worker_count
from nacrith.workers.gpu_choice import check_pytorch
from nacrith.workers.place import gpu_places
from nacrith.workers.processes import ProcessPool
from predictors.base import LanguageModel
from predictors.language_models.numerics import available_threads, this_machine

_STREAMS_OF_GPU = (64, 256, 1024)
"""Of these, as many as fit are measured."""


def examine(
    model: Path | None = None, backend: str = "auto", seconds: float = 2
) -> Iterator[tuple[str, str]]:
    """Yield pairs of what was looked at and what was found.

    Args:
        seconds: time for the measurement, of the processor and of each GPU.

    Raises:
        NacrithError: no model, or one that does not load.
    """
    yield "nacrith", f"{__version__}, Python {platform.python_version()}, {platform.system()}"
    threads = available_threads()
    yield "processor", f"{this_machine()}, {threads} threads, {_instructions()}"
    yield "memory", f"{available_memory() / 2**30:.1f} GiB available"
    gpus, problem = _gpus()
    if problem:
        yield "GPUs", f"none, the model runs on the processor ({problem})"
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
            yield _of_streams("speed", streams), _told(rate)
        for gpu in gpus:
            yield from _examine_gpu(gpu, loaded, file, seconds)
    finally:
        loaded.close()


def _instructions() -> str:
    from predictors.language_models.exact.tiles import VNNI_LANES

    return f"products of bytes, {4 * VNNI_LANES} at once" if VNNI_LANES else "products of words"


def _gpus() -> tuple[list[Gpu], str]:
    """The GPUs there are, or what keeps them from being found."""
    try:
        return find_gpus(), ""
    except DeviceError as error:
        return [], str(error)


def _examine_gpu(
    gpu: Gpu, loaded: LanguageModel, file: ModelFile, seconds: float
) -> Iterator[tuple[str, str]]:
    """Yield what a GPU has, and how fast it is with the exact backend."""
    name = f"GPU {gpu.index}"
    memory = f"{gpu.free / 2**30:.1f} of {gpu.total / 2**30:.1f} GiB free"
    if loaded.numerics.backend != EXACT:
        yield name, f"{gpu.name}, {memory}; the exact backend, which is for it, is not used here"
        return
    try:
        check_pytorch()
        found = _measured(gpu, file, seconds)
    except Exception as error:
        yield name, f"{gpu.name}, {memory}; not measured: {first_line(error)}"
        return
    window = DEFAULT.parameters.window
    yield name, f"{gpu.name}, {memory}: {found.most_streams} streams of {window} tokens"
    for streams, rate in found.rates.items():
        yield _of_streams(name, streams), _told(rate)


def _measured(gpu: Gpu, file: ModelFile, seconds: float) -> SpeedOfGpu:
    """Measure in a process that has the GPU, as those have that code frames."""
    pool = ProcessPool(gpu_places([gpu], 1, available_threads()))
    try:
        call = (speed_of_gpu, file.path, file.correction, _STREAMS_OF_GPU, seconds)
        found: SpeedOfGpu = pool.submit(*call).result()
        return found
    finally:
        pool.shutdown()


def _of_streams(what: str, streams: int) -> str:
    return f"{what}, {streams} stream" + "s" * (streams != 1)


def _told(rate: float) -> str:
    return f"{rate:.0f} tokens/s of the model alone"
