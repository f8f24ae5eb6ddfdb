"""Causal attention for training through PyTorch's fused kernels: the fastest on a GPU.

Its scores are never in memory (FlashAttention; Dao et al. 2022).
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from predictors.language_models.correction.attention import Rotation
from predictors.language_models.correction.elementwise import rotate
from predictors.language_models.exact.shape import Shape


class Kept(NamedTuple):
    """Of the forward pass, for the backward pass: leaves and result of a graph of autograd.

    Attributes:
        q: [B, H, T, d], k, v: [B, G, T, d], out: [B, H, T, d], all bfloat16.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    out: Tensor


class FusedAttention:
    """See `Attention`."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def forward(self, qkv: Tensor, size: torch.Size, rotation: Rotation) -> tuple[Tensor, Kept]:
        """See `Attention`."""
        s = self._shape
        rows = qkv.view(*size, s.heads + 2 * s.kv_heads, s.head_size)
        turned = rotate(rows[:, :, : s.heads + s.kv_heads], *rotation)
        q, k = turned.transpose(1, 2).detach().split([s.heads, s.kv_heads], 1)
        v = rows[:, :, s.heads + s.kv_heads :].transpose(1, 2).detach()
        with torch.enable_grad():
            for leaf in (q, k, v):
                leaf.requires_grad_()
            out = scaled_dot_product_attention(
                q, k, v, is_causal=True, enable_gqa=s.heads != s.kv_heads
            )
        return out.detach().transpose(1, 2).reshape(len(qkv), -1), Kept(q, k, v, out)

    def backward(
        self, kept: Kept, d_attended: Tensor, size: torch.Size, rotation: Rotation
    ) -> Tensor:
        """See `Attention`."""
        s = self._shape
        d_out = d_attended.view(*size, s.heads, s.head_size).transpose(1, 2)
        dq, dk, dv = torch.autograd.grad(kept.out, (kept.q, kept.k, kept.v), d_out)
        cosines, sines = rotation
        back = rotate(torch.cat([dq, dk], 1).transpose(1, 2), cosines, -sines)
        return torch.cat([back, dv.transpose(1, 2)], 2).view(len(d_attended), -1)
