"""What a block's first row and column of coefficients are if pixels go on across its borders.

For each frequency along a border, rows of pixels beside it are compared: a coefficient of the first
row (for the border above) is what makes the first row of pixels go on from the last ones of the
block above, by the mean slope of both sides; all other coefficients of its column must be known. As
in Lepton (Horn and others 2017), there in pixels for DC and without slopes for the others.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined

_COSINES = (8192, 8035, 7568, 6811, 5793, 4551, 3135, 1598)
"""cos(k pi / 16) in 2**-13."""

FIRST_FACTOR = 5793
"""Of a row's first coefficient in each of its pixels: cos(pi / 4) in 2**-13."""


def _basis() -> Any:
    """[8, 8] int64: the factor of frequency k in pixel y."""

    def cosine(k: int) -> int:
        k %= 32
        k = min(k, 32 - k)
        return _COSINES[k] if k < 8 else (0 if k == 8 else -_COSINES[16 - k])

    rows = [[cosine((2 * y + 1) * k) for y in range(8)] for k in range(8)]
    rows[0] = [FIRST_FACTOR] * 8
    return np.array(rows, dtype=np.int64)


BASIS = _basis()

ABOVE, LEFT = range(2)

Border = namedtuple("Border", "last before_last first second")
Border.__doc__ = """Of the blocks beside a block, and of itself; all [2, 8] int64 in 2**-13.

By side and frequency along that border: the two rows of pixels of the neighbor that are nearest to
it, and the block's own first two, as far as its coefficients are known.
"""


def new_border() -> Border:
    """All zeros."""
    return Border(*(np.zeros((2, 8), dtype=np.int64) for _ in range(4)))


@inlined
def add(border: Border, place: int, value: int) -> None:
    """Take note of a dequantized coefficient of the block."""
    y, x = place >> 3, place & 7
    if y:
        border.first[ABOVE, x] += BASIS[y, 0] * value
        border.second[ABOVE, x] += BASIS[y, 1] * value
    if x:
        border.first[LEFT, y] += BASIS[x, 0] * value
        border.second[LEFT, y] += BASIS[x, 1] * value


@inlined
def expected(border: Border, side: int, k: int) -> Any:
    """What coefficient k along a border is, in `1 / FIRST_FACTOR`, with slopes."""
    last, before = border.last[side, k], border.before_last[side, k]
    first, second = border.first[side, k], border.second[side, k]
    return last - first + ((last - before + second - first) >> 1)


@inlined
def expected_flat(border: Border, side: int, k: int) -> Any:
    """The same without slopes."""
    return border.last[side, k] - border.first[side, k]


@inlined
def write_inputs(border: Border, side: int, k: int, scale: float, inputs: Any, first: int) -> None:
    """Write the four rows of pixels, of coefficient k along a border, from place `first` on."""
    inputs[first] = border.last[side, k] * scale
    inputs[first + 1] = border.before_last[side, k] * scale
    inputs[first + 2] = border.first[side, k] * scale
    inputs[first + 3] = border.second[side, k] * scale


@inlined
def last_rows(block: Any, quantized: npt.NDArray[np.int64], below: Any, right: Any) -> None:
    """Write the last rows and columns of pixels of a block, for those below and on the right.

    Args:
        block: [64], its coefficients. quantized: [64], their units.
        below, right: [2, 8] int64, the last one first.
    """
    for k in range(8):
        for j in range(2):
            below[j, k] = 0
            right[j, k] = 0
    for place in range(64):
        value = np.int64(block[place])
        if value:
            value *= quantized[place]
            y, x = place >> 3, place & 7
            for j in range(2):
                below[j, x] += BASIS[y, 7 - j] * value
                right[j, y] += BASIS[x, 7 - j] * value
