"""Context mixing for binary data: bytes as eight decisions, without a language model.

Every decision is predicted by bit histories in many contexts (plain, sparse,
and those of records: tables, bitmaps, machine code) and a match model, mixed by
gated logistic mixers of two layers and corrected by adaptive probability maps
(Mahoney, PAQ8 and lpaq). Integer arithmetic throughout; everything is learned
online from nothing.
"""

from collections import namedtuple
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import njit
from coder.range_coder import code_bit
from predictors.mixing import apm, bit_history, match_model, mixer
from predictors.mixing.hashing import bucket, combine
from predictors.mixing.logistic import PROBABILITY_BITS, PROBABILITY_ONE, squash, stretch

_PLAIN = (1, 2, 3, 4, 6)
_KINDS = 24
_CONSTANT = _KINDS
_MATCH = _KINDS + 1
_INPUTS = _KINDS + 2

# Weight sets selected by: nothing; known bits; match and longest known plain context; byte
# above and known bits; column; last byte; last byte and known bits; last two bytes and
# known bits; which of the first twelve kinds know the decision; which of those of records.
(
    _ANY, _BITS, _MATCHED, _ABOVE, _COLUMN, _LAST, _LAST_BITS, _TWO_BYTES, _KNOWN, _KNOWN_RECORD
) = range(10)  # fmt: skip
_SELECTORS = 10
_SETS = 1 << 12
_FIRST_OF_RECORDS = 14
# Sets of the second layer, whose results are averaged, are selected by some of the same.
_FINALS = (_BITS, _MATCHED, _ABOVE, _COLUMN)
_FINAL_SETS = 2048
_RATE = 1000
_EXTRA_RATE = 10000
_RATE_DECAY = 200
_FINAL_RATE = 400
_MAP_SHIFT = 6
_MIN_PROBABILITY = 1 << (PROBABILITY_BITS - 16)
_BLOCK = 1 << 12

Tables = namedtuple(
    "Tables",
    "slots meanings match_table trust first final order1_maps above_maps hashes places histories"
    " inputs state",
)


def slot_bits(size: int) -> int:
    """Binary logarithm of the number of slots for `size` bytes: 1 MiB to 128 MiB."""
    return min(max((32 * size - 1).bit_length(), 17), 24)


