"""The model in PyTorch, forward and backward, for the gradients of low-rank factors alone.

Hand-written rather than left to autograd: only so is every intermediate bfloat16, every pass
over memory fused, and no gradient computed that nobody needs. A test compares it with autograd.

A matrix is W + SCALE · B A (LoRA, Hu et al. 2021). The sum is made once per step: with
thousands of tokens in a step that costs less than two thin products beside each wide one.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from predictors.language_models.correction.elementwise import (
    add_and_normalize,
    attention_weights,
    attention_weights_backward,
    cross_entropy,
    gate,
    gate_backward,
    normalize_backward,
    rotate,
)
from predictors.language_models.correction.factors import SCALE, Factors
from predictors.language_models.correction.frozen import Frozen

_QUERIES = 256
"""Positions whose scores are computed together: a block sees no keys after it."""

_ROWS_OF_LOGITS = 256
"""Rows of logits at once: 25 MB in bfloat16, which stay in the cache."""


@dataclass
class _Kept:
    """Of a layer's forward pass, for its backward pass."""

    x: Tensor
    normal: Tensor
    factor: Tensor
    q: Tensor
    k: Tensor
    v: Tensor
    weights: list[Tensor]
    attended: Tensor
    middle: Tensor
    middle_normal: Tensor
    middle_factor: Tensor
    both: Tensor
    gated: Tensor


