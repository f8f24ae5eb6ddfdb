"""What limits the model on this machine: reading memory, and multiplying bytes."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.bench.exact import WINDOW, measure_ceiling
from nacrith.model_speed import tokens_per_second
from nacrith.models.catalog import default_model
from nacrith.models.model_size import model_size
from predictors.language_models.exact.linear import Linear
from predictors.language_models.exact.model import ExactModel
from predictors.language_models.numerics import available_threads

_ARRAY_BYTES = 1 << 29
"""More than any cache holds."""

_ROUNDS = 5


@njit(nogil=True)
def _sum(values: npt.NDArray[np.int64]) -> int:
    total = np.int64(0)
    for i in range(len(values)):
        total += values[i]
    return total


def measure_bandwidth() -> float:
    """Bytes per second that all threads together read from memory; the best of some rounds."""
    parts = np.array_split(np.ones(_ARRAY_BYTES // 8, dtype=np.int64), available_threads())
    _sum(parts[0][:1])
    best = 0.0
    with ThreadPoolExecutor(len(parts)) as pool:
        for _ in range(_ROUNDS):
            begin = time.perf_counter()
            list(pool.map(_sum, parts))
            best = max(best, _ARRAY_BYTES / (time.perf_counter() - begin))
    return best


def measure_limits(streams: tuple[int, ...] = (1, 8, 64), seconds: float = 3) -> dict[str, Any]:
    """How fast the model decodes alone, with full windows, and what both limits would allow.

    Returns:
        `bandwidth`: bytes per second; `products`: multiply-accumulates of an int8 weight and a
        value of a row per second, of all threads; `weights`, `cache`: bytes that a step reads,
        and that it reads besides for each stream; `decoding`: for each number of streams the
        tokens per second with short and with full windows, and which share of each limit they use
        with full ones.
    """
    bandwidth = measure_bandwidth()
    ceiling = measure_ceiling()
    products = 1e9 * ceiling["ceiling"] * ceiling["threads"]
    path = default_model().path
    model = ExactModel(path)
    panels = [w.panels for w in model.weights if isinstance(w, Linear)]
    weights = sum(p.nbytes for p in panels)
    step_products = sum(p.size for p in panels)
    cache = WINDOW * model_size(path).position
    decoding = []
    for n in streams:
        rate = tokens_per_second(model, n, seconds, WINDOW)
        decoding.append({
            "streams": n,
            "rate_at_first": tokens_per_second(model, n, seconds),
            "rate": rate,
            "of_bandwidth": rate / n * (weights + n * cache) / bandwidth,
            "of_products": rate * step_products / products,
        })  # fmt: skip
    model.close()
    return {
        "bandwidth": bandwidth,
        "products": products,
        "window": WINDOW,
        "weights": weights,
        "cache": cache,
        "decoding": decoding,
    }
