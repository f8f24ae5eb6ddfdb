"""What is between the matrix products of a training step, each in one pass over memory.

Sums are float32, what is handed to a product is bfloat16. With a C++ compiler at hand PyTorch
fuses each function to one loop; without one they do the same, slower.
"""

import shutil
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_COMPILES = shutil.which("g++") is not None


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled for the shapes that it is called with."""
    return torch.compile(function, dynamic=False) if _COMPILES else function


@fused
def add_and_normalize(
    x: Tensor, y: Tensor, gain: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """x + y, and RMSNorm of it (Zhang & Sennrich 2019).

    Args:
        x: [M, E] float32, the residual stream. y: [M, E] bfloat16. gain: [E] float32.

    Returns:
        The sum, float32; it normalized, bfloat16; its rows' factors, [M, 1] float32.
    """
    total = x + y.float()
    factor = torch.rsqrt((total * total).mean(-1, keepdim=True) + epsilon)
    return total, (total * factor * gain).bfloat16(), factor


@fused
def normalize_backward(
    slope: Tensor, dy: Tensor, x: Tensor, factor: Tensor, gain: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradient of the normalized sum's argument, added to that of the residual stream.

    Args:
        slope: [M, E] float32, of the residual stream. dy: [M, E] bfloat16, of what was
            normalized. x, factor, gain: of `add_and_normalize`.

    Returns:
        float32, and the same as bfloat16.
    """
    scaled = dy.float() * gain
    mean = (scaled * x).mean(-1, keepdim=True)
    total = slope + factor * (scaled - x * (factor * factor * mean))
    return total, total.bfloat16()


@fused
def gate(both: Tensor) -> Tensor:
    """SwiGLU (Shazeer 2020): [M, 2F], gates before what they gate → [M, F]."""
    gates, values = both.float().chunk(2, -1)
    return (gates * torch.sigmoid(gates) * values).bfloat16()


@fused
def gate_backward(both: Tensor, dy: Tensor) -> Tensor:
    """Gradient of `gate`'s argument."""
    gates, values = both.float().chunk(2, -1)
    slope = dy.float()
    sigmoid = torch.sigmoid(gates)
    silu = gates * sigmoid
    to_gates = slope * values * (sigmoid + silu * (1 - sigmoid))
    return torch.cat([to_gates, slope * silu], -1).bfloat16()


@fused
def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021) of [B, T, N, d] in pairs (2i, 2i + 1).

    Args:
        cosines, sines: [T, 1, d / 2] float32; negative sines turn back.
    """
    pairs = x.float().unflatten(-1, (-1, 2))
    even, odd = pairs[..., 0], pairs[..., 1]
    turned = (even * cosines - odd * sines, even * sines + odd * cosines)
    return torch.stack(turned, -1).flatten(-2).bfloat16()


@fused
def attention_weights(scores: Tensor, mask: Tensor, scale: float) -> Tensor:
    """Softmax of scores [N, Q, K] · scale + mask [Q, K]."""
    return torch.softmax(scores.float() * scale + mask, -1).bfloat16()


@fused
def attention_weights_backward(weights: Tensor, dy: Tensor, scale: float) -> Tensor:
    """Gradient of the scores."""
    p, slope = weights.float(), dy.float()
    return (p * (slope - (p * slope).sum(-1, keepdim=True)) * scale).bfloat16()


@fused
def cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """What targets [M] cost with logits [M, V], and its gradient.

    Returns:
        [M] float32, nats; [M, V] bfloat16.
    """
    x = logits.float()
    top = x.amax(-1, keepdim=True)
    log_total = top + torch.log(torch.exp(x - top).sum(-1, keepdim=True))
    there = torch.arange(x.shape[-1], device=x.device) == targets[:, None]
    slope = torch.exp(x - log_total) - there.float()
    return (log_total - x.gather(1, targets[:, None]))[:, 0], slope.bfloat16()
