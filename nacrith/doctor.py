"""What this machine can do for nacrith, with a short measurement."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacrith import __version__
from nacrith.backends import EXACT
from nacrith.codec.loaded_models import first_line, load_model
from nacrith.errors import DeviceError
from nacrith.format.numerics import NumericsRecord
from nacrith.model_speed import SpeedOfGpu, speed_of_gpu, tokens_per_second
from nacrith.models.catalog import ModelFile, describe
from nacrith.models.corrections import corrected, default_corrected, short_name
from nacrith.pipeline.presets import DEFAULT
from nacrith.plural import counted
from nacrith.system.gpus import Gpu, find_gpus
from nacrith.system.resources import available_memory, total_memory
from nacrith.workers.counting import WORKER_MEMORY, share_of, worker_count
from nacrith.workers.gpu_choice import check_pytorch
from nacrith.workers.place import gpu_places
from nacrith.workers.processes import ProcessPool
from predictors.base import LanguageModel
from predictors.language_models.numerics import available_threads, this_machine

_STREAMS_OF_GPU = (64, 256, 1024)
"""Of these, as many as fit are measured."""

BYTES_PER_TOKEN = 4.2
"""Of English prose, behind the transforms (alice29.txt, plrabn12.txt and lcet10.txt)."""

_GIB = 1 << 30

Line = tuple[str, str]
"""What was looked at, and what was found, for people."""


@dataclass(frozen=True)
class Finding:
    """Something that was looked at.

    Attributes:
        key: its name in JSON, which does not change.
        value: what was found, JSON-ready.
        lines: the same for people.
    """

    key: str
    value: Any
    lines: tuple[Line, ...]


def examine(
    model: Path | None = None, backend: str = "auto", seconds: float = 2
) -> Iterator[Finding]:
    """Look at the program, the machine, and the model; measure how fast it is.

    Args:
        seconds: time for the measurement, of the processor and of each GPU.

    Raises:
        NacrithError: no model, or one that does not load.
    """

    def line(key: str, value: Any, text: str) -> Finding:
        return Finding(key, value, ((key, text),))

    python, system = platform.python_version(), platform.system()
    version = {"version": __version__, "python": python, "system": system}
    yield line("nacrith", version, f"{__version__}, Python {python}, {system}")
    threads, kernels = available_threads(), _instructions()
    processor = {"architecture": this_machine(), "threads": threads, "kernels": kernels}
    yield line("processor", processor, f"{this_machine()}, {counted(threads, 'thread')}, {kernels}")
    free, total = available_memory(), total_memory()
    text = f"{free / _GIB:.1f} GiB available of {total / _GIB:.1f}"
    yield line("memory", {"available": free, "total": total}, text)
    gpus, problem = _gpus()
    if problem:
        text = f"none, the model runs on the processor ({problem})"
        yield Finding("gpus", [], (("GPUs", text),))
    count = worker_count()
    share = share_of(0, count)
    workers = {"count": count, "threads": share, "memory": WORKER_MEMORY}
    yield line(
        "workers",
        workers,
        f"{count} for a file of {counted(count, 'frame')} or more, each with "
        f"{counted(share, 'thread')} and about {WORKER_MEMORY / _GIB:.1f} GiB",
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
        speeds, lines = _speeds(
            "speed",
            {
                streams: tokens_per_second(loaded, streams, seconds / 2)
                for streams in (1, 8, DEFAULT.cutting.most)
            },
        )
        yield Finding("speed", speeds, lines)
        if gpus:
            examined = [_examine_gpu(gpu, loaded, file, seconds) for gpu in gpus]
            values = [value for value, _ in examined]
            yield Finding("gpus", values, tuple(line for _, lines in examined for line in lines))
    finally:
        loaded.close()


def _instructions() -> str:
    from predictors.language_models.exact.panels import VNNI_LANES

    return f"products of bytes, {4 * VNNI_LANES} at once" if VNNI_LANES else "products of words"


def _gpus() -> tuple[list[Gpu], str]:
    """The GPUs there are, or what keeps them from being found."""
    try:
        return find_gpus(), ""
    except DeviceError as error:
        return [], str(error)


def _examine_gpu(
    gpu: Gpu, loaded: LanguageModel, file: ModelFile, seconds: float
) -> tuple[dict[str, Any], list[Line]]:
    """What a GPU has, and how fast it is with the exact backend."""
    name = f"GPU {gpu.index}"
    memory = f"{gpu.name}, {gpu.free / _GIB:.1f} of {gpu.total / _GIB:.1f} GiB free"
    value: dict[str, Any] = {
        **vars(gpu), "most_streams": None, "speed": [], "problem": None,
    }  # fmt: skip
    if loaded.numerics.backend != EXACT:
        problem = "the exact backend, which is for it, is not used here"
        return {**value, "problem": problem}, [(name, f"{memory}; {problem}")]
    try:
        check_pytorch()
        found = _measured(gpu, file, seconds)
    except Exception as error:
        problem = f"not measured: {first_line(error)}"
        return {**value, "problem": problem}, [(name, f"{memory}; {problem}")]
    window = DEFAULT.parameters.window
    speeds, lines = _speeds(name, found.rates)
    value |= {"most_streams": found.most_streams, "speed": speeds}
    most = f"{memory}: {counted(found.most_streams, 'stream')} of {window} tokens"
    return value, [(name, most), *lines]


def _measured(gpu: Gpu, file: ModelFile, seconds: float) -> SpeedOfGpu:
    """Measure in a process that has the GPU, as those have that code frames."""
    pool = ProcessPool(gpu_places([gpu], 1, available_threads()))
    try:
        call = (speed_of_gpu, file.path, file.correction, _STREAMS_OF_GPU, seconds)
        found: SpeedOfGpu = pool.submit(*call).result()
        return found
    finally:
        pool.shutdown()


def _speeds(what: str, rates: dict[int, float]) -> tuple[list[dict[str, Any]], tuple[Line, ...]]:
    """Tokens a second by the number of streams, for programs and for people."""
    values, lines = [], []
    for streams, rate in rates.items():
        bytes_per_second = rate * BYTES_PER_TOKEN
        values.append({
            "streams": streams,
            "tokens_per_second": round(rate, 1),
            "bytes_per_second": round(bytes_per_second),
        })  # fmt: skip
        text = (
            f"{bytes_per_second / 1000:.1f} kB/s of English, {rate:.0f} tokens/s of the model alone"
        )
        lines.append((f"{what}, {counted(streams, 'stream')}", text))
    return values, tuple(lines)
