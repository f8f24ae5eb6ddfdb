"""What attention offers to training: by blocks on a processor, by fused kernels on a GPU."""

from typing import Any, Protocol

import torch
from torch import Tensor

Rotation = tuple[Tensor, Tensor]
"""Cosines and sines of the positions, [T, 1, d / 2] float32 each."""


class Attention(Protocol):
    """Of a model with H heads of size d, G of them for keys and values."""

    def forward(self, qkv: Tensor, size: torch.Size, rotation: Rotation) -> tuple[Tensor, Any]:
        """
        Args:
            qkv: [B T, (H + 2 G) d] bfloat16, queries, keys and values before their rotation.
            size: (B, T).

        Returns:
            [B T, H d] bfloat16; and what `backward` needs.
        """

    def backward(
        self, kept: Any, d_attended: Tensor, size: torch.Size, rotation: Rotation
    ) -> Tensor:
        """Gradient of `qkv`, from that of the result."""
