"""What a frame header (SOF) says: the components of a picture, and how their blocks lie."""

import struct
from typing import Any, NamedTuple

import numpy as np

from predictors.jpeg.layout import (
    COEFFICIENTS,
    HEIGHT,
    WIDTH,
    Coefficients,
    Components,
    new_coefficients,
)

MAX_COEFFICIENTS = 1 << 25
"""Of a picture that is opened: 64 MiB, two bytes each."""

MAX_COMPONENTS = 4
_MAX_SAMPLING = 4
_MAX_QUANTIZATION_TABLES = 4


class FrameHeader(NamedTuple):
    """Attributes:
    progressive: are there several scans of the same coefficients?
    ids: of the components.
    components: see `predictors.jpeg.layout`.
    mcus: how many MCUs lie across and down.
    """

    progressive: bool
    ids: tuple[int, ...]
    components: Components
    mcus: tuple[int, int]

    def new_coefficients(self) -> Coefficients:
        """Zeros."""
        return new_coefficients(self.components)


def read_frame_header(body: bytes, progressive: bool) -> FrameHeader | None:
    """Read a frame header (T.81, B.2.2); None if there can't be such a picture, or a larger one.

    Args:
        body: what follows the length.
    """
    if len(body) < 6:
        return None
    precision, height, width, n = struct.unpack_from(">BHHB", body)
    if precision != 8 or not height or not width or not 1 <= n <= MAX_COMPONENTS:
        return None
    if len(body) != 6 + 3 * n:
        return None
    rows: list[list[int]] = []
    ids = []
    for i in range(n):
        name, sampling, table = body[6 + 3 * i : 9 + 3 * i]
        across, down = sampling >> 4, sampling & 15
        if not (1 <= across <= _MAX_SAMPLING and 1 <= down <= _MAX_SAMPLING):
            return None
        if table >= _MAX_QUANTIZATION_TABLES:
            return None
        ids.append(name)
        rows.append([across, down, table])
    most_across, most_down = max(row[0] for row in rows), max(row[1] for row in rows)
    mcus = _ceil(width, 8 * most_across), _ceil(height, 8 * most_down)
    first = 0
    for row in rows:
        across, down, _ = row
        used = _ceil(_ceil(width * across, most_across), 8)
        used_down = _ceil(_ceil(height * down, most_down), 8)
        row += [mcus[0] * across, mcus[1] * down, used, used_down, first]
        first += row[WIDTH] * row[HEIGHT]
    if first * COEFFICIENTS > MAX_COEFFICIENTS or len(set(ids)) != n:
        return None
    components: Any = np.array(rows, dtype=np.int64)
    return FrameHeader(progressive, tuple(ids), components, mcus)


def _ceil(a: int, b: int) -> int:
    return -(-a // b)
