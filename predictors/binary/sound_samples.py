"""The formats of samples of sound."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined

Bytes = npt.NDArray[np.uint8]

EIGHT_BITS, LITTLE_ENDIAN, BIG_ENDIAN = range(3)
"""Formats of a sample: one byte without sign, two bytes with one."""

MAX_CHANNELS = 8
"""Of the sound that is coded as such; files name the number."""


@inlined
def sample_at(data: Bytes, i: int, kind: int) -> Any:
    """The sample at place i as float64."""
    if kind == EIGHT_BITS:
        return np.float64(np.int64(data[i]) - 128)
    low = np.int64(data[i + (kind == BIG_ENDIAN)])
    high = np.int64(data[i + (kind == LITTLE_ENDIAN)])
    return np.float64((high << 8 | low) - ((high >> 7) << 16))
