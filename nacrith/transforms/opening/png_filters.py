"""The filters of a PNG picture (PNG specification, 9): rows as they are stored ↔ pixels.

In front of each row stands a byte, the filter that it went through: its bytes less what the filter
predicts of the pixels around. Which filters were used is coded beside the pixels: most programs
take the same for all rows, or the one whose bytes have the least sum (PNG specification, 12.8).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import inlined, njit
from nacrith.errors import FormatError
from nacrith.transforms.deflate.adaptive_numbers import Table, code_choice, code_flag, new_table
from nacrith.transforms.opening.limits import Rows

Bytes = npt.NDArray[np.uint8]

_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)
FILTERS = 5

_KNOWN_BITS = 3
"""A filter takes so many bits; the numbers from `FILTERS` on are none."""

_NUMBERS = 1 << _KNOWN_BITS
_CONTEXTS = FILTERS * _NUMBERS + _NUMBERS * _NUMBERS
_BITS_PER_ROW = 1 + _KNOWN_BITS

_AT_ONCE = 1 << 10
"""Rows for which room is made in front of the kernel."""


def unfilter(content: bytes, rows: Rows) -> tuple[Bytes, Bytes] | None:
    """Take the filters off.

    Args:
        content: whole rows, each behind its filter.

    Returns:
        The pixels, [n * (rows.row - 1)] uint8, and the filters, [n] uint8; None if these are not
        whole rows, or some filter is none.
    """
    if not content or rows.row < 2 or len(content) % rows.row:
        return None
    stored = np.frombuffer(content, dtype=np.uint8).reshape(-1, rows.row)
    filters = stored[:, 0].copy()
    if filters.max() >= FILTERS:
        return None
    pixels = np.ascontiguousarray(stored[:, 1:])
    _transform(pixels, filters, rows.pixel, False)
    return pixels.reshape(-1), filters


def refilter(pixels: Bytes, filters: Bytes, rows: Rows) -> bytes:
    """Inverse of `unfilter`."""
    stored = np.empty((len(filters), rows.row), dtype=np.uint8)
    stored[:, 0] = filters
    shown = pixels.reshape(-1, rows.row - 1).copy()
    _transform(shown, filters, rows.pixel, True)
    stored[:, 1:] = shown
    return stored.tobytes()


class FilterCoding:
    """Codes the filters of the pictures of a frame."""

    def __init__(self, coder: Coder, check: Callable[[], None] = lambda: None) -> None:
        """`check`: called now and then; may raise."""
        self._coder = coder
        self._check = check
        self._table = new_table(_CONTEXTS)

    def code(self, pixels: Bytes, rows: Rows, given: Bytes | None = None) -> Bytes:
        """Code the filters of a picture, given when encoding; return them, [n] uint8.

        Args:
            pixels: [n * (rows.row - 1)] uint8.

        Raises:
            FormatError: the file is damaged.
        """
        shown = pixels.reshape(-1, rows.row - 1)
        filters = np.zeros(len(shown), dtype=np.uint8) if given is None else given.copy()
        for begin in range(0, len(shown), _AT_ONCE):
            self._check()
            end = min(begin + _AT_ONCE, len(shown))
            state = self._coder.kernel_state((end - begin) * _BITS_PER_ROW)
            _code_filters(state, self._table, shown, filters, rows.pixel, begin, end)
        if filters.max() >= FILTERS:
            raise FormatError("a frame is damaged: it names a filter of PNG that is none")
        return filters


@inlined
def _prediction(kind: int, a: int, b: int, c: int) -> Any:
    """What a filter predicts, by the byte of the pixel before, the one above, and the one before
    that; int64."""
    if kind == _NONE:
        return np.int64(0)
    if kind == _SUB:
        return a
    if kind == _UP:
        return b
    if kind == _AVERAGE:
        return (a + b) >> 1
    p = a + b - c
    to_a, to_b, to_c = abs(p - a), abs(p - b), abs(p - c)
    if to_a <= to_b and to_a <= to_c:
        return a
    return b if to_b <= to_c else c


@inlined
def _at(pixels: Bytes, y: int, x: int) -> Any:
    """A byte of the picture, around which all is 0; int64."""
    return np.int64(pixels[y, x]) if x >= 0 and y >= 0 else np.int64(0)


@njit(cache=True)
def _transform(pixels: Bytes, filters: Bytes, pixel: int, filters_them: bool) -> None:
    """Filter [n, width] uint8 in place, or take the filters off."""
    n, width = pixels.shape
    for row in range(n):
        # What a filter looks at are the pixels: when filtering, those not yet overwritten.
        y = n - 1 - row if filters_them else row
        kind = np.int64(filters[y])
        for place in range(width):
            x = width - 1 - place if filters_them else place
            a, b = _at(pixels, y, x - pixel), _at(pixels, y - 1, x)
            predicted = _prediction(kind, a, b, _at(pixels, y - 1, x - pixel))
            byte = np.int64(pixels[y, x])
            byte = byte - predicted if filters_them else byte + predicted
            pixels[y, x] = np.uint8(byte & 255)


@njit(cache=True)
def _least_sum(pixels: Bytes, y: int, pixel: int) -> Any:
    """The filter that leaves the least sum of a row's bytes, those from 128 on taken as negative;
    the first of equals; int64."""
    sums = np.zeros(FILTERS, dtype=np.int64)
    for x in range(pixels.shape[1]):
        byte = np.int64(pixels[y, x])
        a, b = _at(pixels, y, x - pixel), _at(pixels, y - 1, x)
        c = _at(pixels, y - 1, x - pixel)
        for kind in range(FILTERS):
            left = (byte - _prediction(kind, a, b, c)) & 255
            sums[kind] += min(left, 256 - left)
    least = np.int64(0)
    for kind in range(1, FILTERS):
        if sums[kind] < sums[least]:
            least = np.int64(kind)
    return least


@njit(cache=True)
def _code_filters(
    coder: Any, table: Table, pixels: Bytes, filters: Bytes, pixel: int, begin: int, end: int
) -> None:
    """Code the filters of the rows from `begin` up to `end`."""
    for y in range(begin, end):
        before = np.int64(filters[y - 1]) if y > 0 else np.int64(0)
        expected = _least_sum(pixels, y, pixel)
        context = expected * _NUMBERS + before
        if code_flag(coder, table, context, filters[y] == expected):
            filters[y] = np.uint8(expected)
        else:
            context = FILTERS * _NUMBERS + before * _NUMBERS
            filters[y] = np.uint8(code_choice(coder, table, context, _KNOWN_BITS, filters[y]))
