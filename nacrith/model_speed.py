"""How many tokens a second a model decodes, without the predictors."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nacrith.backends import EXACT
from nacrith.codec.loaded_models import load_model
from nacrith.pipeline.presets import DEFAULT
from nacrith.system.devices import CUDA
from predictors.base import LanguageModel
from predictors.language_models.correction.file_head import CorrectionFile


def tokens_per_second(model: LanguageModel, streams: int, seconds: float, read: int = 1) -> float:
    """Speed of the steps of decoding, after some that compile and warm up.

    Args:
        read: tokens that each stream has read before, 1 or more. A step takes the longer the more
            there are, until the window is full.
    """
    session = model.open(streams, DEFAULT.parameters.window, DEFAULT.parameters.sinks)
    # Streams that read the same would share what is computed.
    tokens = np.resize(model.vocabulary.token_of_symbol[-streams:], streams)
    session.prefetch(np.tile(tokens, (read, 1)))
    for _ in range(read):
        session.step(tokens)
    begin = time.perf_counter()
    n = 0
    while time.perf_counter() - begin < seconds:
        session.step(tokens)
        n += streams
    elapsed = time.perf_counter() - begin
    session.close()
    return n / elapsed


class SpeedOfGpu(NamedTuple):
    """What the exact model does on a GPU.

    Attributes:
        most_streams: for which the memory that is free is enough, of the default window.
        rates: tokens a second, by the number of streams.
    """

    most_streams: int
    rates: dict[int, float]


def speed_of_gpu(
    path: Path, correction: CorrectionFile | None, streams: Sequence[int], seconds: float
) -> SpeedOfGpu:
    """Measure the exact model on this process's GPU, with as many of the streams as fit.

    Args:
        seconds: for all numbers of streams together.

    Raises:
        DeviceError: it can't be used.
    """
    model = load_model(EXACT, path, 0, correction, CUDA)
    try:
        p = DEFAULT.parameters
        # Backends on a device have it; it is not of the protocol.
        most = int(model.streams_that_fit(p.window, p.sinks))  # type: ignore[attr-defined]
        fitting = [n for n in streams if n <= most] or [most]
        each = seconds / len(fitting)
        return SpeedOfGpu(most, {n: tokens_per_second(model, n, each) for n in fitting})
    finally:
        model.close()
