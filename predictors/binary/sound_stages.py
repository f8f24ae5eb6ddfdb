"""What is expected of a sample of sound, in stages.

The first stage is least squares from the last samples of the channel and of the one before it
(`least_squares`); then two filters that descend the gradient (normalized LMS) tell what that
leaves, as in Monkey's Audio, OptimFROG and Sac; least squares once more weights what the stages
say. Predictions are single float64 operations of a given order.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from predictors.binary import least_squares
from predictors.binary.sound_samples import EIGHT_BITS, Bytes, sample_at

OWN, OTHER = 20, 12
"""Samples before, of the channel and of the one before it, that the first stage sees."""

_FORGET, _FORGET_LAST = 0.9985, 0.9995
"""What each sample leaves of the sums of the first stage, and of what weights the stages."""

_SOLVE_EVERY = 8
"""Samples of a channel between two solutions of the first stage."""

# Lengths and rates of the filters behind the first stage.
_LONG, _SHORT = 256, 16
_RATE_LONG, _RATE_SHORT = 0.002, 0.005

_STAGES = 3
_BOUND = 65536.0
"""Of what a stage expects."""

Stages = namedtuple("Stages", "first last history weights_long weights_short expected")
Stages.__doc__ = """State of the predictors of C channels.

first, last: a `least_squares.Sums` each. history: [C, 2 * _LONG] float64, what the first stage
left, a ring of _LONG that is there twice. weights_long: [C, _LONG], weights_short: [C, _SHORT]
float64. expected: [_STAGES] float64, what each stage adds.
"""


def new_stages(channels: int) -> Stages:
    """Untrained."""
    return Stages(
        first=least_squares.new_sums(channels, OWN + OTHER, _FORGET),
        last=least_squares.new_sums(channels, _STAGES, _FORGET_LAST),
        history=np.zeros((channels, 2 * _LONG)),
        weights_long=np.zeros((channels, _LONG)),
        weights_short=np.zeros((channels, _SHORT)),
        expected=np.zeros(_STAGES),
    )


@inlined
def _bounded(x: float) -> Any:
    """Within ±_BOUND, so that no sum overflows whatever the samples are; 0 if it is no number."""
    if x != x:
        return 0.0
    return min(max(x, -_BOUND), _BOUND)


@inlined
def _dot(weights: npt.NDArray[np.float64], x: npt.NDArray[np.float64], begin: int) -> Any:
    """Four sums, so that one addition need not wait for another."""
    a = b = c = d = np.float64(0.0)
    for j in range(0, len(weights), 4):
        a += weights[j] * x[begin + j]
        b += weights[j + 1] * x[begin + j + 1]
        c += weights[j + 2] * x[begin + j + 2]
        d += weights[j + 3] * x[begin + j + 3]
    return (a + b) + (c + d)


@inlined
def _descend(
    weights: npt.NDArray[np.float64],
    x: npt.NDArray[np.float64],
    begin: int,
    error: float,
    rate: float,
) -> None:
    """One step of normalized LMS."""
    power = _dot(x[begin : begin + len(weights)], x, begin)
    step = rate * error * len(weights) / (power + len(weights))
    if step > 1.0:
        step = 1.0
    elif step < -1.0:
        step = -1.0
    elif step != step:
        step = 0.0
    for j in range(len(weights)):
        weights[j] += step * x[begin + j] / len(weights)


@njit(cache=True, counted=False)
def expect(s: Stages, data: Bytes, i: int, kind: int, width: int, channels: int, turn: int) -> Any:
    """What is expected of the sample at place i, int64.

    Args:
        width: bytes of a sample.
        turn: number of the sample in its channel.
    """
    channel = turn % channels
    step = width * channels
    x = s.first.inputs
    for j in range(OWN):
        x[j] = sample_at(data, i - (j + 1) * step, kind)
    other = i - width if channels > 1 else i - OWN * step
    if channels > 1:
        for j in range(OTHER):
            x[OWN + j] = sample_at(data, other - j * step, kind)
    else:
        for j in range(OTHER):
            x[OWN + j] = sample_at(data, other - (j + 1) * step, kind)
    total = np.float64(0.0)
    for j in range(OWN + OTHER):
        total += s.first.weights[channel, j] * x[j]
    begin = _LONG - 1 - (turn // channels) % _LONG
    history = s.history[channel]
    s.expected[0] = _bounded(total)
    s.expected[1] = _bounded(_dot(s.weights_long[channel], history, begin))
    s.expected[2] = _bounded(_dot(s.weights_short[channel], history, begin))
    for j in range(_STAGES):
        s.last.inputs[j] = s.expected[j]
    total = np.float64(0.0)
    for j in range(_STAGES):
        total += s.last.weights[channel, j] * s.expected[j]
    half = np.float64(128 if kind == EIGHT_BITS else 32768)
    total = total + 0.5
    if not total > -half:
        return np.int64(-half)
    if total >= half:
        return np.int64(half) - 1
    return np.int64(np.floor(total))


@njit(cache=True, counted=False)
def learn(s: Stages, sample: float, channels: int, turn: int) -> None:
    """Let all stages learn the sample they were asked about."""
    channel = turn % channels
    time = turn // channels
    begin = _LONG - 1 - time % _LONG
    history = s.history[channel]
    left = sample - s.expected[0]
    _descend(s.weights_long[channel], history, begin, left - s.expected[1], _RATE_LONG)
    _descend(s.weights_short[channel], history, begin, left - s.expected[2], _RATE_SHORT)
    # The ring is there twice, so that its numbers are in a row wherever it begins.
    at = begin - 1 if begin > 0 else _LONG - 1
    history[at] = left
    history[at + _LONG] = left
    least_squares.learn(s.first, channel, sample)
    least_squares.learn(s.last, channel, sample)
    if time % _SOLVE_EVERY == 0:
        least_squares.solve(s.first, channel)
    least_squares.solve(s.last, channel)
