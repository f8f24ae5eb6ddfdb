"""What the exact backend reads of a GGUF: dimensions and tensors, in float32."""

import struct
from collections import namedtuple
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from predictors.base import FloatArray, ModelError, UnsupportedModelError

Shape = namedtuple("Shape", "layers width heads kv_heads head_size inner vocabulary rope_pairs")


class _QuickReader(gguf.GGUFReader):  # type: ignore[misc]
    """The library's reader without the vocabulary's arrays, which take it seconds."""

    def _get_field_parts(self, orig_offs: int, raw_type: int) -> Any:
        begin = int(orig_offs)
        if raw_type != gguf.GGUFValueType.ARRAY or self.byte_order != "I":
            return super()._get_field_parts(orig_offs, raw_type)
        kind, count = struct.unpack_from("<IQ", self.data, begin)
        kind = gguf.GGUFValueType(kind)
        end = begin + 12
        if kind == gguf.GGUFValueType.STRING:
            read = struct.Struct("<Q").unpack_from
            data = memoryview(self.data)
            for _ in range(count):
                end += 8 + read(data, end)[0]
        elif kind in self.gguf_scalar_to_np:
            end += count * np.dtype(self.gguf_scalar_to_np[kind]).itemsize
        else:
            return super()._get_field_parts(orig_offs, raw_type)
        return end - begin, [], [], [gguf.GGUFValueType.ARRAY, kind]


class Gguf:
    """A GGUF of the Llama architecture.

    Raises:
        ModelError: it can't be read, or needs what the exact backend does not have.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._reader = _QuickReader(path)
        except (OSError, ValueError, KeyError, IndexError, struct.error) as error:
            raise ModelError(f"can't read the model {path}: {error}") from error
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}
        self._path = path
        architecture = self._field("general.architecture")
        if architecture != "llama":
            raise UnsupportedModelError(
                f"the exact backend runs models of the architecture llama, {path} is of "
                f"{architecture}; use --backend llama.cpp"
            )
        if "blk.0.attn_q.bias" in self._tensors or self._field("llama.expert_count", 0):
            raise UnsupportedModelError(
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
            raise UnsupportedModelError(
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
        sizes = (shape.width, shape.inner, shape.head_size)
        if any(size % 4 for size in sizes) or shape.heads % shape.kv_heads:
            raise UnsupportedModelError(
                f"the exact backend needs dimensions in multiples of 4, {self._path} has others; "
                "use --backend llama.cpp"
            )
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
