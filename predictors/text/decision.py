"""A byte of text as eight decisions: each predicted, coded, and learned from.

A context gives two inputs of the mixer: the log-odds of what followed its history, and how far
that probability is from one half; in the strongest variant a third, the log-odds again where only
ones or only zeros followed. A match model adds its own. Gated logistic mixers of two layers
follow, then adaptive probability maps (Mahoney 2005, PAQ8 and lpaq).

Rates, limits, first weights and kinds of context were chosen for the least bits of nine texts of
the training corpus: prose, verse, C, an RFC, HTML, a table, a log, encyclopedia, French.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from coder.range_coder import code_bit
from predictors.mixing import apm, match_model, nibble_table, rate_map, weight_sets
from predictors.mixing.bit_states import COUNTS, NEXT, ROOM, new_state_map
from predictors.mixing.hashing import bucket, combine
from predictors.mixing.logistic import PROBABILITY_BITS, clamp_probability, squash
from predictors.text.text_contexts import (
    INDENT,
    KINDS,
    LENGTH,
    SHAPES,
    WORD,
    append,
    hash_contexts,
    new_past,
)
from predictors.text.variants import Variant

_STATE_LIMIT = 1023
"""A state's probability is the mean of what followed it, of as many as this."""

# Inputs of the mixer: two or three per kind of context, then these.
_CONSTANT, _MATCH, _MATCH_LENGTH = range(3)
_MORE_INPUTS = 3
_LENGTH_UNIT = 512
_LONG = 16
"""A match's length in bytes is an input of 1/8 bit for each, up to 16."""

_FIRST_WEIGHT = weight_sets.WEIGHT_ONE * 3 // 10

# Weight sets of layer 1 are selected by: match; known bits; last byte; how many contexts know the
# decision; shapes of the last three bytes; length of the word and indentation; the byte that the
# match expects; the byte before the last; the word so far. Layer 2: known bits; match.
(_MATCHED, _BITS, _LAST, _KNOWN, _SHAPE, _WORD, _EXPECTED, _SECOND, _LETTERS) = range(9)
SELECTORS = 9
_SETS = 1 << 11
"""The most sets that one selector selects from."""

_SELECTORS_2 = (_BITS, _MATCHED)

# Rate in the end, more at first, and the decisions in a set after which half of that is left.
_RATES_1 = (400, 6000, 200)
_RATES_2 = (200, 1000, 200)

_MAP_SHIFT = 6
"""A knot of a probability map moves by 1/64 of its error."""

_MAPS = 1 << 16
"""Probability maps of a kind: by a byte, or a hash of two, and the known bits."""

# Places of the match in `Tables.match`.
_POINTER, _MATCHED_LENGTH = range(2)

# A mask so wide that the ring of the match model never comes round.
_NO_RING = np.int64((1 << 62) - 1)

_NEXT = NEXT.ravel()

_ONE_SIDED = COUNTS.min(axis=1) == 0
"""[states] bool: has only one of the two bits been seen?"""

Tables = namedtuple(
    "Tables",
    "slots state_map hashes places entries past match_table match_map match layer_1 layer_2 "
    "inputs last_maps two_maps",
)
Tables.__doc__ = """All state of a model with K kinds of context.

slots: see `nibble_table`. state_map: [K * ROOM] uint32, see `bit_states`. hashes: [KINDS] int64.
places: [K] int64, slots of the half byte that is coded. entries: [K] int64, of the state map for
the decision. past: a `Past`. match_table, match_map: see `match_model`. match: [2] int64, place
in the data that the match expects next, and its length. layer_1, layer_2: a
`weight_sets.Layer` each. inputs: int32 of `layer_1`, in whole lanes. last_maps, two_maps:
[_MAPS, KNOTS], see `apm`, by the last byte and the last two.
"""

Decision = namedtuple("Decision", "partial nibble shift c1 c2 c0")
Decision.__doc__ = """What is known of a decision before it is made; all int64.

partial, nibble: the known bits of the byte, and of its half, behind a leading 1. shift: number
of the bit, 7 first. c1, c2: the last two bytes. c0: the byte that the match expects, 0 = none.
"""


