"""The exact backend beside llama.cpp and float32: bits lost, speed, and how near the ceiling."""

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.bench.cross_entropy import cross_entropy, cross_entropy_of_tokens
from nacrith.bench.texts import alice, enwik8
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import default_model
from predictors.base import IntArray, LanguageModel
from predictors.language_models.exact.byte_tiles import MAX_BYTE_ROWS
from predictors.language_models.exact.model import ExactModel
from predictors.language_models.exact.outliers import packed_bytes
from predictors.language_models.exact.panels import (
    COLUMNS,
    PANELS,
    QUAD,
    QUAD_BYTES,
    ROW_BYTES,
    TILE_COLUMNS,
)
from predictors.language_models.exact.product import multiply_byte_tile
from predictors.language_models.llama_cpp import LlamaCppModel
from predictors.language_models.transformers_lm import TransformersModel

WINDOW = 1024
"""Positions of context, in tokens."""


def measure_loss(windows: int) -> dict[str, dict[str, float]]:
    """Bits a token with the float32 logits of PyTorch, the exact ones, and llama.cpp's.

    By text: windows of `WINDOW` tokens, spread over it, each read from its beginning.
    """
    path = default_model().path
    models: dict[str, LanguageModel] = {
        "float32": TransformersModel.from_gguf(path),
        "exact": ExactModel(path),
        "llama.cpp": LlamaCppModel(path),
    }
    texts = {"alice29.txt": alice().replace(b"\r\n", b"\n"), "enwik8": enwik8(200_000)}
    found = {}
    for name, text in texts.items():
        bits = dict.fromkeys(models, 0.0)
        vocabulary = models["exact"].vocabulary
        tokens = vocabulary.token_of_symbol[vocabulary.encode(text)]
        for begin in np.linspace(0, len(tokens) - WINDOW, windows).astype(int):
            part = tokens[begin : begin + WINDOW]
            for backend, model in models.items():
                bits[backend] += _bits(model, part) / windows / WINDOW
        found[name] = bits
    for model in models.values():
        model.close()
    return found


def _bits(model: LanguageModel, tokens: IntArray) -> float:
    if not isinstance(model, TransformersModel):
        return cross_entropy_of_tokens(model, tokens, Parameters(window=WINDOW))
    # All at once: step by step PyTorch would take minutes.
    fed = np.concatenate([[model.vocabulary.start_token], tokens[:-1]]).astype(np.int32)
    rows = model.logits_of(fed)
    return sum(cross_entropy(row, int(t)) for row, t in zip(rows, tokens, strict=True))


def measure_decoding(streams: int, steps: int) -> dict[str, Any]:
    """Tokens/s of steps without anything else, at the beginning and `steps` positions deep."""
    tokens = np.random.default_rng(0).integers(100, 40_000, (steps, streams)).astype(np.int32)
    found: dict[str, Any] = {"streams": streams}
    path = default_model().path
    for name, model in (("llama.cpp", LlamaCppModel(path)), ("exact", ExactModel(path))):
        session = model.open(streams, WINDOW, Parameters().sinks)
        session.step(tokens[0])
        session.reset()
        seconds = []
        for row in tokens:
            begin = time.perf_counter()
            session.step(row)
            seconds.append(time.perf_counter() - begin)
        tenth = max(1, steps // 10)
        found[name] = [
            streams / float(np.median(part)) for part in (seconds[:tenth], seconds[-tenth:])
        ]
        session.close()
        model.close()
    return found


@njit(nogil=True)
def _repeat(
    panels: npt.NDArray[np.int8],
    packed: npt.NDArray[np.uint8],
    sums: npt.NDArray[np.int32],
    size: int,
    times: int,
) -> None:
    stride = size // QUAD * QUAD_BYTES
    for _ in range(times):
        for tile in range(len(panels) // PANELS):
            multiply_byte_tile(
                MAX_BYTE_ROWS, panels.ctypes.data + PANELS * tile * stride, stride, size // QUAD,
                packed.ctypes.data, packed.shape[1], size, sums.ctypes.data, ROW_BYTES,
                panels.ctypes.data + PANELS * tile * stride, stride,
            )  # fmt: skip


def measure_ceiling() -> dict[str, float]:
    """Multiply-accumulates of an int8 weight and a value of a row, in 10**9 per second.

    `ceiling`: the kernel alone on one core, everything in its caches, without wide values.
    `encode`: what the whole forward pass reaches on all cores with 64 tokens at once.
    """
    size, panels = 576, 16
    weights = np.ones((panels, size // QUAD, COLUMNS, QUAD), dtype=np.int8)
    packed = np.zeros((MAX_BYTE_ROWS, packed_bytes(size)), dtype=np.uint8)
    sums = np.zeros((MAX_BYTE_ROWS, TILE_COLUMNS), dtype=np.int32)
    _repeat(weights, packed, sums, size, 1)
    best = min(_timed(lambda: _repeat(weights, packed, sums, size, 500)) for _ in range(5))
    model = ExactModel(default_model().path)
    s = model.shape
    session = model.open(1, WINDOW, Parameters().sinks, ahead=64)
    tokens = np.random.default_rng(0).integers(100, 40_000, (64, 1)).astype(np.int32)
    session.evaluate(tokens)

    def window() -> None:
        session.reset()
        for _ in range(8):
            session.evaluate(tokens)

    seconds = min(_timed(window) for _ in range(3)) / 512
    attended = s.heads * s.head_size
    products = s.layers * (
        s.width * (attended + 2 * s.kv_heads * s.head_size)
        + attended * s.width
        + 3 * s.width * s.ffn_size
    )
    products += s.width * s.vocabulary
    # On average 256 positions are seen, twice: keys and values.
    products += s.layers * 2 * 256 * attended
    model.close()
    return {
        "ceiling": 500 * MAX_BYTE_ROWS * panels * COLUMNS * size / best / 1e9,
        "encode": products / seconds / 1e9,
        "tokens": 1 / seconds,
        "threads": model.team.threads,
    }


def _timed(work: Any) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
