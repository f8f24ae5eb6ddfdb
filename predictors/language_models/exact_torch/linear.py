"""The linear layer: rows are rounded, cut into limbs, multiplied, and scaled; section 3."""

from typing import Any, NamedTuple

from predictors.language_models.exact_torch.product import Product, limbs_of
from predictors.language_models.exact_torch.rounding import (
    power_of_two,
    round_outliers,
    round_rows,
)


class Linear(NamedTuple):
    """A matrix of n outputs.

    Attributes:
        product: its integers.
        scale: [n] float32, what they are worth.
        bits: of the activations.
        by_bytes: whether these are rounded to bytes with outliers, or to `bits`.
    """

    product: Product
    scale: Any
    bits: int
    by_bytes: bool


def apply(linear: Linear, rows: Any, tops: list[Any]) -> Any:
    """[M, k] float32 times the matrix, [M, n] float32; `tops`: see `normalize`."""
    rounding = round_outliers if linear.by_bytes else round_rows
    rounded = rounding(rows, linear.bits)
    tops.append(rounded.top)
    sums = linear.product(limbs_of(rounded.values), len(rows))
    # The sums are rounded to float32 as they are multiplied.
    return (power_of_two(rounded.unit) * linear.scale).mul_(sums)