def new_tables(bits: int, variant: Variant) -> Tables:
    """Untrained tables with 2**bits slots."""
    kinds = len(variant.kinds)
    first = np.zeros(len(variant.inputs) * kinds + _MORE_INPUTS)
    first[:kinds] = _FIRST_WEIGHT
    first[len(variant.inputs) * kinds + _MATCH] = _FIRST_WEIGHT
    average = np.full(variant.selectors, weight_sets.WEIGHT_ONE // variant.selectors)
    return Tables(
        slots=nibble_table.new_table(bits),
        state_map=new_state_map(kinds),
        hashes=np.zeros(KINDS, dtype=np.int64),
        places=np.zeros(kinds, dtype=np.int64),
        entries=np.zeros(kinds, dtype=np.int64),
        past=new_past(),
        match_table=match_model.new_table(),
        match_map=match_model.new_match_map(),
        match=np.zeros(2, dtype=np.int64),
        layer_1=weight_sets.new_layer(variant.selectors, _SETS, first, *_RATES_1),
        layer_2=weight_sets.new_layer(len(_SELECTORS_2), _SETS, average, *_RATES_2),
        inputs=weight_sets.new_inputs(len(first)),
        last_maps=apm.new_maps(_MAPS),
        two_maps=apm.new_maps(_MAPS),
    )


# Compiled anew for each number of kinds and of inputs, which is a part of a tuple's type.
@njit(cache=True, counted=False)
def code_block(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    kinds: tuple[int, ...],
    gives: tuple[int, ...],
    data: npt.NDArray[np.uint8],
    begin: int,
    end: int,
) -> None:
    """Code the bytes data[begin:end] in the given kinds of context, each with so many inputs."""
    for i in range(begin, end):
        hash_contexts(data, i, t.past, t.hashes)
        data[i] = _code_byte(coder_state, buffer, t, kinds, gives, data, i)
        append(data, i + 1, t.past)
        t.match[_POINTER], t.match[_MATCHED_LENGTH] = match_model.follow(
            t.match_table,
            data,
            _NO_RING,
            np.int64(i + 1),
            t.match[_POINTER],
            t.match[_MATCHED_LENGTH],
        )


@njit(cache=True, forceinline=True, counted=False)
def _code_byte(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    kinds: tuple[int, ...],
    gives: tuple[int, ...],
    data: npt.NDArray[np.uint8],
    i: int,
) -> Any:
    """Code the byte at place i; return it, uint8."""
    byte = np.int64(data[i])
    c1 = np.int64(data[i - 1])
    c2 = np.int64(data[i - 2])
    c0 = np.int64(0)
    if t.match[_MATCHED_LENGTH] > 0:
        c0 = np.int64(data[t.match[_POINTER]])
    partial = np.int64(1)
    nibble = np.int64(1)
    for shift in range(7, -1, -1):
        if shift == 7:
            for k in range(len(kinds)):
                t.places[k] = nibble_table.find(t.slots, t.hashes[kinds[k]])
        elif shift == 3:
            nibble = np.int64(1)
            for k in range(len(kinds)):
                t.places[k] = nibble_table.find(t.slots, combine(t.hashes[kinds[k]], partial))
        decision = Decision(partial, nibble, np.int64(shift), c1, c2, c0)
        wanted = (byte >> shift) & 1
        bit = _decide(coder_state, buffer, t, kinds, gives, data, decision, wanted)
        partial = partial << 1 | bit
        nibble = nibble << 1 | bit
    return np.uint8(partial & 255)


@njit(cache=True, forceinline=True, counted=False)
def _decide(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    kinds: tuple[int, ...],
    gives: tuple[int, ...],
    data: npt.NDArray[np.uint8],
    d: Decision,
    bit: int,
) -> Any:
    """Code one decision `d` and learn from it; return its bit, int64."""
    inputs = t.inputs
    known = _look_up(t, len(kinds), len(gives), d.nibble)
    length = t.match[_MATCHED_LENGTH]
    expected = match_model.expect(data, t.match[_POINTER], length, d.partial)
    more = len(gives) * len(kinds)
    inputs[more + _CONSTANT] = weight_sets.CONSTANT_INPUT
    inputs[more + _MATCH] = match_model.odds(t.match_map, length, expected)
    sign = 2 * expected - 1 if expected >= 0 else 0
    inputs[more + _MATCH_LENGTH] = sign * min(length, _LONG) * _LENGTH_UNIT

    _select(t, d, known, match_model.selector(length, expected))
    weight_sets.mix(t.layer_1, inputs)
    odds = weight_sets.mix(t.layer_2, t.layer_1.mixed)
    place = apm.place(odds)
    last_map = t.last_maps[d.c1 << 8 | d.partial]
    two_map = t.two_maps[bucket(d.c1 << 8 | d.c2, d.partial, _MAPS)]
    corrected = apm.refine(last_map, place) + 2 * apm.refine(two_map, place)
    p = clamp_probability((squash(odds) + corrected) >> 2)
    bit = code_bit(coder_state, buffer, p, PROBABILITY_BITS, bit)

    apm.learn(last_map, place, bit, _MAP_SHIFT)
    apm.learn(two_map, place, bit, _MAP_SHIFT)
    weight_sets.learn(t.layer_1, inputs, bit)
    weight_sets.learn(t.layer_2, t.layer_1.mixed, bit)
    for k in range(len(kinds)):
        rate_map.learn(t.state_map, t.entries[k], bit, _STATE_LIMIT)
        slot = t.places[k] + d.nibble
        t.slots[slot] = _NEXT[np.int64(t.slots[slot]) * 2 + bit]
    if match_model.learn(t.match_map, length, expected, bit):
        t.match[_MATCHED_LENGTH] = 0
    return bit


@njit(cache=True, forceinline=True, counted=False)
def _look_up(t: Tables, kinds: int, gives: int, nibble: int) -> Any:
    """Write the inputs of the contexts; return how many of them know the decision, int64."""
    known = np.int64(0)
    for k in range(kinds):
        state = np.int64(t.slots[t.places[k] + nibble])
        entry = k * ROOM + state
        t.entries[k] = entry
        p = rate_map.probability(t.state_map[entry])
        if state:
            t.inputs[k] = rate_map.log_odds(p)
            t.inputs[kinds + k] = rate_map.distance(p)
            if gives > 2:
                t.inputs[2 * kinds + k] = t.inputs[k] if _ONE_SIDED[state] else np.int32(0)
            known += 1
        else:
            t.inputs[k] = 0
            t.inputs[kinds + k] = 0
            if gives > 2:
                t.inputs[2 * kinds + k] = 0
    return known


@njit(cache=True, forceinline=True, counted=False)
def _select(t: Tables, d: Decision, known: int, matched: int) -> None:
    """Write which weight sets of both layers are selected.

    Args:
        t, d: the `Tables` and the `Decision`.
        known: int64, number of contexts that know the decision.
        matched: int64, `match_model.selector`.
    """
    state = t.past.state
    selected = t.layer_1.selected
    for i in range(len(selected)):
        if i == _MATCHED:
            selected[i] = matched
        elif i == _BITS:
            selected[i] = d.partial
        elif i == _LAST:
            selected[i] = d.c1 * 8 + d.shift
        elif i == _KNOWN:
            selected[i] = known * 8 + d.shift
        elif i == _SHAPE:
            selected[i] = bucket(state[SHAPES] & 0xFFFFFF, 1, _SETS)
        elif i == _WORD:
            selected[i] = (min(state[INDENT], 15) * 16 + min(state[LENGTH], 15)) * 8 + d.shift
        elif i == _EXPECTED:
            selected[i] = d.c0 * 8 + d.shift
        elif i == _SECOND:
            selected[i] = d.c2 * 8 + d.shift
        else:
            selected[i] = bucket(state[WORD], d.partial, _SETS)
    t.layer_2.selected[0] = d.partial
    t.layer_2.selected[1] = matched
