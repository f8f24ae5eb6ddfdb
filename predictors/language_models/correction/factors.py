"""The trained numbers of a correction: two thin factors of each matrix."""

import math

import torch
from torch import Tensor

from predictors.language_models.correction.matrices import matrices
from predictors.language_models.exact.shape import Shape

SCALE = 2.0
"""The correction of a matrix is SCALE · B A."""


class Factors:
    """Factors of all layers' matrices, as views of one array.

    Attributes:
        rank: columns of B and rows of A.
        flat: [n] float32, all of them. gradient: [n] float32.
        a: by name of the matrix, [L, rank, k]. b: [L, n, rank].
        a_gradient, b_gradient: views of `gradient`.
    """

    def __init__(self, shape: Shape, rank: int, device: str | torch.device = "cpu") -> None:
        self.rank = rank
        sizes = {
            name: (shape.layers * rank * m.inputs, shape.layers * m.outputs * rank)
            for name, m in matrices(shape).items()
        }
        n = sum(sum(pair) for pair in sizes.values())
        self.flat = torch.zeros(n, device=device)
        self.gradient = torch.zeros_like(self.flat)
        self.a, self.b = _views(self.flat, shape, rank)
        self.a_gradient, self.b_gradient = _views(self.gradient, shape, rank)

    def initialize(self, seed: int) -> None:
        """A is normal noise of variance 1 / k, the same on every device, B is 0: no correction."""
        generator = torch.Generator().manual_seed(seed)
        self.flat.zero_()
        for a in self.a.values():
            noise = torch.empty(a.shape).normal_(
                std=1 / math.sqrt(a.shape[-1]), generator=generator
            )
            a.copy_(noise)


def _views(flat: Tensor, shape: Shape, rank: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    a: dict[str, Tensor] = {}
    b: dict[str, Tensor] = {}
    at = 0
    for name, m in matrices(shape).items():
        for views, rows, columns in ((a, rank, m.inputs), (b, m.outputs, rank)):
            n = shape.layers * rows * columns
            views[name] = flat[at : at + n].view(shape.layers, rows, columns)
            at += n
    return a, b
