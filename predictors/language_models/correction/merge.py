"""The weights of a model with a correction: docs/numerics.md, section 2.1."""

import numpy as np
import numpy.typing as npt

MAX_RANK = ((1 << 24) - 1) // (127 * 127)
"""Up to here every sum of the product stays below 2**24, which float32 holds exactly."""

Int8Array = npt.NDArray[np.int8]
Float32Array = npt.NDArray[np.float32]


def merged(weights: Float32Array, a: Int8Array, b: Int8Array, scale: Float32Array) -> Float32Array:
    """f32(w + f32(f32(sum of b · a) · scale of the row)).

    The sums are integers below 2**24: float32 holds each partial sum exactly, so they are the
    same on any BLAS, in any order.

    Args:
        weights: [n, k]. a: [r, k], b: [n, r], within ± 127. scale: [n].

    Returns:
        [n, k] float32.
    """
    total = b.astype(np.float32) @ a.astype(np.float32)
    total *= scale[:, None]
    total += weights
    return total
