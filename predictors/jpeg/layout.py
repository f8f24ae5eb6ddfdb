"""How the blocks of a picture's components lie in one array, and in which order they are coded."""

from typing import Any

import numpy as np
import numpy.typing as npt

COEFFICIENTS = 64
"""In a block."""

MOST = 2047
"""No coefficient is larger."""

# Columns of `Components`: blocks of a component in an MCU, across and down; its quantization
# table; its blocks across and down, whole MCUs; those that hold pixels; the first of its blocks.
ACROSS, DOWN, QUANTIZED_BY, WIDTH, HEIGHT, USED_WIDTH, USED_HEIGHT, FIRST = range(8)

Components = npt.NDArray[np.int64]
"""[n, 8], n from 1 to 4."""

Coefficients = npt.NDArray[np.int16]
"""[blocks + 1, 64], in rows of a block; the last block is none, and all zeros."""


def count_blocks(components: Components) -> int:
    """Of all components."""
    last = components[-1]
    return int(last[FIRST] + last[WIDTH] * last[HEIGHT])


def new_coefficients(components: Components) -> Coefficients:
    """Zeros."""
    return np.zeros((count_blocks(components) + 1, COEFFICIENTS), dtype=np.int16)


def _zigzag() -> npt.NDArray[np.int64]:
    places = [(y, x) for y in range(8) for x in range(8)]

    def order(place: tuple[int, int]) -> tuple[int, int]:
        y, x = place
        return x + y, y if (x + y) % 2 else x

    return np.array([8 * y + x for y, x in sorted(places, key=order)], dtype=np.int64)


ZIGZAG: Any = _zigzag()
"""[64] int64: places in rows of a block in the order of T.81, figure 5."""

INTERIOR: Any = np.array([k for k in ZIGZAG if k % 8 and k // 8], dtype=np.int64)
"""[49] int64: those of them that are neither in the first row nor in the first column."""
