"""What the exact backend reads of a GGUF: dimensions and tensors, in float32."""

from collections import namedtuple
from pathlib import Path

import gguf
import numpy as np

from predictors.base import FloatArray, ModelError, UnsupportedModelError
from predictors.language_models.gguf_reader import GgufReader
from predictors.language_models.gguf_vocabulary import read_vocabulary
from predictors.language_models.vocabulary import Vocabulary

Shape = namedtuple("Shape", "layers width heads kv_heads head_size inner vocabulary rope_pairs")


class Gguf:
    """A GGUF of the Llama architecture.

    Raises:
        ModelError: it can't be read, or needs what the exact backend does not have.
    """

    def __init__(self, path: Path) -> None:
        self._reader = GgufReader(path)
        self._tensors = self._reader.tensors
        self._field = self._reader.scalar
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

    def vocabulary(self) -> Vocabulary:
        """Its vocabulary; raises ModelError, see `gguf_vocabulary`."""
        return read_vocabulary(self._reader)

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
