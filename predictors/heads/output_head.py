"""Output head: an online correction of the model's output matrix.

The logit of symbol i gets R_i · x, where x is the model's last hidden state,
normalized per dimension by its running mean and variance, and R starts at zero.
R learns by gradient descent on the code length: R_i moves along
([i is the coded symbol] - p_i) x, with Adagrad's rate for the row. It is dynamic
evaluation (Krause et al. 2018) of the output layer alone, and acts like a cache
of past states (Grave et al. 2017): symbols that followed similar states gain.

Only the candidates are computed; the others' share is too small to matter. Weights and
features have 16 bits, so that a product and a sum are one vector instruction.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.fixed_point import SCORE_FRACTION_BITS
from coder.kernels import inlined
from predictors.heads.adagrad import GRADIENT_BITS, RATE_UNIT, scaled
from predictors.heads.candidates import Candidates, count_of, descent, has
from predictors.heads.hidden_state import FEATURE_BITS

_WEIGHT_BITS = 11
"""R is in 2**-11 bit."""

_WEIGHT_LIMIT = np.int32(1 << 14)
"""A sum of so many products of a weight and a feature fits 32 bits:"""

_SPAN = 512

_SCALE_BITS = 5
"""x is a 1/32 of the features."""

_TO_SCORE = _WEIGHT_BITS + FEATURE_BITS + _SCALE_BITS - SCORE_FRACTION_BITS
_SCORE_LIMIT = np.int64(1) << 22
_DAMPING = 3.0
"""What Adagrad's sum of squared gradients starts with."""

# Steps are in 2**-20; a step times a feature, with the scale, is in 2**-29 bit.
_STEP_BITS = 20
_STEP_LIMIT = np.int64(1) << 23
_TO_WEIGHT = np.int32(_STEP_BITS + FEATURE_BITS + _SCALE_BITS - _WEIGHT_BITS)
_HALF = np.int32(1 << (_STEP_BITS + FEATURE_BITS + _SCALE_BITS - _WEIGHT_BITS - 1))

_LEAST_STEP = 1 << 12
"""A smaller step moves no weight whose feature is below 2 standard deviations."""

OutputHead = namedtuple("OutputHead", "weights squares rate places count")
OutputHead.__doc__ = """The correction.

weights: [A, E] int16 in 2**-11 bit, the rows of R that have moved, in the order in which they
did: so the few rows of a short text lie together in memory. squares: [A] float64, of
`scaled`. rate: float64. places: [A] int32, where the row of a symbol is, -1 = it is zero.
count: [1] int64, rows in use. A is 0 if the head is off.
"""


def new_output_head(n_symbols: int, dimensions: int, rate: int) -> OutputHead:
    """Untrained.

    Args:
        n_symbols: size of the alphabet.
        dimensions: E, of the hidden states; 0 = there are none.
        rate: learning rate in thousandths; 0 = off.
    """
    n = n_symbols if rate and dimensions else 0
    # Pages of rows that are never touched take no memory.
    weights = np.zeros((n, dimensions), dtype=np.int16)
    places = np.full(n, -1, dtype=np.int32)
    return OutputHead(weights, np.zeros(n), rate / RATE_UNIT, places, np.zeros(1, dtype=np.int64))


@inlined
def _dot(row: npt.NDArray[np.int16], features: npt.NDArray[np.int16]) -> Any:
    total = np.int64(0)
    for begin in range(0, len(row), _SPAN):
        a = row[begin : begin + _SPAN]
        b = features[begin : begin + _SPAN]
        part = np.int32(0)
        for j in range(len(a)):
            part = np.int32(part + np.int32(np.int32(a[j]) * np.int32(b[j])))
        total += np.int64(part)
    return total


@inlined
def predict(head: OutputHead, features: npt.NDArray[np.int16], c: Candidates) -> None:
    """Add R x to the changes of the candidates; features: x, [E] int16."""
    if len(head.weights) == 0:
        return
    for k in range(count_of(c)):
        place = head.places[c.symbols[k]]
        if place < 0:
            continue
        change = _dot(head.weights[place], features) >> _TO_SCORE
        c.changes[k] += np.int32(min(max(change, -_SCORE_LIMIT), _SCORE_LIMIT))


@inlined
def _move(row: npt.NDArray[np.int16], features: npt.NDArray[np.int16], step: np.int32) -> None:
    """Move a row of R along the features."""
    for j in range(len(row)):
        change = np.int32(np.int32(step * np.int32(features[j])) + _HALF) >> _TO_WEIGHT
        w = np.int32(np.int32(row[j]) + change)
        row[j] = np.int16(min(max(w, -_WEIGHT_LIMIT), _WEIGHT_LIMIT))


@inlined
def _learn(head: OutputHead, features: npt.NDArray[np.int16], i: int, gradient: int) -> None:
    step = scaled(gradient, head.squares, i, head.rate, _DAMPING) >> (GRADIENT_BITS - _STEP_BITS)
    if abs(step) >= _LEAST_STEP:
        if head.places[i] < 0:
            head.places[i] = head.count[0]
            head.count[0] += 1
        _move(
            head.weights[head.places[i]],
            features,
            np.int32(min(max(step, -_STEP_LIMIT), _STEP_LIMIT)),
        )


@inlined
def update(head: OutputHead, features: npt.NDArray[np.int16], c: Candidates, symbol: int) -> None:
    """Learn the rows of the candidates and of the coded symbol."""
    if len(head.weights) == 0:
        return
    for k in range(count_of(c)):
        _learn(head, features, np.int64(c.symbols[k]), descent(c, k, symbol))
    if not has(c, symbol):
        _learn(head, features, symbol, np.int64(1) << GRADIENT_BITS)
