"""Coding recorded outputs: what the ensemble makes of them, in bits and in time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coder import Encoder
from nacrith.bench.recording import Recording
from nacrith.format.parameters import Parameters
from predictors.ensemble import Ensemble
from predictors.language_models.vocabulary import Vocabulary

# The first tokens compile the kernels.
_UNTIMED = 4


@dataclass(frozen=True)
class Replay:
    """What coding a text took: bytes, tokens, milliseconds a token without the model."""

    size: int
    tokens: int
    milliseconds: float


def replay(
    vocabulary: Vocabulary, recordings: Sequence[Recording], parameters: Parameters
) -> Replay:
    """Code the streams of a frame in lockstep, as `lockstep.code_groups` does."""
    ensemble = Ensemble(
        vocabulary, parameters, len(recordings), sum(len(r.symbols) for r in recordings)
    )
    coder = Encoder()
    n_tokens = int(vocabulary.token_of_symbol.max()) + 1
    streams = [r.steps(vocabulary.token_of_symbol, n_tokens) for r in recordings]
    seconds = 0.0
    tokens = 0
    for step in range(max(len(r.symbols) for r in recordings)):
        for stream, recording in enumerate(recordings):
            if step >= len(recording.symbols):
                continue
            logits, hidden = next(streams[stream])
            begin = time.perf_counter()
            symbol = recording.symbols[step : step + 1].astype(np.int32)
            ensemble.code(coder, stream, logits[None], hidden[None], symbol)
            if tokens >= _UNTIMED:
                seconds += time.perf_counter() - begin
            tokens += 1
    timed = max(tokens - _UNTIMED, 1)
    return Replay(len(coder.finish()), tokens, 1000 * seconds / timed)


def model_alone(recording: Recording) -> float:
    """Bytes of the text under the model's softmax, with an ideal coder."""
    bits = 0.0
    for symbol, distances in zip(recording.symbols, recording.distances, strict=True):
        distance = distances.astype(np.float64) / 8
        bits += distance[symbol] + np.log2(np.exp2(-distance).sum())
    return float(bits / 8)
