"""Context mixing for binary data: bytes as eight decisions, without a language model.

Every decision is predicted by bit histories in many contexts (`byte_contexts`) and a
match model, mixed by gated logistic mixers of two layers and corrected by adaptive
probability maps (Mahoney 2005, PAQ8 and lpaq). Integer arithmetic throughout; everything
is learned online from nothing.

Rates, shifts and first weights were chosen together for the least bits of kennedy.xls,
ptt5 and sum (docs/benchmarks.md, "format 4").
"""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import njit
from coder.range_coder import code_bit
from predictors.binary.byte_contexts import (
    FIRST_RECORD_KIND,
    KINDS,
    ORDER_2,
    ORDERS,
    byte_before,
    hash_contexts,
)
from predictors.mixing import apm, context_set, match_model, mixer
from predictors.mixing.hashing import bucket
from predictors.mixing.logistic import (
    MIN_PROBABILITY,
    PROBABILITY_BITS,
    clamp_probability,
    squash,
)

_SLOTS_PER_BYTE = 32
"""A byte is 8 decisions in 24 contexts, many of which have been seen before."""

_MIN_SLOT_BITS, _MAX_SLOT_BITS = 17, 24
"""A table of slots takes from 1 MiB to 128 MiB."""

_ALL_KINDS = (1 << KINDS) - 1

# Inputs of the mixer: one per kind of context, a constant, the match.
_CONSTANT, _MATCH = KINDS, KINDS + 1
_INPUTS = KINDS + 2

# Weight sets of layer 1 are selected by: nothing; known bits; match and longest known plain
# context; byte above and known bits; column; last byte; last byte and known bits; last two
# bytes and known bits; which of the first twelve kinds know the decision; which of those of
# records.
(
    _ANY, _BITS, _MATCHED, _ABOVE, _COLUMN, _LAST, _LAST_BITS, _TWO_BYTES, _KNOWN, _KNOWN_RECORD
) = range(10)  # fmt: skip
_SELECTORS_1 = 10
_SETS_1 = 1 << 12
"""The most sets that one selector of layer 1 selects from."""

_SELECTORS_2 = (_BITS, _MATCHED, _ABOVE, _COLUMN)
"""Sets of layer 2 are selected by these of layer 1's selectors."""

_SETS_2 = 2048
"""The most sets that one selector of layer 2 selects from."""

# Of the mixer's layers, in the unit of `mixer.train`: layer 1 learns at 11,000 at first, at
# half of it after some 130 decisions in a set, and at 1,000 in the end.
_RATE_1, _EXTRA_RATE_1 = 1000, 10000
_RATE_2 = 400

_MAP_SHIFT = 6
"""A knot of a probability map moves by 1/64 of its error."""

_MAPS = 1 << 16
"""Probability maps of a kind: by a byte and the known bits."""

_FRONT = 64
"""Zeros in front of the data beside two records, for the contexts of the first bytes."""

_BLOCK = 1 << 12
"""Bytes coded between two calls of the progress call-back."""

# Places of the match in `Tables.match`.
_POINTER, _LENGTH = range(2)

# A mask so wide that the ring of the match model never comes round.
_NO_RING = np.int64((1 << 62) - 1)

Tables = namedtuple(
    "Tables",
    "contexts match_table match_map match layer_1 layer_2 last_maps above_maps inputs",
)
Tables.__doc__ = """All state of the model.

contexts: a `ContextSet`. match_table, match_map: see `match_model`. match: [2] int64, place in
the data that the match expects next, and its length. layer_1, layer_2: a `mixer.Layer` each.
last_maps, above_maps: [_MAPS, KNOTS] int32, see `apm`, by the last byte and the one above.
inputs: [_INPUTS] int32 of `layer_1`, in whole lanes, log-odds in 2**-12 bit.
"""

Decision = namedtuple("Decision", "partial shift above last column")
Decision.__doc__ = """What is known of a decision before it is made; all int64.

partial: the known bits behind a leading 1. shift: number of the bit, 7 first. above, last:
bytes. column: place in the record.
"""


def slot_bits(size: int) -> int:
    """Binary logarithm of the number of slots for `size` bytes."""
    wanted = (_SLOTS_PER_BYTE * size - 1).bit_length()
    return min(max(wanted, _MIN_SLOT_BITS), _MAX_SLOT_BITS)


