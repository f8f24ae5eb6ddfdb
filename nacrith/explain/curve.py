"""Bits per byte along a file, and as a path of SVG."""

from dataclasses import dataclass

import numpy as np

from nacrith.explain.rows import CODED, MODEL, Rows

POINTS = 160
"""Of the curve, at most: some five pixels apart, two on a phone."""
POINT_BYTES = 24
"""What a point stands for, at least."""

_HIGH = 0.98
"""Share of the points below the top: one very dear one must not flatten the rest."""
_STEPS = (0.25, 0.5, 1, 2, 4, 8, 16, 32)
"""Bits per byte between two lines of the grid."""
_MOST_LINES = 4


@dataclass(frozen=True)
class Curve:
    """Points at equal distances along the file.

    Attributes:
        row: the row that each begins with.
        model, coded: bits per byte with the language model alone, and as in the file.
        width: bytes of the original from point to point.
    """

    row: list[int]
    model: list[float]
    coded: list[float]
    width: float

    @property
    def step(self) -> float:
        """Bits per byte from line to line of the grid."""
        return next((s for s in _STEPS if s * _MOST_LINES >= self._high), _STEPS[-1])

    @property
    def top(self) -> float:
        """Bits per byte at the upper edge; what is above is cut."""
        return max(self._high, self.step)

    @property
    def _high(self) -> float:
        values = sorted(self.model + self.coded)
        return max(0.1, 1.15 * values[int(_HIGH * (len(values) - 1))])

    def lines(self) -> list[float]:
        """Bits per byte of the lines of the grid, ascending, without 0."""
        return [i * self.step for i in range(1, int(self.top / self.step) + 1)]


def curve_of(rows: Rows) -> Curve:
    """Means of at most `POINTS` parts of the file, each at least `POINT_BYTES`."""
    begins = np.cumsum(rows["size"]) - rows["size"]
    width = max(POINT_BYTES, int(rows["size"].sum()) / POINTS)
    _, first = np.unique((begins / width).astype(np.int64), return_index=True)
    sizes = np.add.reduceat(rows["size"], first)
    bits = np.add.reduceat(rows["bits"], first, axis=0) / np.maximum(sizes, 1)[:, None]
    model, coded = (bits[:, column].round(3).tolist() for column in (MODEL, CODED))
    return Curve(first.tolist(), model, coded, width)


def path(values: list[float], top: float, width: float, height: float) -> str:
    """The `d` of an SVG path through points at equal distances; y = 0 is `top`."""
    x = [width * (i + 0.5) / len(values) for i in range(len(values))]
    y = [height * (1 - min(1.0, value / top)) for value in values]
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
