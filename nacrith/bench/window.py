"""The sliding window against the ideal: the window computed afresh at every slide."""

import time
from typing import Any

import numpy as np

from nacrith.bench.cross_entropy import cross_entropy
from nacrith.bench.texts import alice
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import default_model
from predictors.base import IntArray
from predictors.language_models.llama_cpp import LlamaCppModel, LlamaCppSession
from predictors.language_models.sliding import SLIDE_FRACTION

# Positions computed at once when the window is filled afresh.
_BATCH = 256


def measure_window(n_slides: int, window: int = Parameters.window) -> dict[str, Any]:
    """Code alice29.txt until the window has slid `n_slides` times, in two ways.

    One slides; the other, at each slide, empties the cache and evaluates the start
    token and the kept tokens again. Compared on the tokens after the second slide.

    Returns bits a token of both, and the median seconds of a slide (as the extra
    time of the step it happens in) and of an evaluation of the kept tokens.
    """
    model = LlamaCppModel(default_model().path)
    vocabulary = model.vocabulary
    sinks = Parameters().sinks
    chunk = window // SLIDE_FRACTION
    symbols = vocabulary.encode(alice())[: window + n_slides * chunk]
    tokens = np.concatenate([[vocabulary.start_token], vocabulary.token_of_symbol[symbols]])
    tokens = tokens.astype(np.int32)
    kept = window - chunk

    slid = _Run(model, window, sinks)
    slide_seconds = []
    for i in range(len(tokens) - 1):
        slides = i >= window and (i - window) % chunk == 0
        spent = slid.step(tokens[i], tokens[i + 1])
        if slides:
            slide_seconds.append(spent - float(np.median(slid.seconds[-20:-1])))

    afresh = _Run(model, window, sinks)
    evaluation_seconds = []
    for i in range(len(tokens) - 1):
        if i >= window and (i - window) % chunk == 0:
            begin = time.perf_counter()
            recent = tokens[i - kept + 1 : i]
            afresh.fill(np.concatenate([tokens[:1], recent]))
            evaluation_seconds.append(time.perf_counter() - begin)
        afresh.step(tokens[i], tokens[i + 1])
    model.close()

    after = window + chunk
    return {
        "window": window,
        "slides": len(slide_seconds),
        "tokens": len(slid.bits) - after,
        "slid": float(np.mean(slid.bits[after:])),
        "afresh": float(np.mean(afresh.bits[after:])),
        "slide_seconds": float(np.median(slide_seconds)),
        "evaluation_seconds": float(np.median(evaluation_seconds)),
        "step_seconds": float(np.median(slid.seconds[after:])),
        "chunk": chunk,
    }


class _Run:
    """One session, the bits of each token, and the time of each step."""

    def __init__(self, model: LlamaCppModel, window: int, sinks: int) -> None:
        self._session: LlamaCppSession = model.open(1, window, sinks, _BATCH)
        self.bits: list[float] = []
        self.seconds: list[float] = []

    def step(self, token: np.int32, following: np.int32) -> float:
        begin = time.perf_counter()
        logits = self._session.step(np.array([token], dtype=np.int32))[0]
        self.seconds.append(time.perf_counter() - begin)
        self.bits.append(cross_entropy(logits, int(following)))
        return self.seconds[-1]

    def fill(self, tokens: IntArray) -> None:
        self._session.reset()
        self._session.fill(tokens)
