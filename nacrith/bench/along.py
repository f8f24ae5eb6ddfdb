"""Bits per token along a text, for the plot that shows what the window's slides cost."""

import hashlib
import io
from typing import Any

import numpy as np

from nacrith.bench.store import cached
from nacrith.codec.token_log import Observer, observed_by
from nacrith.format.parameters import Parameters
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.options import CompressOptions

MEAN_OVER_TOKENS = 128
"""What a point of the plot is the mean of."""


def measure_along(file: str, text: bytes, backend: str) -> dict[str, Any]:
    """One stream with the default window; or what was measured before.

    Returns:
        `file`, `backend`, `window`; `tokens`, `model` and `coded`: the middle of each run of
        `MEAN_OVER_TOKENS` tokens, and its mean bits a token with the model alone and as coded.
    """

    def measure() -> dict[str, Any]:
        observer = Observer()
        options = CompressOptions(backend=backend, streams=1)
        with observed_by(observer):
            compress_stream(io.BytesIO(text), io.BytesIO(), options, len(text))
        bits = observer.logs[0].rows()["bits"]
        n = len(bits) // MEAN_OVER_TOKENS
        means = bits[: n * MEAN_OVER_TOKENS].reshape(n, MEAN_OVER_TOKENS, -1).mean(axis=1)
        return {
            "file": file,
            "backend": backend,
            "window": Parameters.window,
            "tokens": ((np.arange(n) + 0.5) * MEAN_OVER_TOKENS).tolist(),
            "model": means[:, 0].round(4).tolist(),
            "coded": means[:, 2].round(4).tolist(),
        }

    digest = hashlib.sha256(text).hexdigest()[:12]
    return cached(f"along-{digest}-{backend}", measure)
