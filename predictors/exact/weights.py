"""From a GGUF to integers: int8 weights in panels, one scale per output row."""

from collections import namedtuple
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

from predictors.base import ModelError
from predictors.exact.product import OFFSET, to_panels

FloatArray = npt.NDArray[np.float32]

MAX_BITS = 15
"""Activations have at most this many bits and a sign."""

_INT32_MAX = (1 << 31) - 1

Linear = namedtuple("Linear", "panels scale offset bits")
Linear.__doc__ = """Matrices of all layers that read the same input, joined by columns.

panels: [L, P, k / 4, 16, 4] int8. scale: [L, 16 P] float32. offset: [L, 16 P] int32, to
be taken off the sums. bits: [L] int64, of the activations.
"""

Weights = namedtuple(
    "Weights",
    "embedding embedding_scale attention_norm ffn_norm output_norm qkv output gate_up down head"
    " epsilon",
)
Shape = namedtuple("Shape", "layers width heads kv_heads head_size inner vocabulary rope_pairs")


def quantize(weights: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Round [n, k] float32 to int8 per row: w ≈ integer * scale[n], scale = max |w| / 127."""
    top = np.abs(weights).max(axis=1)
    scale = (top / np.float32(127)).astype(np.float32)
    with np.errstate(divide="ignore"):
        inverse = np.where(top > 0, np.float32(127) / top, np.float32(0)).astype(np.float32)
    rounded = np.rint(weights * inverse[:, None])
    return np.clip(rounded, -127, 127).astype(np.int8), scale


def activation_bits(weights: npt.NDArray[np.int8]) -> int:
    """Most bits B ≤ 15 with (2**B - 1) * sum |w| < 2**31 in every row."""
    heaviest = int(np.abs(weights.astype(np.int32)).sum(axis=1).max())
    bits = MAX_BITS
    while ((1 << bits) - 1) * heaviest > _INT32_MAX:
        bits -= 1
    return bits


class Gguf:
    """A GGUF of the Llama architecture.

    Raises:
        ModelError: it can't be read, or needs what the exact backend does not have.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._reader = gguf.GGUFReader(path)
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise ModelError(f"can't read the model {path}: {error}") from error
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}
        self._path = path
        architecture = self._field("general.architecture")
        if architecture != "llama":
            raise ModelError(
                f"the exact backend runs models of the architecture llama, {path} is of "
                f"{architecture}; use --backend llama.cpp"
            )
        if "blk.0.attn_q.bias" in self._tensors or self._field("llama.expert_count", 0):
            raise ModelError(
                f"{path} has biases or experts, which the exact backend lacks; "
                "use --backend llama.cpp"
            )

    def _field(self, name: str, default: Any = None) -> Any:
        field = self._reader.get_field(name)
        if field is None:
            if default is None:
                raise ModelError(f"the model {self._path} is damaged: it lacks {name}")
            return default
        return field.contents()

    def has(self, name: str) -> bool:
        return name in self._tensors

    def tensor(self, name: str) -> FloatArray:
        """A tensor in float32, dequantized with a separate product and sum."""
        if name not in self._tensors:
            raise ModelError(f"the model {self._path} is damaged: it lacks {name}")
        tensor = self._tensors[name]
        try:
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError as error:
            raise ModelError(
                f"{self._path} holds {tensor.tensor_type.name} weights, which can't be "
                "dequantized here; use --backend llama.cpp"
            ) from error
        return np.ascontiguousarray(values, dtype=np.float32)

    @property
    def shape(self) -> Shape:
        width = self._field("llama.embedding_length")
        heads = self._field("llama.attention.head_count")
        size = self._field("llama.attention.key_length", width // heads)
        shape = Shape(
            layers=self._field("llama.block_count"),
            width=width,
            heads=heads,
            kv_heads=self._field("llama.attention.head_count_kv", heads),
            head_size=size,
            inner=self._field("llama.feed_forward_length"),
            vocabulary=int(self._tensors["token_embd.weight"].shape[1]),
            rope_pairs=self._field("llama.rope.dimension_count", size) // 2,
        )
        if shape.width % 4 or shape.inner % 4 or shape.head_size % 4 or shape.heads % shape.kv_heads:
            raise ModelError(f"the dimensions of {self._path} are no multiples of 4")
        return shape

    @property
    def rope_base(self) -> float:
        return float(self._field("llama.rope.freq_base", 10000.0))

    @property
    def context(self) -> int:
        """Positions that the model was trained on."""
        return int(self._field("llama.context_length"))

    @property
    def epsilon(self) -> float:
        return float(self._field("llama.attention.layer_norm_rms_epsilon"))


def read_weights(file: Gguf) -> Weights:
    """Read and round all weights; raises ModelError."""
    layers = range(file.shape.layers)

    def rounded(*names: str) -> tuple[npt.NDArray[np.int8], FloatArray]:
        parts = [quantize(file.tensor(name)) for name in names]
        return np.concatenate([q for q, _ in parts]), np.concatenate([s for _, s in parts])

    def stacked(*names: str, interleaved: bool = False) -> Any:
        found = []
        for layer in layers:
            matrix, scale = rounded(*(f"blk.{layer}.{name}.weight" for name in names))
            found.append(_linear(matrix, scale, interleaved))
        return _join(found)

    def norms(name: str) -> FloatArray:
        return np.stack([file.tensor(f"blk.{layer}.{name}.weight") for layer in layers])

    embedding, embedding_scale = rounded("token_embd.weight")
    head = (embedding, embedding_scale)
    if file.has("output.weight"):
        head = rounded("output.weight")
    return Weights(
        embedding=embedding,
        embedding_scale=embedding_scale,
        attention_norm=norms("attn_norm"),
        ffn_norm=norms("ffn_norm"),
        output_norm=file.tensor("output_norm.weight"),
        qkv=stacked("attn_q", "attn_k", "attn_v"),
        output=stacked("attn_output"),
        gate_up=stacked("ffn_gate", "ffn_up", interleaved=True),
        down=stacked("ffn_down"),
        head=_join([_linear(*head, False)]),
        epsilon=np.float64(np.float32(file.epsilon)),
    )


def _linear(matrix: npt.NDArray[np.int8], scale: FloatArray, interleaved: bool) -> Any:
    """One layer's matrix; `interleaved`: its halves alternate by panels of 16."""
    bits = activation_bits(matrix)
    if interleaved:
        # A tile then holds a gate and the values that it gates.
        half = len(matrix) // 2
        padded = -(-half // 16) * 16
        order = np.full((padded // 16, 2, 16), -1)
        order[:, 0].reshape(-1)[:] = -1
        index = np.arange(padded).reshape(-1, 16)
        order[:, 0] = np.where(index < half, index, -1)
        order[:, 1] = np.where(index < half, half + index, -1)
        order = order.reshape(-1)
        matrix = np.where(order[:, None] >= 0, matrix[order], 0).astype(np.int8)
        scale = np.where(order >= 0, scale[order], np.float32(0))
    panels = to_panels(matrix)
    columns = 16 * len(panels)
    padded_scale = np.zeros(columns, dtype=np.float32)
    padded_scale[: len(scale)] = scale
    offset = panels.astype(np.int64).sum(axis=(1, 3)).reshape(-1) * OFFSET
    return Linear(panels, padded_scale, offset.astype(np.uint32).view(np.int32), bits)


def _join(parts: list[Any]) -> Any:
    return Linear(
        np.stack([part.panels for part in parts]),
        np.stack([part.scale for part in parts]),
        np.stack([part.offset for part in parts]),
        np.array([part.bits for part in parts], dtype=np.int64),
    )
