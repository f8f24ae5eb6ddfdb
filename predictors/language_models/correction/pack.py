"""From trained factors to int8.

With a largest integer, each row of A and of B has a scale, those of A go into B: the error is
the smallest for integers of so many bits. With a step the whole of a factor has one, and an
entropy coder needs the fewest bits for the same error.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Int8Array = npt.NDArray[np.int8]


LARGEST = 127
"""Of the integers: what int8 holds."""


def pack(
    a: Float32Array, b: Float32Array, rank: int | None = None, largest: int = LARGEST
) -> tuple[Int8Array, Int8Array, Float32Array]:
    """Round the factors of a correction B A.

    Only the product counts, so the factors are first turned to where they are rounded best
    (`balanced`).

    Args:
        a: [r, k]. b: [n, r].
        rank: at most r; the product is cut to that. None = r.
        largest: of the integers, 1 to 127.

    Returns:
        a: [rank, k] int8. b: [n, rank] int8. scale: [n] float32: the correction is about
        (b @ a) · scale[:, None].
    """
    even_a, even_b = balanced(a, b, rank)
    unit = _unit(even_a, largest)
    even_b = even_b * unit
    scale = _rounded_up(_unit(even_b, largest))
    return _rounded(even_a, unit, largest), _rounded(even_b, scale, largest), scale


def pack_evenly(
    a: Float32Array, b: Float32Array, step: float, rank: int | None = None
) -> tuple[Int8Array, Int8Array, Float32Array]:
    """As `pack`, to multiples of `step` root mean squares of a factor: all scales are equal."""
    even = balanced(a, b, rank)
    units = [step * float(np.sqrt(np.mean(x * x))) for x in even]
    int_a, int_b = (
        _rounded(x, np.full(len(x), unit), LARGEST) for x, unit in zip(even, units, strict=True)
    )
    return int_a, int_b, np.full(len(int_b), units[0] * units[1], np.float32)


def _unit(rows: npt.NDArray[np.float64], largest: int) -> Float32Array:
    """What is 1 in each row, if its largest number is to be `largest`."""
    return (np.abs(rows).max(axis=1) / largest).astype(np.float32)


def _rounded_up(x: Float32Array) -> Float32Array:
    """To 8 significant bits (bfloat16): the zeros behind them are compressed well."""
    bits = x.view(np.uint32)
    return ((bits + np.uint32(0xFFFF)) & np.uint32(0xFFFF0000)).view(np.float32)


def _rounded(
    rows: npt.NDArray[np.float64], unit: npt.NDArray[np.floating[Any]], largest: int
) -> Int8Array:
    integers = np.rint(rows / np.where(unit > 0, unit, 1)[:, None])
    return np.clip(integers, -largest, largest).astype(np.int8)


def balanced(
    a: Float32Array, b: Float32Array, rank: int | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Factors of the same product whose columns and rows have about equal weight.

    The singular value decomposition of B A is shared evenly, then turned by an orthogonal
    matrix without small entries, so that no direction is rounded away in the shadow of a
    large one. With a lower rank it is the nearest product of that rank (Eckart & Young 1936).
    """
    qb, rb = np.linalg.qr(b.astype(np.float64))
    qa, ra = np.linalg.qr(a.T.astype(np.float64))
    u, s, vt = np.linalg.svd(rb @ ra.T)
    u, s, vt = u[:, :rank], s[:rank], vt[:rank]
    root = np.sqrt(s)
    turn = _cosines(len(s))
    return turn.T @ (root[:, None] * (vt @ qa.T)), (qb @ u * root) @ turn


def _cosines(n: int) -> npt.NDArray[np.float64]:
    """The orthogonal matrix of the discrete cosine transform, [n, n]."""
    i = np.arange(n)
    turn = np.sqrt(2 / n) * np.cos(np.pi * (2 * i + 1) * i[:, None] / (2 * n))
    turn[0] /= np.sqrt(2)
    return turn.T
