"""How many tokens a second a model decodes, without the predictors."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nacrith.backends import EXACT
from nacrith.codec.loaded_models import load_model
from nacrith.pipeline.presets import DEFAULT
from nacrith.system.devices import CUDA
from predictors.base import LanguageModel
from predictors.language_models.correction.file_head import CorrectionFile


def tokens_per_second(model: LanguageModel, streams: int, seconds: float) -> float:
    """Speed of the steps of decoding, after one that compiles and warms up."""
    session = model.open(streams, DEFAULT.parameters.window, DEFAULT.parameters.sinks)
    # Streams that read the same would share what is computed.
    tokens = np.resize(model.vocabulary.token_of_symbol[-streams:], streams)
    session.step(tokens)
    begin = time.perf_counter()
    n = 0
    while time.perf_counter() - begin < seconds:
        session.step(tokens)
        n += streams
    elapsed = time.perf_counter() - begin
    session.close()
    return n / elapsed


def speeds_on_gpu(
    path: Path, correction: CorrectionFile | None, streams: Sequence[int], seconds: float
) -> list[float]:
    """`tokens_per_second` of the exact model for each number of streams, on this process's GPU.

    Raises:
        DeviceError: it can't be used.
    """
    model = load_model(EXACT, path, 0, correction, CUDA)
    try:
        return [tokens_per_second(model, n, seconds) for n in streams]
    finally:
        model.close()
