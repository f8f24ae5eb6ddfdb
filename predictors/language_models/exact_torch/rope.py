"""Rotary positions (RoPE; Su et al. 2021): docs/numerics.md, section 5.

Cosines and sines of a position are computed by the processor, with the kernel of `exact`: they
are a few hundred numbers for all streams of a step.
"""

from typing import Any

from predictors.language_models.exact_torch.torch_module import torch


def rotate(heads: Any, cosines: Any, sines: Any) -> Any:
    """Rotate the pairs (2 i, 2 i + 1) of heads; elements after the last pair stay.

    Args:
        heads: [n, S, h, d] float32, of n positions of S streams.
        cosines, sines: [n, pairs] float32, pairs ≤ d / 2.
    """
    pairs = cosines.shape[-1]
    c, s = cosines[:, None, None], sines[:, None, None]
    a, b = heads[..., 0 : 2 * pairs : 2], heads[..., 1 : 2 * pairs : 2]
    rotated = torch.stack([(a * c).sub_(b * s), (a * s).add_(b * c)], dim=-1).flatten(-2)
    if 2 * pairs == heads.shape[-1]:
        return rotated
    return torch.cat([rotated, heads[..., 2 * pairs :]], dim=-1)
