"""From trained factors to int8: a scale per row of B; the scales of A's rows go into B."""

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Int8Array = npt.NDArray[np.int8]


def pack(a: Float32Array, b: Float32Array) -> tuple[Int8Array, Int8Array, Float32Array]:
    """Round the factors of a correction B A.

    Only the product counts, so the factors are first turned to where they are rounded best
    (`balanced`).

    Args:
        a: [r, k]. b: [n, r].

    Returns:
        a: [r, k] int8. b: [n, r] int8. scale: [n] float32: the correction is about
        (b @ a) · scale[:, None].
    """
    even_a, even_b = balanced(a, b)
    rounded_a, unit = _rounded(even_a)
    rounded_b, scale = _rounded(even_b * unit)
    return rounded_a, rounded_b, scale


def _rounded(rows: npt.NDArray[np.float64]) -> tuple[Int8Array, Float32Array]:
    """int8, and what is 1 in each row."""
    unit = (np.abs(rows).max(axis=1) / 127).astype(np.float32)
    integers = np.rint(rows / np.where(unit > 0, unit, 1)[:, None])
    return np.clip(integers, -127, 127).astype(np.int8), unit


def balanced(
    a: Float32Array, b: Float32Array
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Factors of the same product whose columns and rows have about equal weight.

    The singular value decomposition of B A is shared evenly, then turned by an orthogonal
    matrix without small entries, so that no direction is rounded away in the shadow of a
    large one.
    """
    qb, rb = np.linalg.qr(b.astype(np.float64))
    qa, ra = np.linalg.qr(a.T.astype(np.float64))
    u, s, vt = np.linalg.svd(rb @ ra.T)
    root = np.sqrt(s)
    turn = _cosines(len(s))
    return turn.T @ (root[:, None] * (vt @ qa.T)), (qb @ u * root) @ turn


def _cosines(n: int) -> npt.NDArray[np.float64]:
    """The orthogonal matrix of the discrete cosine transform, [n, n]."""
    i = np.arange(n)
    turn = np.sqrt(2 / n) * np.cos(np.pi * (2 * i + 1) * i[:, None] / (2 * n))
    turn[0] /= np.sqrt(2)
    return turn.T
