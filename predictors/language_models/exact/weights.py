"""From a GGUF to integers: int8 weights in panels, one scale per output row."""

from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from predictors.base import FloatArray
from predictors.language_models.exact.linear import Linear
from predictors.language_models.exact.panels import COLUMNS, OFFSET, PANELS, QUAD, TILE_COLUMNS
from predictors.language_models.exact.rounding import INT8_MAX

if TYPE_CHECKING:
    from predictors.language_models.correction.correction_file import Correction
    from predictors.language_models.exact.gguf_file import Gguf

MAX_ACTIVATION_BITS = 15
"""Activations have at most this many bits and a sign: they are packed as 16-bit numbers."""

_INT32_MAX = (1 << 31) - 1

Weights = namedtuple(
    "Weights",
    "embedding embedding_scale attention_norm ffn_norm output_norm qkv output gate_up down head"
    " epsilon",
)
Weights.__doc__ = """All weights of a model of L layers, V tokens, width E.

embedding: [V, E] int8. embedding_scale: [V] float32. attention_norm, ffn_norm: [L, E] float32.
output_norm: [E] float32. qkv, output, gate_up, down: `Linear` of L layers. head: `Linear` of
one. epsilon: float64, of the normalization.
"""


def quantize(weights: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Round [n, k] float32 to int8 per row: w ≈ integer * scale[n], scale = max |w| / 127."""
    top = np.maximum(weights.max(axis=1), -weights.min(axis=1))
    with np.errstate(divide="ignore"):
        inverse = np.where(top > 0, INT8_MAX / top, np.float32(0))
    scaled = weights * inverse[:, None]
    return np.rint(scaled, out=scaled).astype(np.int8), top / INT8_MAX


def activation_bits(weights: npt.NDArray[np.int8]) -> int:
    """Most bits B ≤ 15 with (2**B - 1) * sum |w| < 2**31 in every row of [rows, columns]."""
    heaviest = int(np.abs(weights).sum(axis=1, dtype=np.int64).max())
    bits = MAX_ACTIVATION_BITS
    while ((1 << bits) - 1) * heaviest > _INT32_MAX:
        bits -= 1
    return bits


def read_weights(file: "Gguf", threads: int, correction: "Correction | None" = None) -> Weights:
    """Read, correct and round all weights; raises ModelError."""
    shape = file.shape
    attended = shape.heads * shape.head_size
    projected = attended + 2 * shape.kv_heads * shape.head_size
    gates = interleaved(shape.ffn_size)
    qkv = _new(shape.layers, projected, shape.width)
    output = _new(shape.layers, shape.width, attended)
    gate_up = _new(shape.layers, len(gates), shape.width)
    down = _new(shape.layers, shape.width, shape.ffn_size)

    def read_layer(layer: int) -> None:
        def joined(matrix: str, *names: str) -> FloatArray:
            parts = [file.tensor(f"blk.{layer}.{name}.weight") for name in names]
            weights = np.concatenate(parts)
            return correction.merged(matrix, layer, weights) if correction else weights

        _fill(qkv, layer, joined("qkv", "attn_q", "attn_k", "attn_v"))
        _fill(output, layer, joined("output", "attn_output"))
        both = np.concatenate([joined("gate_up", "ffn_gate", "ffn_up"), _zeros(1, shape.width)])
        _fill(gate_up, layer, both[gates])
        _fill(down, layer, joined("down", "ffn_down"))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(read_layer, range(shape.layers)))

    embedding = file.tensor("token_embd.weight")
    head = _new(1, shape.vocabulary, shape.width)
    _fill(head, 0, file.tensor("output.weight") if file.has("output.weight") else embedding)
    integers, scale = quantize(embedding)

    def norms(name: str) -> FloatArray:
        return np.stack([file.tensor(f"blk.{i}.{name}.weight") for i in range(shape.layers)])

    return Weights(
        embedding=integers,
        embedding_scale=scale,
        attention_norm=norms("attn_norm"),
        ffn_norm=norms("ffn_norm"),
        output_norm=file.tensor("output_norm.weight"),
        qkv=qkv,
        output=output,
        gate_up=gate_up,
        down=down,
        head=head,
        epsilon=np.float64(np.float32(file.epsilon)),
    )


def without_offsets(weights: Weights) -> Weights:
    """The same weights for rows of bytes, whose packing adds nothing."""
    return weights._replace(
        **{
            name: value._replace(offset=np.zeros_like(value.offset))
            for name, value in weights._asdict().items()
            if isinstance(value, Linear)
        }
    )


def interleaved(ffn_size: int) -> npt.NDArray[np.int64]:
    """The order of gate and up rows: 16 of each in turn, so that a tile holds both.

    Rows of [gate, up, a row of zeros]; the last is taken to fill up.
    """
    index = np.arange(-(-ffn_size // COLUMNS) * COLUMNS).reshape(-1, 1, COLUMNS)
    both = np.concatenate([index, index + ffn_size], axis=1)
    both[np.broadcast_to(index >= ffn_size, both.shape)] = 2 * ffn_size
    return both.reshape(-1)


def _zeros(rows: int, columns: int) -> FloatArray:
    return np.zeros((rows, columns), dtype=np.float32)


def _new(layers: int, n: int, k: int) -> Linear:
    """Room for matrices of [n, k], zeros."""
    panels = -(-n // TILE_COLUMNS) * PANELS
    return Linear(
        panels=np.zeros((layers, panels, k // QUAD, COLUMNS, QUAD), dtype=np.int8),
        scale=np.zeros((layers, panels * COLUMNS), dtype=np.float32),
        offset=np.zeros((layers, panels * COLUMNS), dtype=np.int32),
        bits=np.zeros(layers, dtype=np.int64),
    )


def _fill(linear: Linear, layer: int, weights: FloatArray) -> None:
    """Round [n, k] float32 weights into a layer."""
    integers, scale = quantize(weights)
    n, k = integers.shape
    linear.bits[layer] = activation_bits(integers)
    linear.scale[layer, :n] = scale
    sums = integers.sum(axis=1, dtype=np.int64) * OFFSET
    linear.offset[layer, :n] = sums.astype(np.uint32).view(np.int32)
    whole = n // COLUMNS * COLUMNS
    shaped = integers[:whole].reshape(-1, COLUMNS, k // QUAD, QUAD).transpose(0, 2, 1, 3)
    linear.panels[layer, : whole // COLUMNS] = shaped
    for row in range(whole, n):
        linear.panels[layer, row // COLUMNS, :, row % COLUMNS] = integers[row].reshape(-1, QUAD)
