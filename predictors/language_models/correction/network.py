"""The model in PyTorch, forward and backward, for the gradients of low-rank factors alone.

Hand-written rather than left to autograd: only so is every intermediate bfloat16, every pass
over memory fused, and no gradient computed that nobody needs. A test compares it with autograd.

A matrix is W + SCALE · B A (LoRA, Hu et al. 2021). The sum is made once per step: with
thousands of tokens in a step that costs less than two thin products beside each wide one.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from predictors.language_models.correction.attention import Attention
from predictors.language_models.correction.attention_by_blocks import AttentionByBlocks
from predictors.language_models.correction.attention_fused import FusedAttention
from predictors.language_models.correction.elementwise import (
    add_and_normalize,
    cross_entropy,
    gate,
    gate_backward,
    normalize_backward,
)
from predictors.language_models.correction.factors import SCALE, Factors
from predictors.language_models.correction.frozen import Frozen

_ROWS_OF_LOGITS, _ROWS_OF_LOGITS_GPU = 256, 8192
"""Rows of logits at once: 25 MB in bfloat16, which stay in a processor's cache; a GPU, where they
are 0.8 GB, has to be given enough to do."""


@dataclass
class _Kept:
    """Of a layer's forward pass, for its backward pass."""

    x: Tensor
    normal: Tensor
    factor: Tensor
    attention: Any
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
        device: where both are, and all that is computed.
    """

    def __init__(self, frozen: Frozen, factors: Factors) -> None:
        self.frozen = frozen
        self.factors = factors
        self.device = frozen.embedding.device
        self._merged = {
            name: torch.empty_like(w, dtype=torch.bfloat16) for name, w in frozen.matrices.items()
        }
        self._head = frozen.head.bfloat16()
        self._attention: Attention
        if self.device.type == "cpu":
            self._attention = AttentionByBlocks(frozen.shape)
            self._rows_of_logits = _ROWS_OF_LOGITS
        else:
            self._attention = FusedAttention(frozen.shape)
            self._rows_of_logits = _ROWS_OF_LOGITS_GPU
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
    def add_gradients(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Add the gradients of the sum of `losses` to `factors`.

        Returns:
            The sum, float64, on the device: nobody has to wait for it.
        """
        frozen, shape = self.frozen, self.frozen.shape
        hidden, (kept, x, factor) = self._forward(tokens, keep=True)
        losses, slope = self._cross_entropy(hidden, targets.reshape(-1), backward=True)
        dx, narrow = normalize_backward(torch.zeros_like(x), slope, x, factor, frozen.output_norm)
        for layer in reversed(range(shape.layers)):
            dx, narrow = self._layer_backward(layer, kept.pop(), dx, narrow, tokens.shape)
        return losses.sum(dtype=torch.float64)

    def _forward(
        self, tokens: Tensor, keep: bool
    ) -> tuple[Tensor, tuple[list[_Kept], Tensor, Tensor]]:
        frozen, shape = self.frozen, self.frozen.shape
        kept: list[_Kept] = []
        x = frozen.embedding[tokens.reshape(-1)].float()
        y = torch.zeros_like(x, dtype=torch.bfloat16)
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
        qkv = normal @ merged["qkv"][layer].t()
        attended, attention = self._attention.forward(qkv, size, frozen.rotation(size[1]))
        y = attended @ merged["output"][layer].t()
        gain = frozen.ffn_norm[layer]
        middle, middle_normal, middle_factor = add_and_normalize(x, y, gain, frozen.epsilon)
        both = middle_normal @ merged["gate_up"][layer].t()
        gated = gate(both)
        y = gated @ merged["down"][layer].t()
        kept = _Kept(
            x, normal, factor, attention, attended,
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
        rotation = frozen.rotation(size[1])
        d_qkv = self._attention.backward(kept.attention, d_attended, size, rotation)
        d_normal = self._product_backward("qkv", layer, kept.normal, d_qkv)
        return normalize_backward(dx, d_normal, kept.x, kept.factor, frozen.attention_norm[layer])

    def _product_backward(self, name: str, layer: int, x: Tensor, dy: Tensor) -> Tensor:
        """Gradient of a product's input [M, k]; those of the factors are added to theirs."""
        factors = self.factors
        a, b = factors.a[name][layer].bfloat16(), factors.b[name][layer].bfloat16()
        factors.b_gradient[name][layer].add_(dy.t() @ (x @ a.t()), alpha=SCALE)
        factors.a_gradient[name][layer].add_((dy @ b).t() @ x, alpha=SCALE)
        return dy @ self._merged[name][layer]

    def _cross_entropy(
        self, hidden: Tensor, targets: Tensor, backward: bool
    ) -> tuple[Tensor, Tensor]:
        """What each target costs, [M] float32, and the gradient of `hidden`, [M, E]."""
        losses = torch.empty(len(targets), device=self.device)
        slope = torch.empty_like(hidden)
        for begin in range(0, len(targets), self._rows_of_logits):
            part = slice(begin, begin + self._rows_of_logits)
            losses[part], d_logits = cross_entropy(hidden[part] @ self._head.t(), targets[part])
            if backward:
                slope[part] = d_logits @ self._head
        return losses, slope