class Network:
    """A Llama model with frozen weights and trained factors.

    Attributes:
        frozen: the weights.
        factors: of the correction; `merge` has to be called when they have changed.
    """

    def __init__(self, frozen: Frozen, factors: Factors) -> None:
        self.frozen = frozen
        self.factors = factors
        self._merged = {
            name: torch.empty(w.shape, dtype=torch.bfloat16) for name, w in frozen.matrices.items()
        }
        self._head = frozen.head.bfloat16()
        self.merge()

    @torch.no_grad()
    def merge(self) -> None:
        """Take over the factors."""
        for name, merged in self._merged.items():
            a, b = self.factors.a[name], self.factors.b[name]
            for layer, weights in enumerate(self.frozen.matrices[name]):
                total = torch.addmm(weights, b[layer], a[layer], alpha=SCALE)
                merged[layer].copy_(total)

    @torch.no_grad()
    def losses(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """What each target costs, in nats.

        Args:
            tokens: [B, T] int64, read by the model. targets: [B, T] int64, what follows.

        Returns:
            [B, T] float32.
        """
        hidden, _ = self._forward(tokens, keep=False)
        losses, _ = self._cross_entropy(hidden, targets.reshape(-1), backward=False)
        return losses.view(targets.shape)

    @torch.no_grad()
    def add_gradients(self, tokens: Tensor, targets: Tensor) -> float:
        """Add the gradients of the sum of `losses` to `factors`.

        Returns:
            The sum.
        """
        frozen, shape = self.frozen, self.frozen.shape
        hidden, (kept, x, factor) = self._forward(tokens, keep=True)
        losses, slope = self._cross_entropy(hidden, targets.reshape(-1), backward=True)
        dx, narrow = normalize_backward(torch.zeros_like(x), slope, x, factor, frozen.output_norm)
        for layer in reversed(range(shape.layers)):
            dx, narrow = self._layer_backward(layer, kept.pop(), dx, narrow, tokens.shape)
        return float(losses.sum(dtype=torch.float64))

    def _forward(
        self, tokens: Tensor, keep: bool
    ) -> tuple[Tensor, tuple[list[_Kept], Tensor, Tensor]]:
        frozen, shape = self.frozen, self.frozen.shape
        kept: list[_Kept] = []
        x = frozen.embedding[tokens.reshape(-1)].float()
        y = torch.zeros(x.shape, dtype=torch.bfloat16)
        for layer in range(shape.layers):
            x, y, of_layer = self._layer_forward(layer, x, y, tokens.shape)
            if keep:
                kept.append(of_layer)
        x, hidden, factor = add_and_normalize(x, y, frozen.output_norm, frozen.epsilon)
        return hidden, (kept, x, factor)

    def _layer_forward(
        self, layer: int, x: Tensor, y: Tensor, size: torch.Size
    ) -> tuple[Tensor, Tensor, _Kept]:
        frozen, merged = self.frozen, self._merged
        gain = frozen.attention_norm[layer]
        x, normal, factor = add_and_normalize(x, y, gain, frozen.epsilon)
        q, k, v = self._heads(normal @ merged["qkv"][layer].t(), size)
        weights, attended = self._attend(q, k, v, size)
        y = attended @ merged["output"][layer].t()
        gain = frozen.ffn_norm[layer]
        middle, middle_normal, middle_factor = add_and_normalize(x, y, gain, frozen.epsilon)
        both = middle_normal @ merged["gate_up"][layer].t()
        gated = gate(both)
        y = gated @ merged["down"][layer].t()
        kept = _Kept(
            x, normal, factor, q, k, v, weights, attended,
            middle, middle_normal, middle_factor, both, gated,
        )  # fmt: skip
        return middle, y, kept

    def _layer_backward(
        self, layer: int, kept: _Kept, dx: Tensor, narrow: Tensor, size: torch.Size
    ) -> tuple[Tensor, Tensor]:
        """From the gradient of a layer's output (float32, and bfloat16) to that of its input."""
        frozen = self.frozen
        d_gated = self._product_backward("down", layer, kept.gated, narrow)
        d_both = gate_backward(kept.both, d_gated)
        d_normal = self._product_backward("gate_up", layer, kept.middle_normal, d_both)
        dx, narrow = normalize_backward(
            dx, d_normal, kept.middle, kept.middle_factor, frozen.ffn_norm[layer]
        )
        d_attended = self._product_backward("output", layer, kept.attended, narrow)
        d_qkv = self._attend_backward(kept, d_attended, size)
        d_normal = self._product_backward("qkv", layer, kept.normal, d_qkv)
        return normalize_backward(dx, d_normal, kept.x, kept.factor, frozen.attention_norm[layer])

    def _product_backward(self, name: str, layer: int, x: Tensor, dy: Tensor) -> Tensor:
        """Gradient of a product's input [M, k]; those of the factors are added to theirs."""
        factors = self.factors
        a, b = factors.a[name][layer].bfloat16(), factors.b[name][layer].bfloat16()
        factors.b_gradient[name][layer].add_(dy.t() @ (x @ a.t()), alpha=SCALE)
        factors.a_gradient[name][layer].add_((dy @ b).t() @ x, alpha=SCALE)
        return dy @ self._merged[name][layer]

    def _heads(self, qkv: Tensor, size: torch.Size) -> tuple[Tensor, Tensor, Tensor]:
        """[B T, n] → queries [B G, blocks, H / G · Q, d], keys and values [B G, T, d], rotated."""
        s = self.frozen.shape
        batch, length = size
        cosines, sines = self.frozen.rotation(length)
        rows = qkv.view(batch, length, s.heads + 2 * s.kv_heads, s.head_size)
        turned = rotate(rows[:, :, : s.heads + s.kv_heads], cosines, sines)
        q = self._by_blocks(turned[:, :, : s.heads])
        k = turned[:, :, s.heads :].transpose(1, 2).reshape(-1, length, s.head_size)
        v = rows[:, :, s.heads + s.kv_heads :].transpose(1, 2).reshape(-1, length, s.head_size)
        return q, k, v

    def _by_blocks(self, x: Tensor) -> Tensor:
        """[B, T, H, d] → [B G, blocks, H / G · Q, d]."""
        s = self.frozen.shape
        batch, length = x.shape[:2]
        block = min(_QUERIES, length)
        parts = x.reshape(batch, length // block, block, s.kv_heads, -1, s.head_size)
        parts = parts.permute(0, 3, 1, 4, 2, 5).contiguous()
        return parts.view(batch * s.kv_heads, length // block, -1, s.head_size)

    def _from_blocks(self, parts: Tensor, size: torch.Size) -> Tensor:
        """[B G, blocks, H / G · Q, d] → [B, T, H d]."""
        s = self.frozen.shape
        batch, length = size
        blocks = parts.shape[1]
        x = parts.view(
            batch, s.kv_heads, blocks, s.heads // s.kv_heads, length // blocks, s.head_size
        )
        return x.permute(0, 2, 4, 1, 3, 5).reshape(batch, length, s.heads * s.head_size)

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, size: torch.Size
    ) -> tuple[list[Tensor], Tensor]:
        s = self.frozen.shape
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
        return weights, self._from_blocks(out, size).view(-1, s.heads * s.head_size)

    def _attend_backward(self, kept: _Kept, d_attended: Tensor, size: torch.Size) -> Tensor:
        """Gradient of the product that gave queries, keys and values, [B T, n]."""
        s = self.frozen.shape
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
        cosines, sines = self.frozen.rotation(length)
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

    def _cross_entropy(
        self, hidden: Tensor, targets: Tensor, backward: bool
    ) -> tuple[Tensor, Tensor]:
        """What each target costs, [M] float32, and the gradient of `hidden`, [M, E]."""
        losses = torch.empty(len(targets))
        slope = torch.empty_like(hidden)
        for begin in range(0, len(targets), _ROWS_OF_LOGITS):
            part = slice(begin, begin + _ROWS_OF_LOGITS)
            losses[part], d_logits = cross_entropy(hidden[part] @ self._head.t(), targets[part])
            if backward:
                slope[part] = d_logits @ self._head
        return losses, slope


_MASKS: dict[tuple[int, int, int], Tensor] = {}


def _mask(block: int, seen: int, heads: int) -> Tensor:
    """[heads · block, seen]: 0 for what the last `block` of `seen` positions see, else −inf."""
    key = block, seen, heads
    if key not in _MASKS:
        later = torch.ones(block, seen).triu(seen - block + 1) > 0
        _MASKS[key] = torch.zeros(block, seen).masked_fill_(later, -math.inf).repeat(heads, 1)
    return _MASKS[key]
