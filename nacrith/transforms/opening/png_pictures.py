"""What a PNG picture holds, as pixels, if there is a model for pictures of its kind."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nacrith.transforms.opening.limits import Rows
from nacrith.transforms.opening.png_filters import unfilter
from predictors.binary.parts import Part, of_png, problem

LEAST_PIXELS = 1 << 11
"""Bytes of a picture, below which a model of its own does not pay."""


class Unfiltered(NamedTuple):
    """A PNG picture without its filters.

    Attributes:
        pixels: its bytes, row by row.
        filters: [n] uint8, of each row.
    """

    pixels: bytes
    filters: npt.NDArray[np.uint8]


def unfiltered(content: bytes, rows: Rows) -> Unfiltered | None:
    """The pixels of what a PNG picture holds; None if it stays as it is stored.

    The other kinds (2 or 4 bits a pixel) are as small with their filters.
    """
    width = rows.row - 1
    if len(content) // rows.row * width < LEAST_PIXELS:
        return None
    model = of_png(width, rows.bits)
    if model is None or problem(Part(model[0], len(content), model[1])):
        return None
    found = unfilter(content, rows)
    return Unfiltered(found[0].tobytes(), found[1]) if found else None
