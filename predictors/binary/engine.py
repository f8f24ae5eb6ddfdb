"""The engine of all models of binary data: one decision predicted, coded and learned.

A model says in which contexts a byte stands (`Tables.hashes`), by which of its selectors which
weights are used, and adds inputs of its own. Here each context becomes five inputs of the
mixer: log-odds and distance from one half of what followed its bit history, the same two of
what followed the context itself, and what the byte that was seen last in the context
expects. Two layers of gated mixers follow, then the average of adaptive probability maps
(Mahoney 2005, PAQ8 and lpaq).
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import inlined
from coder.range_coder import code_bit
from predictors.binary import slots
from predictors.mixing import apm, match_model, rate_map, weight_sets
from predictors.mixing.bit_states import NEXT, ROOM, new_state_map
from predictors.mixing.hashing import bucket, combine
from predictors.mixing.logistic import (
    MIN_PROBABILITY,
    PROBABILITY_BITS,
    clamp_probability,
    squash,
)

_RUNS = 1 << 8

INPUTS_PER_KIND = 4
"""Of the mixer, beside what a run expects."""

# Inputs behind those of all kinds: a constant, and the match twice. What runs expect follows, then
# the model's own inputs.
_CONSTANT, _MATCH, _MATCH_LENGTH = range(3)
MORE_INPUTS = 3
_LENGTH_UNIT, _LONG_MATCH = 512, 16
"""A match's length in bytes is an input of 1/8 bit for each, up to 16."""

SETS = 1 << 10
"""Weight sets that a selector of either layer selects from."""

SELECTORS_2 = 3

MAP_KINDS = 3
"""Probability maps that are averaged."""

_MAPS = 1 << 16
_MAP_SHIFT = 6
"""A knot of a probability map moves by 1/64 of its error."""

_LIMIT = 1023
"""Probabilities are means of what followed, of as many as this."""

_FIRST_MATCH_WEIGHT = weight_sets.WEIGHT_ONE // 4

_FRONT = 64
"""Zeros in front of the data beside those that a model asks for."""

BLOCK = 1 << 12
"""Bytes coded between two calls of the progress call-back."""

# Places of the match in `Tables.match`.
POINTER, LENGTH = range(2)

# A mask so wide that the ring of the match model never comes round.
_NO_RING = np.int64((1 << 62) - 1)

_NEXT = NEXT.ravel()

Tables = namedtuple(
    "Tables",
    "table states state_map run_map hashes places firsts entries run_entries inputs "
    "layer_1 layer_2 maps map_contexts map_places match_table match_map match numbers memory",
)
Tables.__doc__ = """All state of a model with K kinds of context.

table, states: see `slots`. state_map: [K * ROOM] uint32, see `bit_states`. run_map: [K * 256]
uint32, see `rate_map`: whether a run goes on, by its length. hashes: [K] int64, contexts of the
byte. places: [K] int64, slots of the half byte that is coded; firsts: of the byte's first half.
entries: [K] int64, of the state map for the decision. run_entries: [K] int64, twice that of the
run map plus the expected bit, -1 = nothing is expected. inputs: int32 of `layer_1`, in whole
lanes. layer_1, layer_2: a `weight_sets.Layer` each. maps: [MAP_KINDS * _MAPS, KNOTS], see `apm`;
map_contexts: [MAP_KINDS] int64, written by the model; map_places: the maps of the decision.
match_table, match_map: see `match_model`. match: [2] int64, place in the data that the match
expects next, and its length. numbers, memory: int64, of the model's own.
"""


