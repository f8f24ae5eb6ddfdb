"""Sound of 8 or 16 bits a sample: prediction in stages, then context mixing of what is left.

A sample is expected by least squares from the last ones of its channel and of the one before it
(`least_squares`); what that leaves, by two filters that descend the gradient (normalized LMS), as
in Monkey's Audio, OptimFROG and Sac; least squares once more weights what the stages say. The
difference from that is coded as number of bits, the bits and the sign, in contexts of how large the
last differences were. Predictions are single float64 operations of a given order.

Rates, lengths and contexts were chosen for synthetic music (docs/benchmarks.md).
"""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import inlined, njit
from predictors.binary import engine, least_squares
from predictors.binary.engine import Tables
from predictors.mixing.hashing import combine

Bytes = npt.NDArray[np.uint8]

EIGHT_BITS, LITTLE_ENDIAN, BIG_ENDIAN = range(3)
"""Formats of a sample: one byte without sign, two bytes with one."""

MAX_CHANNELS = 8

KINDS = 14
_SELECTORS = 5
_SLOT_BITS = 16
_RATES_1, _RATES_2 = (100, 1500, 200), (300, 1500, 200)
_FIRST_WEIGHT = 8000

_OWN, _OTHER = 20, 12
"""Samples before, of the channel and of the one before it, that the first stage sees."""

_FORGET, _FORGET_LAST = 0.9985, 0.9995
_SOLVE_EVERY = 8

# Lengths and rates of the filters behind the first stage.
_LONG, _SHORT = 256, 16
_RATE_LONG, _RATE_SHORT = 0.002, 0.005

_STAGES = 3
_BOUND = 65536.0
"""Of what a stage expects."""

_BITS_OF_LENGTH = 5
_DECISIONS = 40
"""At most so many for a sample, whatever the payload."""

_MODELED = 3
"""Bits behind the first one that are told apart in their contexts."""

# Places in `Tables.numbers` from _LEVELS on: means of absolute differences, in 1/16, of three
# paces for each channel; then the last difference of each.
_PACES = 3
_LEVELS = 0
_LAST = _LEVELS + _PACES * MAX_CHANNELS
_SELECTED = _LAST + MAX_CHANNELS

Stages = namedtuple("Stages", "first last history weights_long weights_short expected")
Stages.__doc__ = """State of the predictors of C channels.

first, last: a `least_squares.Sums` each. history: [C, _LONG] float64, what the first stage left,
a ring. weights_long: [C, _LONG], weights_short: [C, _SHORT] float64. expected: [_STAGES] float64,
what each stage adds.
"""


def _new_stages(channels: int) -> Stages:
    return Stages(
        first=least_squares.new_sums(channels, _OWN + _OTHER, _FORGET),
        last=least_squares.new_sums(channels, _STAGES, _FORGET_LAST),
        history=np.zeros((channels, 2 * _LONG)),
        weights_long=np.zeros((channels, _LONG)),
        weights_short=np.zeros((channels, _SHORT)),
        expected=np.zeros(_STAGES),
    )


@inlined
def _sample(data: Bytes, i: int, kind: int) -> Any:
    """The sample at place i as float64."""
    if kind == EIGHT_BITS:
        return np.float64(np.int64(data[i]) - 128)
    low = np.int64(data[i + (kind == BIG_ENDIAN)])
    high = np.int64(data[i + (kind == LITTLE_ENDIAN)])
    return np.float64((high << 8 | low) - ((high >> 7) << 16))


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
def _expect(s: Stages, data: Bytes, i: int, kind: int, width: int, channels: int, turn: int) -> Any:
    """What is expected of the sample at place i, int64.

    Args:
        width: bytes of a sample.
        turn: number of the sample in its channel.
    """
    channel = turn % channels
    step = width * channels
    x = s.first.inputs
    for j in range(_OWN):
        x[j] = _sample(data, i - (j + 1) * step, kind)
    other = i - width if channels > 1 else i - _OWN * step
    if channels > 1:
        for j in range(_OTHER):
            x[_OWN + j] = _sample(data, other - j * step, kind)
    else:
        for j in range(_OTHER):
            x[_OWN + j] = _sample(data, other - (j + 1) * step, kind)
    total = np.float64(0.0)
    for j in range(_OWN + _OTHER):
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
def _learn(s: Stages, sample: float, channels: int, turn: int) -> None:
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


