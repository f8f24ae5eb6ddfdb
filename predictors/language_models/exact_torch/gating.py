"""The gated layer (SwiGLU; Shazeer 2020): docs/numerics.md, section 7."""

from typing import Any

from predictors.language_models.exact.exp2 import LOG2_E
from predictors.language_models.exact_torch.constants import Constants
from predictors.language_models.exact_torch.rounding import power_of_two
from predictors.language_models.exact_torch.torch_module import torch

# 2**f on [-1/2, 1/2] as a polynomial of f, highest power first.
_RISING = (0.00134004, 0.00967604, 0.05550327, 0.24022107, 0.69314718, 1.0)
_MAX_EXPONENT = 126.0


def gated(gates: Any, ups: Any, constants: Constants) -> Any:
    """[M, n] float32 gates times their sigmoids times what they gate, [M, n] float32."""
    t = (gates.neg().mul_(float(LOG2_E))).clamp_(-_MAX_EXPONENT, _MAX_EXPONENT)
    n = t.round()
    f = t.sub_(n)
    # Product and sum are operations of their own: nothing may fuse them.
    p = f.mul(_RISING[0])
    for c in _RISING[1:-1]:
        p.add_(c).mul_(f)
    p.add_(_RISING[-1])
    p.mul_(power_of_two(n.to(torch.int32))).add_(1.0)
    return torch.div(constants.one, p).mul_(gates).mul_(ups)
