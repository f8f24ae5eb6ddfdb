"""Names beside points of a plot, so that no name covers a point, a line or another name."""

from collections.abc import Sequence
from typing import Any, NamedTuple

_GAP = 7.0
"""Pixels between a point and its name."""
_FARTHER = (1.0, 2.2, 3.6, 5.2, 7.0)
"""Where there is no room, the name is put so many times as far away, with a line to it."""


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )


def place(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    taken: Sequence[Box],
    inside: Box,
) -> list[Box]:
    """Where each name goes; one for which there is no room lies over something.

    Args:
        points: x and y of each point in pixels.
        sizes: width and height of each name.
        taken: points and lines that nothing may cover.
        inside: the plot.
    """
    placed: list[Box] = []
    for (x, y), (w, h) in zip(points, sizes, strict=True):
        found = [
            Box(left, bottom, left + w, bottom + h)
            for away in _FARTHER
            for left, bottom in _around(x, y, w, h, away * _GAP)
        ]
        free = (
            box
            for box in found
            if _is_within(box, inside) and not any(box.overlaps(t) for t in (*taken, *placed))
        )
        placed.append(next(free, found[0]))
    return placed


def _around(x: float, y: float, w: float, h: float, gap: float) -> list[tuple[float, float]]:
    """Left and bottom of a name in eight places around a point, the best first."""
    return [
        (x - w / 2, y + gap), (x + gap, y - h / 2),
        (x - w / 2, y - gap - h), (x - gap - w, y - h / 2),
        (x + gap, y + gap), (x - gap - w, y + gap),
        (x + gap, y - gap - h), (x - gap - w, y - gap - h),
    ]  # fmt: skip


def _is_within(box: Box, inside: Box) -> bool:
    return (
        box.left >= inside.left
        and box.bottom >= inside.bottom
        and box.right <= inside.right
        and box.top <= inside.top
    )


def annotate(
    figure: Any,
    axes: Any,
    names: Sequence[str],
    data: Sequence[tuple[float, float]],
    taken: Sequence[Box],
    size: float,
) -> list[Any]:
    """Write names beside the points of `axes` (matplotlib), whose limits must be set by now.

    Args:
        data: of the points, in the units of the axes.
        taken: as of `place`; `pixel_box` makes one.
        size: of the letters in points.

    Returns:
        The texts.
    """  # fmt: skip
    renderer = figure.canvas.get_renderer()
    frame = Box(*axes.get_window_extent().extents)
    points = [tuple(axes.transData.transform(point)) for point in data]
    texts, sizes = [], []
    for name in names:
        text = axes.text(0, 0, name, fontsize=size, va="bottom", transform=None, zorder=4)
        # No line of the grid strikes it.
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.5})
        box = text.get_window_extent(renderer)
        texts.append(text)
        sizes.append((box.width, box.height))
    own = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    for text, box, (x, y) in zip(
        texts, place(points, sizes, [*taken, *own], frame), points, strict=True
    ):
        left, bottom = axes.transData.inverted().transform((box.left, box.bottom))
        text.set_transform(axes.transData)
        text.set_position((left, bottom))
        near_x = min(max(x, box.left), box.right)
        near_y = min(max(y, box.bottom), box.top)
        if max(abs(near_x - x), abs(near_y - y)) > 2 * _GAP:
            ends = axes.transData.inverted().transform([(x, y), (near_x, near_y)])
            axes.plot(*ends.T, color="#999999", linewidth=0.6, zorder=1)
    return texts


def pixel_box(axes: Any, begin: tuple[float, float], end: tuple[float, float], width: float) -> Box:
    """What a horizontal or vertical line takes, in pixels; `width`: on either side."""
    (x0, y0), (x1, y1) = axes.transData.transform([begin, end])
    return Box(min(x0, x1) - width, min(y0, y1) - width, max(x0, x1) + width, max(y0, y1) + width)
