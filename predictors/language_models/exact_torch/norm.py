"""Root mean square normalization (RMSNorm; Zhang & Sennrich 2019): docs/numerics.md, section 4."""

from typing import Any

from predictors.language_models.exact.linear import NORM_BITS
from predictors.language_models.exact_torch.constants import Constants
from predictors.language_models.exact_torch.rounding import power_of_two, round_rows
from predictors.language_models.exact_torch.torch_module import torch


def normalize(rows: Any, gain: Any, constants: Constants, tops: list[Any]) -> Any:
    """Normalize [M, E] float32 with gains [E] float32.

    Args:
        tops: gets the largest magnitudes, which are not finite if a value is not.
    """
    rounded = round_rows(rows, NORM_BITS)
    tops.append(rounded.top)
    integers = rounded.values.to(torch.int64)
    total = integers.mul_(integers).sum(-1, keepdim=True)
    scale = power_of_two(rounded.unit).double()
    mean = (total.double() * scale * scale) / constants.width
    factor = (constants.one_double / (mean + constants.epsilon).sqrt_()).float()
    return (rows * factor).mul_(gain)
