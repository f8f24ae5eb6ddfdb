"""What the exact backend reads of a GGUF: dimensions and tensors, in float32."""

from pathlib import Path

import gguf
import numpy as np

from predictors.base import FloatArray, UnsupportedModelError
from predictors.language_models.exact.panels import QUAD
from predictors.language_models.exact.shape import Shape
from predictors.language_models.gguf_reader import GgufReader
from predictors.language_models.gguf_vocabulary import read_vocabulary
from predictors.language_models.vocabulary import Vocabulary


class Gguf:
    """A GGUF of the Llama architecture.

    Attributes:
        reader: what is in the file.

    Raises:
        ModelError: it can't be read, or needs what the exact backend does not have.
    """

    def __init__(self, path: Path) -> None:
        self.reader = GgufReader(path)
        architecture = self.reader.scalar("general.architecture")
        if architecture != "llama":
            raise UnsupportedModelError(
                f"the exact backend runs models of the architecture llama, {path} is of "
                f"{architecture}; use --backend llama.cpp"
            )
        if self.has("blk.0.attn_q.bias") or self.reader.scalar("llama.expert_count", 0):
            raise UnsupportedModelError(
                f"{path} has biases or experts, which the exact backend lacks; "
                "use --backend llama.cpp"
            )

    def vocabulary(self) -> Vocabulary:
        """Its vocabulary; raises ModelError, see `gguf_vocabulary`."""
        return read_vocabulary(self.reader)

    def has(self, name: str) -> bool:
        """Is there a tensor of this name?"""
        return name in self.reader.tensors

    def tensor(self, name: str) -> FloatArray:
        """A tensor in float32, dequantized with a separate product and sum.

        Raises:
            ModelError: it is missing, or of a type that can't be dequantized.
        """
        tensor = self.reader.tensor(name)
        try:
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError as error:
            raise UnsupportedModelError(
                f"{self.reader.path} holds {tensor.tensor_type.name} weights, which can't be "
                "dequantized here; use --backend llama.cpp"
            ) from error
        # Kernels tell arrays that can be written to from others.
        return np.require(np.asarray(values), np.float32, ["C", "W"])

    @property
    def shape(self) -> Shape:
        """Its dimensions; raises ModelError if the exact backend can't run them."""
        width = self.reader.scalar("llama.embedding_length")
        heads = self.reader.scalar("llama.attention.head_count")
        size = self.reader.scalar("llama.attention.key_length", width // heads)
        shape = Shape(
            layers=self.reader.scalar("llama.block_count"),
            width=width,
            heads=heads,
            kv_heads=self.reader.scalar("llama.attention.head_count_kv", heads),
            head_size=size,
            ffn_size=self.reader.scalar("llama.feed_forward_length"),
            vocabulary=int(self.reader.tensor("token_embd.weight").shape[1]),
            rope_pairs=self.reader.scalar("llama.rope.dimension_count", size) // 2,
        )
        sizes = (shape.width, shape.ffn_size, shape.head_size)
        if any(size % QUAD for size in sizes) or shape.heads % shape.kv_heads:
            raise UnsupportedModelError(
                f"the exact backend needs dimensions in multiples of {QUAD}, {self.reader.path} "
                "has others; use --backend llama.cpp"
            )
        return shape

    @property
    def rope_base(self) -> float:
        """Of rotary positions: angles fall from 1 to nearly 1 / base."""
        return float(self.reader.scalar("llama.rope.freq_base", 10000.0))

    @property
    def context(self) -> int:
        """Positions that the model was trained on."""
        return int(self.reader.scalar("llama.context_length"))

    @property
    def epsilon(self) -> float:
        """What the normalization adds to the mean square."""
        return float(self.reader.scalar("llama.attention.layer_norm_rms_epsilon"))
