"""Linear prediction by least squares that forgets, for several channels in turn.

Sums of products of the inputs and of inputs and outcome, which lose a share with each outcome, give
normal equations; now and then they are solved by Cholesky's method without roots (LDL'). All in
single float64 operations of a given order, which IEEE 754 rounds correctly: the same everywhere.
"""

from collections import namedtuple
from typing import Any

import numpy as np

from coder.kernels import inlined, njit

_REGULARIZATION = 1.0
"""Added to the diagonal: weights of inputs that say nothing stay near 0."""

_LEAST_PIVOT = 1e-6
"""Below this the equations are not solved, and the weights stay as they are."""

Sums = namedtuple("Sums", "inputs products outcomes weights lower scratch forget")
Sums.__doc__ = """State of C channels with N inputs; all float64.

inputs: [N], written by whoever predicts. products: [C, N, N], lower half. outcomes: [C, N].
weights: [C, N]. lower: [N, N], scratch: [N], for solving. forget: what is left of the sums.
"""


def new_sums(channels: int, n: int, forget: float) -> Sums:
    """Of nothing: all weights are 0."""
    return Sums(
        inputs=np.zeros(n),
        products=np.zeros((channels, n, n)),
        outcomes=np.zeros((channels, n)),
        weights=np.zeros((channels, n)),
        lower=np.zeros((n, n)),
        scratch=np.zeros(n),
        forget=np.float64(forget),
    )


@inlined
def expected(s: Sums, channel: int) -> Any:
    """What is expected after the inputs; float64."""
    total = np.float64(0.0)
    for j in range(len(s.inputs)):
        total += s.weights[channel, j] * s.inputs[j]
    return total


@inlined
def predict(s: Sums, channel: int, unit: float, most: int) -> Any:
    """What is expected after the inputs, in 1 / unit, rounded, from 0 to `most`; int64."""
    total = expected(s, channel) * unit + 0.5
    if not total > 0.0:
        return np.int64(0)
    if total >= most:
        return np.int64(most)
    return np.int64(total)


@inlined
def learn(s: Sums, channel: int, outcome: float) -> None:
    """Add what followed the inputs to the sums."""
    for j in range(len(s.inputs)):
        x = s.inputs[j]
        for k in range(j + 1):
            s.products[channel, j, k] = s.products[channel, j, k] * s.forget + x * s.inputs[k]
        s.outcomes[channel, j] = s.outcomes[channel, j] * s.forget + x * outcome


@njit(cache=True, counted=False)
def solve(s: Sums, channel: int) -> None:
    """Find the weights anew; they stay as they are if there is no solution."""
    n = len(s.inputs)
    a, low, y = s.products, s.lower, s.scratch
    for j in range(n):
        for k in range(j + 1):
            total = a[channel, j, k]
            if j == k:
                total += _REGULARIZATION
            for m in range(k):
                total -= low[j, m] * low[k, m] * low[m, m]
            if j == k:
                if not total > _LEAST_PIVOT:
                    return
                low[j, j] = total
            else:
                low[j, k] = total / low[k, k]
    for j in range(n):
        total = s.outcomes[channel, j]
        for m in range(j):
            total -= low[j, m] * y[m]
        y[j] = total
    for j in range(n - 1, -1, -1):
        total = y[j] / low[j, j]
        for m in range(j + 1, n):
            total -= low[m, j] * s.weights[channel, m]
        s.weights[channel, j] = total
