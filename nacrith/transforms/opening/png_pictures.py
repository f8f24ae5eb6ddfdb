"""What a PNG picture holds, as pixels, if there is a model for pictures of its kind."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nacrith.transforms.opening.limits import Rows
from nacrith.transforms.opening.png_filters import unfilter
from predictors.binary.parts import Model, Part, coded_size, of_png, problem

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
    if not found or not (rows.bits in _SURE or _is_smaller(content, found[0], rows)):
        return None
    return Unfiltered(found[0].tobytes(), found[1])


_SURE = (1, 8, 24, 32)
"""Bits of pixels that there is a model for. Of the others some are smaller with their filters."""

_SAMPLE = 1 << 14
"""Bytes that are coded both ways."""

_SAMPLED_WIDTH = 1 << 9
"""Bytes of a row that are in the sample, so that most rows in it have one above them."""


def _is_smaller(content: bytes, pixels: npt.NDArray[np.uint8], rows: Rows) -> bool:
    """Is the middle smaller as pixels than with their filters?"""
    width = min(rows.row - 1, _SAMPLED_WIDTH // rows.pixel * rows.pixel)
    all_rows = len(content) // rows.row
    n = min(_SAMPLE // width, all_rows)
    begin = (all_rows - n) // 2
    middle = slice(begin, begin + n)
    all_stored = np.frombuffer(content, dtype=np.uint8).reshape(-1, rows.row)
    stored = all_stored[middle, : width + 1].reshape(-1)
    shown = pixels.reshape(-1, rows.row - 1)[middle, :width].reshape(-1)
    model = of_png(width, rows.bits)
    with_filters = Part(Model.BYTES, len(stored), (width + 1,))
    if model is None or problem(with_filters):
        return True
    as_pixels = Part(model[0], len(shown), model[1])
    return coded_size(shown, as_pixels) < coded_size(stored, with_filters)