def new_tables(size: int) -> Tables:
    """Untrained tables for data of `size` bytes."""
    return Tables(
        slots=bit_history.new_slots(slot_bits(size)),
        meanings=bit_history.new_meanings(_KINDS),
        match_table=match_model.new_table(),
        trust=match_model.new_trust(),
        first=mixer.new_layer(_SELECTORS, _SETS, np.full(_INPUTS, mixer.WEIGHT_ONE // 8)),
        final=mixer.new_layer(
            len(_FINALS), _FINAL_SETS, np.full(_SELECTORS, mixer.WEIGHT_ONE // _SELECTORS)
        ),
        order1_maps=apm.new_maps(1 << 16),
        above_maps=apm.new_maps(1 << 16),
        hashes=np.zeros(_KINDS, dtype=np.int64),
        places=np.zeros(_KINDS, dtype=np.int64),
        histories=np.zeros(_KINDS, dtype=np.int64),
        inputs=np.zeros(_INPUTS, dtype=np.int64),
        state=np.zeros(2, dtype=np.int64),
    )


@njit(cache=True)
def _before(data, i, distance):
    return np.int64(data[i - distance])


@njit(cache=True)
def _hash_contexts(data, i, record, hashes):
    k = 0
    h = np.int64(0)
    for n in range(1, 7):
        h = combine(h, _before(data, i, n) + 1)
        if n != 5:
            hashes[k] = h
            k += 1
    b1 = _before(data, i, 1)
    b2 = _before(data, i, 2)
    b3 = _before(data, i, 3)
    b4 = _before(data, i, 4)
    above = _before(data, i, record)
    above2 = _before(data, i, 2 * record)
    column = i % record
    hashes[k] = 0
    hashes[k + 1] = combine(b2, 0)
    hashes[k + 2] = combine(b3, 1)
    hashes[k + 3] = combine(b4, 2)
    hashes[k + 4] = combine(combine(b2, b3), 3)
    hashes[k + 5] = combine(combine(b1, b3), 4)
    hashes[k + 6] = combine(combine(b1, b4), 5)
    hashes[k + 7] = combine(combine(b2, b4), 6)
    hashes[k + 8] = combine(combine(b4, _before(data, i, 8)), 7)
    hashes[k + 9] = combine(above, column)
    hashes[k + 10] = combine(combine(above, b1), 8)
    hashes[k + 11] = combine(combine(above, above2), column)
    hashes[k + 12] = combine(column, b1)
    hashes[k + 13] = combine(column, combine(b1, b2))
    hashes[k + 14] = combine(
        combine(above, _before(data, i, record - 1)), combine(_before(data, i, record + 1), b1)
    )
    hashes[k + 15] = combine(combine(above, above2), combine(b1, 9))
    hashes[k + 16] = combine((above - above2) & 255, combine(column, 11))
    hashes[k + 17] = combine(combine(combine(above, b1), b2), 12)
    hashes[k + 18] = combine(combine(above, _before(data, i, record - 1)), combine(b1, b2))
    for j in range(_KINDS):
        hashes[j] = combine(hashes[j], j)


@njit(cache=True)
def _code_block(coder_state, buffer, t, data, begin, end, record):
    for i in range(begin, end):
        _hash_contexts(data, i, record, t.hashes)
        data[i] = _code_byte(coder_state, buffer, t, data, i, record)
        t.state[0], t.state[1] = match_model.follow(
            t.match_table, data, np.int64((1 << 62) - 1), np.int64(i + 1), t.state[0], t.state[1]
        )


@njit(cache=True)
def _code_byte(coder_state, buffer, t, data, i, record):
    byte = np.int64(data[i])
    partial = np.int64(1)
    above = _before(data, i, record)
    last = _before(data, i, 1)
    for shift in range(7, -1, -1):
        bit = (byte >> shift) & 1
        bit = _decide(coder_state, buffer, t, data, partial, shift, above, last, i % record, bit)
        partial = partial << 1 | bit
    return np.uint8(partial & 255)


@njit(cache=True)
def _decide(coder_state, buffer, t, data, partial, shift, above, last, column, bit):
    inputs = t.inputs
    inputs[_CONSTANT] = 256
    order = 0
    known = np.int64(0)
    for k in range(_KINDS):
        place = bit_history.find_slot(t.slots, combine(t.hashes[k], partial))
        history = bit_history.history_of(t.slots[place])
        t.places[k] = place
        t.histories[k] = history
        inputs[k] = 0
        if history >= 0:
            inputs[k] = stretch(t.meanings[k, history])
            known |= 1 << k
            if k < len(_PLAIN):
                order = k + 1
    length = t.state[1]
    expected = np.int64(-1)
    inputs[_MATCH] = 0
    if length > 0:
        expected = match_model.expected_bit(np.int64(data[t.state[0]]), partial)
        if expected >= 0:
            inputs[_MATCH] = match_model.odds(t.trust, length, expected)
    selected = t.first.selected
    selected[_ANY] = 0
    selected[_BITS] = partial
    selected[_MATCHED] = (length * 3 + 1 + expected) * 6 + order
    selected[_ABOVE] = above >> (shift + 1) | (1 << (7 - shift)) | ((above >> shift) & 1) << 8
    selected[_COLUMN] = min(column, 255) * 8 + shift
    selected[_LAST] = last * 8 + shift
    selected[_LAST_BITS] = bucket(last, partial, _SETS)
    selected[_TWO_BYTES] = bucket(t.hashes[1], partial, _SETS)
    selected[_KNOWN] = known & (_SETS - 1)
    selected[_KNOWN_RECORD] = known >> _FIRST_OF_RECORDS
    for j in range(len(_FINALS)):
        t.final.selected[j] = selected[_FINALS[j]]
    mixer.mix(t.first, inputs)
    result = mixer.mix(t.final, t.first.mixed)
    where = apm.place(result)
    first = t.order1_maps[last << 8 | partial]
    second = t.above_maps[above << 8 | partial]
    p = (2 * squash(result) + apm.refine(first, where) + apm.refine(second, where)) >> 2
    p = min(max(p, np.int64(_MIN_PROBABILITY)), np.int64(PROBABILITY_ONE - _MIN_PROBABILITY))
    bit = code_bit(coder_state, buffer, p, PROBABILITY_BITS, bit)
    apm.learn(first, where, bit, _MAP_SHIFT)
    apm.learn(second, where, bit, _MAP_SHIFT)
    mixer.learn(t.first, inputs, bit, _RATE, _EXTRA_RATE, _RATE_DECAY)
    mixer.learn(t.final, t.first.mixed, bit, _FINAL_RATE, 0, 1)
    for k in range(_KINDS):
        t.slots[t.places[k]] = bit_history.observe(t.slots[t.places[k]], bit)
        if t.histories[k] >= 0:
            bit_history.adapt(t.meanings[k], t.histories[k], bit, bit_history.RATE_SHIFT)
    if expected >= 0:
        match_model.learn(t.trust, length, expected, bit)
        if expected != bit:
            t.state[1] = 0
    return bit


def least_cost(size: int) -> int:
    """A lower bound of what `size` bytes cost, in 2**-24 bit: see `Ensemble.least_cost`."""
    return 8 * size * _MIN_PROBABILITY


def code_bytes(
    coder: Coder,
    data: npt.NDArray[np.uint8],
    record: int,
    report: Callable[[int], None] = lambda done: None,
    every: int = _BLOCK,
) -> None:
    """Code binary data.

    Args:
        coder: an encoder or a decoder.
        data: [n] uint8. Read when encoding, filled in when decoding.
        record: length of the data's records in bytes, ≥ 1, as `record_length` finds it.
        report: called after each `every` bytes with the number of bytes done.
        every: ≥ 1; changes nothing else.
    """
    tables = new_tables(len(data))
    # Zeros in front, which the contexts of the first bytes look back into.
    front = 2 * record + 64
    padded = np.concatenate([np.zeros(front, dtype=np.uint8), data])
    for begin in range(front, len(padded), every):
        end = min(begin + every, len(padded))
        state, buffer = coder.kernel_state(8 * (end - begin))
        _code_block(state, buffer, tables, padded, begin, end, np.int64(record))
        report(end - front)
    data[:] = padded[front:]
