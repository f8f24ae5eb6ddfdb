"""Numbers made few enough for contexts."""

from typing import Any

import numpy as np

from coder.kernels import inlined
from predictors.mixing.logistic import bit_length


@inlined
def level(x: int) -> Any:
    """A number ≥ 0 in two steps to each power of two: 0, 1, 2, 3, 4–5, 6–7, 8–11, 12–15 ..."""
    if x < 4:
        return np.int64(x)
    n = bit_length(x)
    return 4 + 2 * (n - 3) + ((np.int64(x) >> (n - 2)) & 1)


@inlined
def fine_level(x: int) -> Any:
    """A number ≥ 0 in four steps to each power of two, from 8 on."""
    if x < 8:
        return np.int64(x)
    n = bit_length(x)
    return 8 + 4 * (n - 4) + ((np.int64(x) >> (n - 3)) & 3)


@inlined
def few(x: int, most: int) -> Any:
    """At most so much."""
    return min(np.int64(x), np.int64(most))


@inlined
def signed(x: int, most: int) -> Any:
    """From -most to most, as a number from 0 on."""
    return min(max(np.int64(x), -np.int64(most)), np.int64(most)) + most


@inlined
def rounded(a: int, b: int) -> Any:
    """a / b rounded, b > 0."""
    return (2 * a + b) // (2 * b)
