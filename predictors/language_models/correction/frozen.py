"""The weights that training leaves as they are, in PyTorch's tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from predictors.language_models.correction.correction_file import Correction
from predictors.language_models.correction.matrices import NAMES
from predictors.language_models.exact.gguf_file import Gguf
from predictors.language_models.exact.rope_tables import rope_frequencies
from predictors.language_models.exact.shape import Shape
from predictors.language_models.exact.weights import quantize

_TURN = 2.0**32
"""Units of `rope_frequencies` in a turn."""


@dataclass(frozen=True, eq=False)
class Frozen:
    """A Llama model of L layers, V tokens, width E.

    Attributes:
        shape: its dimensions.
        matrices: by name (`matrices.NAMES`), [L, n, k] float32.
        attention_norm, ffn_norm: [L, E] float32. output_norm: [E] float32.
        embedding, head: [V, E] float32, rounded as the exact backend does.
        frequencies: [d / 2] float64, of rotary positions, in turns.
        epsilon: of the normalization.
        correction: the hash of that which the weights have already; empty = none.
    """

    shape: Shape
    matrices: dict[str, Tensor]
    attention_norm: Tensor
    ffn_norm: Tensor
    output_norm: Tensor
    embedding: Tensor
    head: Tensor
    frequencies: Tensor
    epsilon: float
    correction: str = ""

    @cache  # noqa: B019
    def rotation(self, length: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines of the positions before `length`, [T, 1, d / 2] float32."""
        places = torch.arange(length, dtype=torch.float64, device=self.frequencies.device)
        turns = places[:, None, None] * self.frequencies
        angles = turns * (2 * torch.pi)
        return angles.cos().float(), angles.sin().float()

    def on(self, device: str | torch.device) -> "Frozen":
        """The same there."""
        tensors = {
            field.name: value.to(device)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        matrices = {name: w.to(device) for name, w in self.matrices.items()}
        return replace(self, matrices=matrices, **tensors)


def read_frozen(path: Path, correction: Correction | None = None) -> Frozen:
    """Read the weights of a GGUF; raises ModelError.

    Args:
        correction: one that they have already, if another is trained on top of it.
    """
    file = Gguf(path)
    shape = file.shape

    def joined(matrix: str, names: Sequence[str], layer: int) -> Tensor:
        weights = np.concatenate([file.tensor(f"blk.{layer}.{name}.weight") for name in names])
        if correction:
            weights = correction.merged(matrix, layer, weights)
        return torch.from_numpy(weights)

    def layers(matrix: str, names: Sequence[str]) -> Tensor:
        return torch.stack([joined(matrix, names, layer) for layer in range(shape.layers)])

    def norms(name: str) -> Tensor:
        read = [file.tensor(f"blk.{layer}.{name}.weight") for layer in range(shape.layers)]
        return torch.from_numpy(np.stack(read))

    def rounded(name: str) -> Tensor:
        integers, scale = quantize(file.tensor(name))
        return torch.from_numpy(integers * scale[:, None])

    factors = file.tensor("rope_freqs.weight") if file.has("rope_freqs.weight") else None
    turns = rope_frequencies(file.rope_base, shape.rope_pairs, factors) / _TURN
    embedding = rounded("token_embd.weight")
    return Frozen(
        shape=shape,
        matrices={matrix: layers(matrix, names) for matrix, names in NAMES.items()},
        attention_norm=norms("attn_norm"),
        ffn_norm=norms("ffn_norm"),
        output_norm=torch.from_numpy(file.tensor("output_norm.weight")),
        embedding=embedding,
        head=rounded("output.weight") if file.has("output.weight") else embedding,
        frequencies=torch.from_numpy(np.asarray(turns, dtype=np.float64)),
        epsilon=float(np.float32(file.epsilon)),
        correction=correction.sha256 if correction else "",
    )