@inlined
def _level(x: int) -> Any:
    """A mean on a scale of four steps for each doubling, up to 95."""
    if x < 4:
        return x
    k = np.int64(0)
    while x >= 8:
        x >>= 1
        k += 1
    return 4 * k + x


@inlined
def _contexts(t: Tables, s: Stages, channel: int, channels: int) -> None:
    """Write the contexts of a sample."""
    n = t.numbers
    h = t.hashes
    fast = _level(n[_LEVELS + _PACES * channel])
    middle = _level(n[_LEVELS + _PACES * channel + 1])
    slow = _level(n[_LEVELS + _PACES * channel + 2])
    other = (channel + channels - 1) % channels
    beside = _level(n[_LEVELS + _PACES * other])
    last = n[_LAST + channel]
    # How far the filters move the first stage's prediction.
    moved = _level(np.int64(min(abs(s.expected[1]) + abs(s.expected[2]), 1e6)))
    sign = np.int64(s.expected[1] > 0) | np.int64(s.expected[2] > 0) << 1 | np.int64(last > 0) << 2
    h[0] = 0
    h[1] = fast
    h[2] = middle
    h[3] = slow
    h[4] = fast | middle << 8
    h[5] = middle | slow << 8
    h[6] = fast >> 1 | (middle >> 1) << 8 | (slow >> 1) << 16
    h[7] = middle | beside << 8
    h[8] = fast >> 1 | beside >> 1 << 8 | (slow >> 2) << 16
    h[9] = middle | moved >> 1 << 8
    h[10] = middle >> 1 | sign << 8
    h[11] = _level(abs(last)) | middle >> 1 << 8
    h[12] = slow | sign << 8 | channel << 12
    h[13] = fast | channel << 8
    for k in range(KINDS):
        h[k] = combine(h[k], k)
    n[_SELECTED] = fast
    n[_SELECTED + 1] = middle
    n[_SELECTED + 2] = slow
    n[_SELECTED + 3] = beside


@inlined
def _decide(
    coder_state: npt.NDArray[np.int64], buffer: Bytes, t: Tables, decision: int, bit: int
) -> Any:
    """Code one of a sample's decisions, a number below 1024; return its bit."""
    mask = len(t.states) - 1
    for k in range(KINDS):
        t.places[k] = (combine(t.hashes[k], decision) >> 20) & mask
    known = engine.look_up(t, np.int64(0))
    engine.no_match(t)
    n = t.numbers
    s = t.layer_1.selected
    s[0] = decision
    kind = min(decision, 31)
    s[1] = min(n[_SELECTED], 31 * 2 + 1) >> 1 << 5 | kind
    s[2] = min(n[_SELECTED + 1], 31 * 2 + 1) >> 1 << 5 | kind
    s[3] = min(n[_SELECTED + 2], 31 * 2 + 1) >> 1 << 5 | kind
    s[4] = known
    s2 = t.layer_2.selected
    s2[0] = decision
    s2[1] = s[2]
    s2[2] = 0
    t.map_contexts[0] = n[_SELECTED + 1]
    t.map_contexts[1] = n[_SELECTED] + 128
    t.map_contexts[2] = n[_SELECTED + 2] >> 1 | (n[_SELECTED + 3] >> 1) << 8 | 1 << 16
    bit = engine.code(coder_state, buffer, t, bit, decision)
    engine.learn_contexts(t, np.int64(0), bit)
    return bit