def new_tables(
    kinds: int,
    slot_bits: int,
    selectors: int,
    memory: int,
    rates_1: tuple[int, int, int],
    rates_2: tuple[int, int, int],
    first_weight: int,
    runs: bool = True,
    own_weights: Sequence[int] = (),
) -> Tables:
    """Untrained tables.

    Args:
        kinds: K, of context.
        slot_bits: binary logarithm of the number of slots, of 80 bytes each.
        selectors: of layer 1.
        memory: numbers that the model wants to keep.
        rates_1, rates_2: rate, extra and decay of both layers, see `weight_sets.new_layer`.
        first_weight: of the log-odds of each kind, in 2**-16.
        runs: are there inputs of what was seen last?
        own_weights: first ones of the model's own inputs, in 2**-16.
    """
    own = INPUTS_PER_KIND * kinds + MORE_INPUTS + (kinds if runs else 0)
    n = own + len(own_weights)
    first = np.zeros(n)
    first[:kinds] = first_weight
    first[own:] = own_weights
    first[INPUTS_PER_KIND * kinds + _MATCH] = _FIRST_MATCH_WEIGHT
    average = np.full(selectors, weight_sets.WEIGHT_ONE // selectors)
    return Tables(
        table=slots.new_probabilities(slot_bits),
        states=slots.new_states(slot_bits),
        state_map=new_state_map(kinds),
        run_map=_first_run_map(kinds),
        hashes=np.zeros(kinds, dtype=np.int64),
        places=np.zeros(kinds, dtype=np.int64),
        firsts=np.zeros(kinds, dtype=np.int64),
        entries=np.zeros(kinds, dtype=np.int64),
        run_entries=np.zeros(kinds, dtype=np.int64),
        inputs=weight_sets.new_inputs(n),
        layer_1=weight_sets.new_layer(selectors, SETS, first, *rates_1),
        layer_2=weight_sets.new_layer(SELECTORS_2, SETS, average, *rates_2),
        maps=apm.new_maps(MAP_KINDS * _MAPS),
        map_contexts=np.zeros(MAP_KINDS, dtype=np.int64),
        map_places=np.zeros(MAP_KINDS, dtype=np.int64),
        match_table=match_model.new_table(),
        match_map=match_model.new_match_map(),
        match=np.zeros(2, dtype=np.int64),
        numbers=np.zeros(64, dtype=np.int64),
        memory=np.zeros(memory, dtype=np.int64),
    )


def least_cost(size: int) -> int:
    """A lower bound of what `size` bytes cost, in 2**-24 bit: see `Ensemble.least_cost`."""
    return 8 * size * MIN_PROBABILITY


def place_of_first(front: int) -> int:
    """Where the first byte is among the zeros and the data of `code_blocks`."""
    return front + _FRONT


def code_blocks(
    coder: Coder,
    data: npt.NDArray[np.uint8],
    front: int,
    t: Any,
    code_block: Callable[..., None],
    on_progress: Callable[[int], None],
    every: int,
    decisions: int = 8,
) -> None:
    """Code data in blocks, behind zeros.

    Args:
        coder, data, on_progress, every: see `code_bytes`.
        front: how many bytes before the first one the model looks at.
        t: the model's `Tables`, or a tuple of them and of what it has besides.
        code_block: kernel (state, buffer, t, padded, begin, end) that codes padded[begin:end].
        decisions: the most that it makes for a byte.
    """
    begin = place_of_first(front)
    padded = np.zeros(begin + len(data), dtype=np.uint8)
    padded[begin:] = data
    for first in range(begin, len(padded), every):
        end = min(first + every, len(padded))
        state, buffer = coder.kernel_state(decisions * (end - first))
        code_block(state, buffer, t, padded, first, end)
        on_progress(end - begin)
    data[:] = padded[begin:]


def _first_run_map(kinds: int) -> np.ndarray:
    """That a run of n goes on: (n + 0.5) / (n + 1)."""
    n = np.arange(_RUNS, dtype=np.int64)
    p = rate_map.ONE * (2 * n + 1) // (2 * n + 2)
    return np.tile(rate_map.new_entries(p), kinds)


@inlined
def find_first(t: Tables) -> None:
    """Find the slots of the first half of a byte."""
    for k in range(len(t.hashes)):
        place = slots.find(t.table, t.states, t.hashes[k])
        t.places[k] = place
        t.firsts[k] = place


@inlined
def find_second(t: Tables, partial: int) -> None:
    """Find the slots of its second half, the first one being known."""
    for k in range(len(t.hashes)):
        t.places[k] = slots.find(t.table, t.states, combine(t.hashes[k], partial))


@inlined
def end_byte(t: Tables, byte: int) -> None:
    """Take note of the byte that followed the contexts."""
    for k in range(len(t.hashes)):
        slots.extend_run(t.table, t.firsts[k], byte)


@inlined
def look_up(t: Tables, nibble: int) -> Any:
    """Write what the contexts say of a decision; return how many of them know it, int64.

    `nibble`: which of its slot's decisions it is.
    """
    kinds = len(t.hashes)
    inputs = t.inputs
    known = np.int64(0)
    for k in range(kinds):
        place = t.places[k] + nibble
        state = np.int64(t.states[place])
        entry = k * ROOM + state
        t.entries[k] = entry
        if state:
            p = rate_map.probability(t.state_map[entry])
            inputs[k] = rate_map.log_odds(p)
            inputs[kinds + k] = rate_map.distance(p)
            p = rate_map.probability(t.table[place])
            inputs[2 * kinds + k] = rate_map.log_odds(p)
            inputs[3 * kinds + k] = rate_map.distance(p)
            known += 1
        else:
            inputs[k] = 0
            inputs[kinds + k] = 0
            inputs[2 * kinds + k] = 0
            inputs[3 * kinds + k] = 0
    return known


@inlined
def look_up_runs(t: Tables, partial: int) -> None:
    """Write what the bytes that were seen last expect."""
    kinds = len(t.hashes)
    runs = INPUTS_PER_KIND * kinds + MORE_INPUTS
    inputs = t.inputs
    for k in range(kinds):
        byte, count = slots.run_of(t.table[t.firsts[k]])
        expected = np.int64(-1)
        if count > 0:
            expected = match_model.expected_bit(byte, partial)
        if expected >= 0:
            entry = k * _RUNS + count
            t.run_entries[k] = entry << 1 | expected
            x = rate_map.log_odds(rate_map.probability(t.run_map[entry]))
            inputs[runs + k] = x if expected else -x
        else:
            t.run_entries[k] = -1
            inputs[runs + k] = 0


@inlined
def learn_contexts(t: Tables, nibble: int, bit: int) -> None:
    """Learn the bit that followed what `look_up` was asked."""
    for k in range(len(t.hashes)):
        place = t.places[k] + nibble
        rate_map.learn(t.state_map, t.entries[k], bit, _LIMIT)
        rate_map.learn(t.table, place, bit, _LIMIT)
        t.states[place] = _NEXT[np.int64(t.states[place]) * 2 + bit]


@inlined
def learn_runs(t: Tables, bit: int) -> None:
    """Learn the bit of which `look_up_runs` told what is expected."""
    for k in range(len(t.hashes)):
        run = t.run_entries[k]
        if run >= 0:
            rate_map.learn(t.run_map, run >> 1, np.int64((run & 1) == bit), _LIMIT)


@inlined
def match_inputs(t: Tables, data: npt.NDArray[np.uint8], partial: int) -> Any:
    """Write the inputs of the match; return the bit it expects, -1 = none."""
    length = t.match[LENGTH]
    expected = match_model.expect(data, t.match[POINTER], length, partial)
    more = INPUTS_PER_KIND * len(t.hashes)
    t.inputs[more + _CONSTANT] = weight_sets.CONSTANT_INPUT
    t.inputs[more + _MATCH] = match_model.odds(t.match_map, length, expected)
    sign = 2 * expected - 1 if expected >= 0 else 0
    t.inputs[more + _MATCH_LENGTH] = sign * min(length, _LONG_MATCH) * _LENGTH_UNIT
    return expected


@inlined
def no_match(t: Tables) -> None:
    """Write the inputs of a match for a model that has none."""
    t.inputs[INPUTS_PER_KIND * len(t.hashes) + _CONSTANT] = weight_sets.CONSTANT_INPUT


@inlined
def learn_match(t: Tables, expected: int, bit: int) -> None:
    """Learn a bit of which the match expected what `match_inputs` returned."""
    if match_model.learn(t.match_map, t.match[LENGTH], expected, bit):
        t.match[LENGTH] = 0


@inlined
def follow_match(t: Tables, data: npt.NDArray[np.uint8], end: int) -> None:
    """Find what the match expects at place `end`, the byte before it being known now."""
    t.match[POINTER], t.match[LENGTH] = match_model.follow(
        t.match_table, data, _NO_RING, np.int64(end), t.match[POINTER], t.match[LENGTH]
    )


@inlined
def code(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    bit: int,
    partial: int,
) -> Any:
    """Mix the inputs, refine, code the bit; mixers and maps learn from it.

    Args:
        coder_state, buffer: of the coder, see `code_bit`.
        t: the `Tables`, with inputs, selected sets and contexts of the maps.
        bit: int64, to encode; ignored when decoding.
        partial: int64, what else tells apart the decisions in a map's context.

    Returns:
        The bit, int64.
    """
    weight_sets.mix(t.layer_1, t.inputs)
    odds = weight_sets.mix(t.layer_2, t.layer_1.mixed)
    place = apm.place(odds)
    total = np.int64(0)
    for j in range(MAP_KINDS):
        at = j * _MAPS + bucket(t.map_contexts[j], partial, _MAPS)
        t.map_places[j] = at
        total += apm.refine(t.maps[at], place)
    p = clamp_probability((MAP_KINDS * squash(odds) + total) // (2 * MAP_KINDS))
    bit = code_bit(coder_state, buffer, p, PROBABILITY_BITS, bit)
    for j in range(MAP_KINDS):
        apm.learn(t.maps[t.map_places[j]], place, bit, _MAP_SHIFT)
    weight_sets.learn(t.layer_1, t.inputs, bit)
    weight_sets.learn(t.layer_2, t.layer_1.mixed, bit)
    return bit
