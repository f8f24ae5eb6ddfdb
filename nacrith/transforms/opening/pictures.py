"""What a PNG picture holds, as pixels if these are smaller than its rows as they are stored."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nacrith.transforms.opening.limits import Rows
from nacrith.transforms.opening.png_filters import unfilter
from predictors.binary.parts import Model, Part, coded_size, of_picture, problem

Bytes = npt.NDArray[np.uint8]

LEAST_PIXELS = 1 << 11
"""Bytes of a picture, below which a model of its own does not pay."""

_SAMPLE_SHARE = 8
_LEAST_SAMPLE, _LARGEST_SAMPLE = 1 << 12, 1 << 15
"""A sample is one byte in so many, within these bounds: all of it is coded three times."""

_PLACES = 4
"""Rows of a sample are from so many places: much of a screen is empty."""

_LEAST_ROWS = 2
"""In a row, at each place."""


class Picture(NamedTuple):
    """A PNG picture without its filters.

    Attributes:
        pixels: its bytes, row by row.
        filters: [n] uint8, of each row.
        part: how the pixels are coded.
    """

    pixels: bytes
    filters: Bytes
    part: Part


def as_picture(content: bytes, rows: Rows) -> Picture | None:
    """The pixels of what a PNG picture holds.

    Returns:
        None if this is no picture, or one that is smaller with its filters, by a sample.
    """
    width = rows.row - 1
    n = len(content) // rows.row
    if n * width < LEAST_PIXELS or not (found := unfilter(content, rows)):
        return None
    pixels, filters = found
    stored = np.frombuffer(content, dtype=np.uint8).reshape(n, rows.row)
    sample = _sample(n, width)
    parts = [Part(Model.BYTES, len(pixels), (max(width, 2),))]
    if model := of_picture(width, rows.bits):
        parts.append(Part(model[0], len(pixels), model[1]))
    shown = pixels.reshape(n, width)[sample].reshape(-1)
    sizes = {part: coded_size(shown, part) for part in parts if not problem(part)}
    if not sizes:
        return None
    as_stored = Part(Model.BYTES, len(content), (rows.row,))
    part = min(sizes, key=sizes.__getitem__)
    if sizes[part] > coded_size(stored[sample].reshape(-1), as_stored):
        return None
    return Picture(pixels.tobytes(), filters, part)


def _sample(n: int, width: int) -> npt.NDArray[np.int64]:
    """Which of n rows are in a sample, ascending."""
    size = min(max(n * width // _SAMPLE_SHARE, _LEAST_SAMPLE), _LARGEST_SAMPLE)
    wanted = min(max(size // width, _LEAST_ROWS), n)
    places = max(min(_PLACES, wanted // _LEAST_ROWS), 1)
    in_a_row = wanted // places
    begins = (n - in_a_row) * (2 * np.arange(places) + 1) // (2 * places)
    return np.unique(begins[:, None] + np.arange(in_a_row))
