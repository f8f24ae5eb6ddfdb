"""Causal attention for training as plain products, in blocks of queries: fastest on a processor.

PyTorch's own attention takes four times as long there (docs/correction.md).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from predictors.language_models.correction.attention import Rotation
from predictors.language_models.correction.elementwise import (
    attention_weights,
    attention_weights_backward,
    rotate,
)
from predictors.language_models.exact.shape import Shape

_QUERIES = 256
"""Positions whose scores are computed together: a block sees no keys after it."""


class Kept(NamedTuple):
    """Of the forward pass, for the backward pass.

    Attributes:
        q: [B G, blocks, H / G · Q, d], k, v: [B G, T, d], all bfloat16.
        weights: of each block, [B G, H / G · Q, K].
    """

    q: Tensor
    k: Tensor
    v: Tensor
    weights: list[Tensor]


class AttentionByBlocks:
    """See `Attention`."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def forward(self, qkv: Tensor, size: torch.Size, rotation: Rotation) -> tuple[Tensor, Kept]:
        """See `Attention`."""
        s = self._shape
        q, k, v = self._heads(qkv, size, rotation)
        block = min(_QUERIES, size[1])
        scale = 1 / math.sqrt(s.head_size)
        weights = []
        out = torch.empty_like(q)
        for i in range(q.shape[1]):
            seen = (i + 1) * block
            scores = torch.bmm(q[:, i], k[:, :seen].transpose(1, 2))
            mask = _mask(block, seen, s.heads // s.kv_heads)
            weights.append(attention_weights(scores, mask, scale))
            out[:, i] = torch.bmm(weights[-1], v[:, :seen])
        attended = self._from_blocks(out, size).view(-1, s.heads * s.head_size)
        return attended, Kept(q, k, v, weights)

    def backward(
        self, kept: Kept, d_attended: Tensor, size: torch.Size, rotation: Rotation
    ) -> Tensor:
        """See `Attention`."""
        s = self._shape
        batch, length = size
        block = min(_QUERIES, length)
        scale = 1 / math.sqrt(s.head_size)
        d_out = self._by_blocks(d_attended.view(batch, length, s.heads, s.head_size))
        dq = torch.empty_like(kept.q)
        dk = torch.zeros(kept.k.shape)
        dv = torch.zeros(kept.v.shape)
        for i, weights in enumerate(kept.weights):
            seen = (i + 1) * block
            d_weights = torch.bmm(d_out[:, i], kept.v[:, :seen].transpose(1, 2))
            d_scores = attention_weights_backward(weights, d_weights, scale)
            dq[:, i] = torch.bmm(d_scores, kept.k[:, :seen])
            dk[:, :seen] += torch.bmm(d_scores.transpose(1, 2), kept.q[:, i])
            dv[:, :seen] += torch.bmm(weights.transpose(1, 2), d_out[:, i])
        cosines, sines = rotation
        turned = torch.cat(
            [
                self._from_blocks(dq, size).view(batch, length, s.heads, s.head_size),
                dk.bfloat16().view(batch, s.kv_heads, length, -1).transpose(1, 2),
            ],
            2,
        )
        back = rotate(turned, cosines, -sines)
        d_values = dv.bfloat16().view(batch, s.kv_heads, length, -1).transpose(1, 2)
        return torch.cat([back, d_values], 2).view(batch * length, -1)

    def _heads(
        self, qkv: Tensor, size: torch.Size, rotation: Rotation
    ) -> tuple[Tensor, Tensor, Tensor]:
        """[B T, n] → queries [B G, blocks, H / G · Q, d], keys and values [B G, T, d], rotated."""
        s = self._shape
        batch, length = size
        rows = qkv.view(batch, length, s.heads + 2 * s.kv_heads, s.head_size)
        turned = rotate(rows[:, :, : s.heads + s.kv_heads], *rotation)
        q = self._by_blocks(turned[:, :, : s.heads])
        k = turned[:, :, s.heads :].transpose(1, 2).reshape(-1, length, s.head_size)
        v = rows[:, :, s.heads + s.kv_heads :].transpose(1, 2).reshape(-1, length, s.head_size)
        return q, k, v

    def _by_blocks(self, x: Tensor) -> Tensor:
        """[B, T, H, d] → [B G, blocks, H / G · Q, d]."""
        s = self._shape
        batch, length = x.shape[:2]
        block = min(_QUERIES, length)
        parts = x.reshape(batch, length // block, block, s.kv_heads, -1, s.head_size)
        parts = parts.permute(0, 3, 1, 4, 2, 5).contiguous()
        return parts.view(batch * s.kv_heads, length // block, -1, s.head_size)

    def _from_blocks(self, parts: Tensor, size: torch.Size) -> Tensor:
        """[B G, blocks, H / G · Q, d] → [B, T, H d]."""
        s = self._shape
        batch, length = size
        blocks = parts.shape[1]
        x = parts.view(
            batch, s.kv_heads, blocks, s.heads // s.kv_heads, length // blocks, s.head_size
        )
        return x.permute(0, 2, 4, 1, 3, 5).reshape(batch, length, s.heads * s.head_size)


_MASKS: dict[tuple[int, int, int], Tensor] = {}


def _mask(block: int, seen: int, heads: int) -> Tensor:
    """[heads · block, seen]: 0 for what the last `block` of `seen` positions see, else −inf."""
    key = block, seen, heads
    if key not in _MASKS:
        later = torch.ones(block, seen).triu(seen - block + 1) > 0
        _MASKS[key] = torch.zeros(block, seen).masked_fill_(later, -math.inf).repeat(heads, 1)
    return _MASKS[key]
