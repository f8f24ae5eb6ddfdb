"""Numbers that operations need as tensors on the device.

A division by a Python number is a product with its reciprocal on CUDA, and so rounded twice:
divisors must be tensors.
"""

from typing import Any, NamedTuple

import numpy as np

from predictors.language_models.exact.exp2 import (
    EXP2_BITS,
    FRACTION_BITS,
    write_exp2_negative,
)
from predictors.language_models.exact.shape import Shape
from predictors.language_models.exact_torch.torch_module import torch

# From this distance on, a weight of 2**-30 is 0: 31 bits.
_DISTANCES = (EXP2_BITS + 1) << FRACTION_BITS

# See `predictors.language_models.exact.cache`.
_MIN_SCALE = 2.0**-100


class Constants(NamedTuple):
    """On one device.

    Attributes:
        one, int8_max, min_scale: [] float32: 1, 127, and the least scale of a key or value.
        width: [] float64, E.
        one_double: [] float64.
        epsilon: [] float64, of the normalization.
        powers: [31 * 2**12 + 1] int32: 2**(-i / 4096) in 2**-30, as `exp2_negative`; the last
            is 0.
    """

    one: Any
    int8_max: Any
    min_scale: Any
    width: Any
    one_double: Any
    epsilon: Any
    powers: Any


def new_constants(shape: Shape, epsilon: float, device: Any) -> Constants:
    """Put the constants of a model on a device."""

    def single(value: float) -> Any:
        return torch.tensor(value, dtype=torch.float32, device=device)

    def double(value: float) -> Any:
        return torch.tensor(value, dtype=torch.float64, device=device)

    powers = np.empty(_DISTANCES + 1, dtype=np.int32)
    write_exp2_negative(powers)
    return Constants(
        one=single(1),
        int8_max=single(127),
        min_scale=single(_MIN_SCALE),
        width=double(shape.width),
        one_double=double(1),
        epsilon=double(epsilon),
        powers=torch.from_numpy(powers).to(device),
    )
