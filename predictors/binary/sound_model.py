"""Sound of 8 or 16 bits a sample: prediction in stages, then context mixing of what is left.

The difference of a sample from what the stages expect (`sound_stages`) is coded as number of bits,
the bits and the sign, in contexts of how large the last differences were.

Rates, lengths and contexts were chosen for synthetic music (docs/benchmarks.md).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import inlined, njit
from predictors.binary import engine
from predictors.binary.engine import Tables
from predictors.binary.sound_samples import (
    BIG_ENDIAN,
    EIGHT_BITS,
    LITTLE_ENDIAN,
    MAX_CHANNELS,
    Bytes,
    sample_at,
)
from predictors.binary.sound_stages import OTHER, OWN, Stages, expect, learn, new_stages
from predictors.mixing.hashing import combine

KINDS = 14
_SELECTORS = 5
_SLOT_BITS = 16
"""2**16 slots of 80 bytes: 5 MiB."""

# Of both layers of mixers, and of the log-odds: see `engine.new_tables`.
_RATES_1, _RATES_2 = (100, 1500, 200), (300, 1500, 200)
_FIRST_WEIGHT = 8000

_BITS_OF_LENGTH = 5
"""Decisions on how many bits a difference has."""

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
        expected = expect(s, data, i, kind, width, channels, turn)
        _contexts(t, s, channel, channels)
        sample = np.int64(sample_at(data, i, kind))
        difference = ((sample - expected + half) & (values - 1)) - half
        difference = _code_difference(coder_state, buffer, t, difference)
        sample = ((expected + difference + half) & (values - 1)) - half
        if kind == EIGHT_BITS:
            data[i] = np.uint8(sample + 128)
        else:
            data[i + (kind == BIG_ENDIAN)] = np.uint8(sample & 255)
            data[i + (kind == LITTLE_ENDIAN)] = np.uint8((sample >> 8) & 255)
        learn(s, np.float64(sample), channels, turn)
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
    stages = new_stages(channels)
    width = 1 if kind == EIGHT_BITS else 2
    front = (OWN + OTHER + 1) * width * channels
    first = engine.place_of_first(front)

    def code_block(*arguments: Any) -> None:
        _code_block(*arguments, stages, kind, channels, first)

    every = -(-every // width) * width
    engine.code_blocks(coder, data, front, t, code_block, on_progress, every, _DECISIONS)