def new_tables(size: int) -> Tables:
    """Untrained tables for data of `size` bytes."""
    first = np.full(_INPUTS, mixer.WEIGHT_ONE // 8)
    average = np.full(_SELECTORS_1, mixer.WEIGHT_ONE // _SELECTORS_1)
    return Tables(
        contexts=context_set.new_context_set(KINDS, slot_bits(size), _ALL_KINDS),
        match_table=match_model.new_table(),
        match_map=match_model.new_match_map(),
        match=np.zeros(2, dtype=np.int64),
        layer_1=mixer.new_layer(_SELECTORS_1, _SETS_1, first, _EXTRA_RATE_1),
        layer_2=mixer.new_layer(len(_SELECTORS_2), _SETS_2, average, 0),
        last_maps=apm.new_maps(_MAPS),
        above_maps=apm.new_maps(_MAPS),
        inputs=mixer.new_inputs(_INPUTS),
    )


def least_cost(size: int) -> int:
    """A lower bound of what `size` bytes cost, in 2**-24 bit: see `Ensemble.least_cost`."""
    return 8 * size * MIN_PROBABILITY


def code_bytes(
    coder: Coder,
    data: npt.NDArray[np.uint8],
    record: int,
    on_progress: Callable[[int], None] = lambda done: None,
    every: int = _BLOCK,
) -> None:
    """Code binary data.

    Args:
        coder: an encoder or a decoder.
        data: [n] uint8. Read when encoding, filled in when decoding.
        record: length of the data's records in bytes, ≥ 2, as `record_length` finds it.
        on_progress: called after each `every` bytes with the number of bytes done.
        every: ≥ 1; changes nothing else.
    """
    tables = new_tables(len(data))
    front = 2 * record + _FRONT
    padded = np.concatenate([np.zeros(front, dtype=np.uint8), data])
    for begin in range(front, len(padded), every):
        end = min(begin + every, len(padded))
        state, buffer = coder.kernel_state(8 * (end - begin))
        _code_block(state, buffer, tables, padded, begin, end, np.int64(record))
        on_progress(end - front)
    data[:] = padded[front:]


@njit(cache=True)
def _code_block(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    data: npt.NDArray[np.uint8],
    begin: int,
    end: int,
    record: int,
) -> None:
    """Code the bytes data[begin:end]; arguments as in `_code_byte`."""
    for i in range(begin, end):
        hash_contexts(data, i, record, t.contexts.hashes)
        data[i] = _code_byte(coder_state, buffer, t, data, i, record)
        t.match[_POINTER], t.match[_LENGTH] = match_model.follow(
            t.match_table, data, _NO_RING, np.int64(i + 1), t.match[_POINTER], t.match[_LENGTH]
        )


# Inlined, or each call would count the references to two dozen arrays: 1/8 of the time.
@njit(cache=True, forceinline=True)
def _code_byte(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    data: npt.NDArray[np.uint8],
    i: int,
    record: int,
) -> Any:
    """Code one byte.

    Args:
        coder_state, buffer: of the coder, see `code_bit`.
        t: the `Tables`.
        data: uint8, known before place i, and there when encoding.
        i: int64.
        record: int64, length of a record in bytes.

    Returns:
        The byte, uint8.
    """
    byte = np.int64(data[i])
    partial = np.int64(1)
    above = byte_before(data, i, record)
    last = byte_before(data, i, 1)
    for shift in range(7, -1, -1):
        decision = Decision(partial, shift, above, last, i % record)
        bit = _decide(coder_state, buffer, t, data, decision, (byte >> shift) & 1)
        partial = partial << 1 | bit
    return np.uint8(partial & 255)


@njit(cache=True, forceinline=True)
def _decide(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    data: npt.NDArray[np.uint8],
    d: Decision,
    bit: int,
) -> Any:
    """Code one decision `d` and learn from it; return its bit, int64."""
    inputs = t.inputs
    known = context_set.look_up(t.contexts, 0, KINDS, d.partial, inputs)
    length = t.match[_LENGTH]
    expected = match_model.expect(data, t.match[_POINTER], length, d.partial)
    inputs[_CONSTANT] = mixer.CONSTANT_INPUT
    inputs[_MATCH] = match_model.odds(t.match_map, length, expected)

    _select(t, d, known, match_model.selector(length, expected))
    mixer.mix(t.layer_1, inputs)
    odds = mixer.mix(t.layer_2, t.layer_1.mixed)
    place = apm.place(odds)
    last_map = t.last_maps[d.last << 8 | d.partial]
    above_map = t.above_maps[d.above << 8 | d.partial]
    corrected = apm.refine(last_map, place) + apm.refine(above_map, place)
    p = clamp_probability((2 * squash(odds) + corrected) >> 2)
    bit = code_bit(coder_state, buffer, p, PROBABILITY_BITS, bit)

    apm.learn(last_map, place, bit, _MAP_SHIFT)
    apm.learn(above_map, place, bit, _MAP_SHIFT)
    mixer.learn(t.layer_1, inputs, bit, _RATE_1)
    mixer.learn(t.layer_2, t.layer_1.mixed, bit, _RATE_2)
    context_set.learn(t.contexts, bit)
    if match_model.learn(t.match_map, length, expected, bit):
        t.match[_LENGTH] = 0
    return bit


@njit(cache=True)
def _select(t: Tables, d: Decision, known: int, matched: int) -> None:
    """Write which weight sets of both layers are selected.

    Args:
        t, d: the `Tables` and the `Decision`.
        known: int64, mask of the kinds that know the decision.
        matched: int64, `match_model.selector`.
    """
    order = context_set.highest_known(known, len(ORDERS))
    known_above = (1 << (7 - d.shift)) | d.above >> (d.shift + 1)
    selected = t.layer_1.selected
    selected[_ANY] = 0
    selected[_BITS] = d.partial
    selected[_MATCHED] = matched * (len(ORDERS) + 1) + order
    selected[_ABOVE] = known_above | ((d.above >> d.shift) & 1) << 8
    selected[_COLUMN] = min(d.column, 255) * 8 + d.shift
    selected[_LAST] = d.last * 8 + d.shift
    selected[_LAST_BITS] = bucket(d.last, d.partial, _SETS_1)
    selected[_TWO_BYTES] = bucket(t.contexts.hashes[ORDER_2], d.partial, _SETS_1)
    selected[_KNOWN] = known & (_SETS_1 - 1)
    selected[_KNOWN_RECORD] = known >> FIRST_RECORD_KIND
    for j in range(len(_SELECTORS_2)):
        t.layer_2.selected[j] = selected[_SELECTORS_2[j]]