@njit(cache=True, counted=False)
def _code_difference(
    coder_state: npt.NDArray[np.int64], buffer: Bytes, t: Tables, difference: int
) -> Any:
    """Code a sample's difference from what was expected: number of bits, bits, sign."""
    size = abs(difference)
    length = np.int64(0)
    while size >> length:
        length += 1
    node = np.int64(1)
    for j in range(_BITS_OF_LENGTH):
        bit = (length >> (_BITS_OF_LENGTH - 1 - j)) & 1
        node = node << 1 | _decide(coder_state, buffer, t, node, bit)
    length = node - (1 << _BITS_OF_LENGTH)
    if length == 0:
        return np.int64(0)
    value = np.int64(1)
    for j in range(length - 1):
        bit = (size >> (length - 2 - j)) & 1
        # By the first bits, and then by how many are known.
        decision = value if j < _MODELED else np.int64(8 + min(j - _MODELED, 7))
        decision = 64 + length * 16 + decision
        value = value << 1 | _decide(coder_state, buffer, t, decision, bit)
    sign = np.int64(difference < 0)
    if _decide(coder_state, buffer, t, 32 + min(length, 31), sign):
        return -value
    return value


@njit(cache=True, counted=False)
def _code_block(
    coder_state: npt.NDArray[np.int64],
    buffer: Bytes,
    t: Tables,
    data: Bytes,
    begin: int,
    end: int,
    s: Stages,
    kind: int,
    channels: int,
    first: int,
) -> None:
    """Code the samples of data[begin:end]; the first of all is at place `first`."""
    n = t.numbers
    width = 1 if kind == EIGHT_BITS else 2
    values = np.int64(1) << (8 * width)
    half = values >> 1
    for i in range(begin, end, width):
        turn = (i - first) // width
        channel = turn % channels
        expected = _expect(s, data, i, kind, width, channels, turn)
        _contexts(t, s, channel, channels)
        sample = np.int64(_sample(data, i, kind))
        difference = ((sample - expected + half) & (values - 1)) - half
        difference = _code_difference(coder_state, buffer, t, difference)
        sample = ((expected + difference + half) & (values - 1)) - half
        if kind == EIGHT_BITS:
            data[i] = np.uint8(sample + 128)
        else:
            data[i + (kind == BIG_ENDIAN)] = np.uint8(sample & 255)
            data[i + (kind == LITTLE_ENDIAN)] = np.uint8((sample >> 8) & 255)
        _learn(s, np.float64(sample), channels, turn)
        size = min(abs(difference), half) << 4
        for j in range(_PACES):
            at = _LEVELS + _PACES * channel + j
            n[at] += (size - n[at]) >> (1 + 2 * j + (j == 2))
        n[_LAST + channel] = difference


def code_sound(
    coder: Coder,
    data: Bytes,
    kind: int,
    channels: int,
    on_progress: Callable[[int], None] = lambda done: None,
    every: int = engine.BLOCK,
) -> None:
    """Code sound, samples of all channels in turn.

    Args:
        coder, data, on_progress, every: see `code_bytes`. Whole samples.
        kind: EIGHT_BITS, LITTLE_ENDIAN or BIG_ENDIAN.
        channels: 1 to `MAX_CHANNELS`.
    """
    t = engine.new_tables(
        KINDS, _SLOT_BITS, _SELECTORS, 1, _RATES_1, _RATES_2, _FIRST_WEIGHT, runs=False
    )
    stages = _new_stages(channels)
    width = 1 if kind == EIGHT_BITS else 2
    front = (_OWN + _OTHER + 1) * width * channels
    first = engine.place_of_first(front)

    def code_block(*arguments: Any) -> None:
        _code_block(*arguments, stages, kind, channels, first)

    every = -(-every // width) * width
    engine.code_blocks(coder, data, front, t, code_block, on_progress, every, _DECISIONS)
