"""Rounding of float32 rows to integers with a common power of two.

docs/numerics.md, section 1; with outliers, section 3.1.
"""

from typing import Any, NamedTuple

from predictors.language_models.exact.outliers import BYTE_BITS, outlier_bits, wide_quads_of
from predictors.language_models.exact.panels import QUAD
from predictors.language_models.exact.rounding import EXPONENT_BIAS, MANTISSA_BITS
from predictors.language_models.exact_torch.torch_module import torch

# The exponent field of a value in [1/2, 1), so that x < 2**(field - this).
_FIELD_OF_HALF = EXPONENT_BIAS - 1
_MIN_EXPONENT = -100

# From this many units on, the nearest integer does not fit a signed byte.
_LEAST_WIDE = 127.5


class Rounded(NamedTuple):
    """Rows as integers.

    Attributes:
        values: [..., k] float32, integers.
        unit: [..., 1] int32: an integer is worth 2 to this power.
        top: [..., 1] float32, the largest magnitude of the row; not finite if one value is not.
    """

    values: Any
    unit: Any
    top: Any


def exponent_of(top: Any) -> Any:
    """The smallest e ≥ -100 with x < 2**e, int32, for finite float32 x ≥ 0.

    Read from the bits: a logarithm of a library need not be right.
    """
    return ((top.view(torch.int32) >> MANTISSA_BITS) - _FIELD_OF_HALF).clamp_(min=_MIN_EXPONENT)


def power_of_two(i: Any) -> Any:
    """2**i as float32, for int32 -126 ≤ i ≤ 127."""
    return ((i + EXPONENT_BIAS) << MANTISSA_BITS).view(torch.float32)


def round_rows(rows: Any, bits: int) -> Rounded:
    """`round_row` of [..., k] float32, bits ≤ 20: within ± (2**bits - 1)."""
    top = rows.abs().amax(-1, keepdim=True)
    unit = exponent_of(top) - bits
    limit = (1 << bits) - 1
    # torch.round rounds half to even.
    values = (rows * power_of_two(-unit)).round_().clamp_(-limit, limit)
    return Rounded(values, unit, top)


def round_outliers(rows: Any, bits: int) -> Rounded:
    """Round to the least unit in which all but a few quads of each row fit a signed byte.

    Args:
        rows: [..., k] float32, k a multiple of 4.
        bits: of the matrix.
    """
    quads = rows.abs().unflatten(-1, (-1, QUAD)).amax(-1)
    top = quads.amax(-1, keepdim=True)
    most = outlier_bits(bits)
    unit = exponent_of(top) - most
    # In a larger unit fewer quads are wide, so the units in which too many are come first.
    steps = most - BYTE_BITS + 1
    if steps > 0:
        tried = unit + torch.arange(steps, dtype=torch.int32, device=rows.device)
        least = power_of_two(tried) * _LEAST_WIDE
        wide = (quads.unsqueeze(-1) >= least.unsqueeze(-2)).sum(-2)
        too_many = (wide > wide_quads_of(rows.shape[-1])).sum(-1, keepdim=True, dtype=torch.int32)
        unit = unit + too_many
    # torch.round rounds half to even.
    values = (rows * power_of_two(-unit)).round_()
    return Rounded(values, unit, top)
