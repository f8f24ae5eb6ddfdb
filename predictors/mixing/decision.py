"""One binary decision of a token: predicted by many, mixed, corrected, coded, learned from.

The language model's odds are one input of a gated logistic mixer (`mixer`), beside what
bit histories in contexts, a match model and the votes of similar states say. An adaptive
probability map corrects the result (Mahoney 2005, PAQ).

Rates, shifts and first weights were chosen together for the least bits of the Canterbury texts,
the first 200,000 bytes of enwik8, and five texts of other kinds (a table, a log, JSON, Python, a
manual). On the next 800,000 bytes of enwik8 they gained as much.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from coder.range_coder import code_bit
from predictors.heads import neighbors
from predictors.mixing import apm, context_lines, match_model, mixer
from predictors.mixing.contexts import N_KINDS, N_ORDERS
from predictors.mixing.hashing import bucket
from predictors.mixing.logistic import (
    ODDS_BITS,
    ODDS_ONE,
    PROBABILITY_BITS,
    adapt,
    clamp_probability,
    squash,
    stretch,
)
from predictors.mixing.past import (
    MATCH,
    MATCH_LENGTH,
    NOTHING_OWN,
    TOKEN_1,
    WORD,
    Past,
    byte_before,
    own_of,
)

MAX_LINE_BITS = 22
"""The hash table has at most 2**22 lines of 32 bytes, 128 MiB,"""

MAX_UNLIKE_LINE_BITS = 24
"""and 512 MiB where streams may be unlike, which then serve each other little."""

_MIN_LINE_BITS = 14
_LINES_PER_SYMBOL = 256
"""So many fill the table to a half: a symbol has 4 bytes, a byte 2 lines in each of 14 contexts."""

_LINES_KEPT_PER_SYMBOL = 32
"""A table beyond 2**22 lines has at least so many. With 8 texts of source code of 48,000 bytes side
by side (122,621 symbols), 2**20 lines cost 0.57 %, 2**22 0.15 %, against 2**24; with one behind
the other 0.04 and 0.00 %."""

# Inputs of the mixer: one per kind of context, the language model with its heads, what the
# heads changed, a constant, the match, the votes of the neighbors.
_MODEL = N_KINDS
_CHANGE, _CONSTANT, _MATCH, _VOTES = range(_MODEL + 1, _MODEL + 5)
_INPUTS = _VOTES + 1

# Weight sets of layer 1 are selected by: nothing, or the stream; place in the token and known
# bits; longest known context, and how sure the model is of the token; match; likeliest token; last
# token; the word so far; last two bytes; last byte and known bits; which kinds know the decision.
(
    _ANY, _PLACE, _ORDER, _MATCHED, _LIKELIEST, _LAST_TOKEN, _WORD, _TWO_BYTES, _BYTE, _KNOWN
) = range(10)  # fmt: skip
_SELECTORS_1 = 10
_SETS_1 = 1 << max(12, N_KINDS)
"""The most sets that one selector of layer 1 selects from."""

# Those of layer 2 by: how sure the model is of the token; match; how sure it is of this
# decision; votes; known bits.
_BY_CONFIDENCE, _BY_MATCH, _BY_ODDS, _BY_VOTES, _BY_BITS = range(5)
_SELECTORS_2 = 5
_SETS_2 = max(256, neighbors.LEANS)
"""The most sets that one selector of layer 2 selects from."""

_POSITIONS = 4
"""Bytes before the decision in its token: 0, 1, 2, more."""

# Top probabilities that part the levels of confidence, in percent.
_CONFIDENCE_STEPS = (15, 40, 70, 90, 99)
_CONFIDENCES = len(_CONFIDENCE_STEPS) + 1

_ODDS_REACH = 12
"""Odds of ± so many bits are told apart in layer 2, by whole bits."""

# Of the mixer's layers, in the unit of `mixer.train`: layer 1 learns at 4,200 at first, at
# half of it after some 280 decisions in a set, and at 200 in the end.
_RATE_1, _EXTRA_RATE_1 = 200, 4000
_RATE_2 = 80

_MAP_SHIFT = 7
"""A knot of a probability map moves by 1/128 of its error."""

_VOTE_SHIFT = 6
"""A probability of the votes' map moves by 1/64 of its error."""

_TOKEN_MAPS = 1 << 16
"""Probability maps, by a hash of the likeliest token and the decision: 6.25 MiB."""

DecisionModel = namedtuple(
    "DecisionModel", "contexts match_map layer_1 layer_2 token_maps vote_map inputs own_shift"
)
DecisionModel.__doc__ = """What all streams have learned of decisions.

contexts: a `ContextLines`. match_map: see `match_model`. layer_1, layer_2: a `mixer.Layer` each.
token_maps: [_TOKEN_MAPS, KNOTS] int32, see `apm`. vote_map: see `neighbors.new_map`.
inputs: [_INPUTS] int32 of `layer_1`, in whole lanes, log-odds in 2**-12 bit.
own_shift: int64, see `own_of`.
"""

Decision = namedtuple("Decision", "node partial depth odds change confidence likeliest vote")
Decision.__doc__ = """What is known of a decision before it is made; all int64.

node, partial, depth: in the `Trie`. odds: of a one by the language model with its heads, in
2**-12 bit. change: how much the heads changed them. confidence: see `confidence_in`.
likeliest: the most probable symbol. vote: place in `vote_map`, -1 = no votes on either side.
"""


def line_bits(n_symbols: int, unlike: bool = False) -> int:
    """Binary logarithm of the lines for so many symbols, a table that they don't fill.

    Args:
        unlike: are they those of streams that may be unlike?
    """
    bits = min(max(_bits_of(_LINES_PER_SYMBOL * n_symbols), _MIN_LINE_BITS), MAX_LINE_BITS)
    if unlike:
        bits = min(max(_bits_of(_LINES_KEPT_PER_SYMBOL * n_symbols), bits), MAX_UNLIKE_LINE_BITS)
    return bits


def _bits_of(n: int) -> int:
    """Binary logarithm of n, rounded up."""
    return (n - 1).bit_length()


def new_decision_model(kinds: int, n_symbols: int, own_shift: int = NOTHING_OWN) -> DecisionModel:
    """Untrained.

    Args:
        kinds: mask of the kinds of context that are on.
        n_symbols: that will be coded.
        own_shift: see `own_of`.
    """
    weights = np.zeros(_INPUTS, dtype=np.int64)
    weights[:N_KINDS] = mixer.WEIGHT_ONE // 50
    weights[_MODEL] = mixer.WEIGHT_ONE * 9 // 10
    weights[_CHANGE] = -mixer.WEIGHT_ONE // 5
    weights[_MATCH] = mixer.WEIGHT_ONE // 10
    weights[_VOTES] = mixer.WEIGHT_ONE // 8
    lines = line_bits(n_symbols, own_shift != NOTHING_OWN)
    average = np.full(_SELECTORS_1, mixer.WEIGHT_ONE // _SELECTORS_1)
    return DecisionModel(
        contexts=context_lines.new_context_lines(N_KINDS, lines, kinds),
        match_map=match_model.new_match_map(),
        layer_1=mixer.new_layer(_SELECTORS_1, _SETS_1, weights, _EXTRA_RATE_1),
        layer_2=mixer.new_layer(_SELECTORS_2, _SETS_2, average, 0),
        token_maps=apm.new_maps(_TOKEN_MAPS),
        vote_map=neighbors.new_map(),
        inputs=mixer.new_inputs(_INPUTS),
        own_shift=np.int64(own_shift),
    )


@inlined
def confidence_in(count: int, total: int) -> Any:
    """Level of the likeliest symbol's probability, count / total: 0 .. _CONFIDENCES - 1."""
    confidence = 0
    for step in _CONFIDENCE_STEPS:
        confidence += 100 * count > step * total
    return confidence


@inlined
def decide(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    m: DecisionModel,
    past: Past,
    d: Decision,
    bit: int,
) -> Any:
    """Code one decision and learn from it.

    Args:
        coder_state, buffer: of the coder, see `code_bit`.
        m: the `DecisionModel`.
        past: the stream's `Past`; its match ends where it is wrong.
        d: the `Decision`.
        bit: int64, to encode; ignored when decoding.

    Returns:
        The bit, int64.
    """
    inputs = m.inputs
    known = context_lines.look_up(m.contexts, d.partial, inputs)
    length = past.state[MATCH_LENGTH]
    expected = match_model.expect(past.history, past.state[MATCH], length, d.partial)
    inputs[_MODEL] = d.odds
    inputs[_CHANGE] = d.change
    inputs[_CONSTANT] = mixer.CONSTANT_INPUT
    inputs[_MATCH] = match_model.odds(m.match_map, length, expected)
    inputs[_VOTES] = stretch(m.vote_map[d.vote]) if d.vote >= 0 else 0

    _select(m, past, d, known, expected)
    mixer.mix(m.layer_1, inputs)
    odds = mixer.mix(m.layer_2, m.layer_1.mixed)
    place = apm.place(odds)
    token_map = m.token_maps[bucket(d.likeliest, d.node, _TOKEN_MAPS)]
    p = clamp_probability((3 * squash(odds) + apm.refine(token_map, place)) >> 2)
    bit = code_bit(coder_state, buffer, p, PROBABILITY_BITS, bit)

    apm.learn(token_map, place, bit, _MAP_SHIFT)
    mixer.learn(m.layer_1, inputs, bit, _RATE_1)
    mixer.learn(m.layer_2, m.layer_1.mixed, bit, _RATE_2)
    context_lines.learn(m.contexts, bit)
    if d.vote >= 0:
        m.vote_map[d.vote] = adapt(m.vote_map[d.vote], bit, _VOTE_SHIFT)
    if match_model.learn(m.match_map, length, expected, bit):
        past.state[MATCH_LENGTH] = 0
    return bit


@inlined
def _highest_known(known: int) -> Any:
    """1 + the highest of the first N_ORDERS kinds in a mask of kinds; 0 = none of them."""
    highest = 0
    for k in range(N_ORDERS):
        if (known >> k) & 1:
            highest = k + 1
    return highest


@inlined
def _select(m: DecisionModel, past: Past, d: Decision, known: int, expected: int) -> None:
    """Write which weight sets of both layers are selected.

    Args:
        m, past, d: as in `decide`.
        known: int64, mask of the kinds that know the decision.
        expected: int64, the match's bit, -1 = none.
    """
    state = past.state
    position = min(d.depth, _POSITIONS - 1)
    last_byte = byte_before(past, 1)
    order = _highest_known(known)
    matched = match_model.selector(state[MATCH_LENGTH], expected)
    layer_1 = m.layer_1.selected
    layer_1[_ANY] = own_of(past, m.own_shift)
    layer_1[_PLACE] = position * 256 + d.partial
    layer_1[_ORDER] = (order * _CONFIDENCES + d.confidence) * _POSITIONS + position
    layer_1[_MATCHED] = matched
    layer_1[_LIKELIEST] = bucket(d.likeliest, _LIKELIEST, _SETS_1)
    layer_1[_LAST_TOKEN] = bucket(state[TOKEN_1], _LAST_TOKEN, _SETS_1)
    layer_1[_WORD] = bucket(state[WORD], _WORD, _SETS_1)
    layer_1[_TWO_BYTES] = bucket(byte_before(past, 2), last_byte, _SETS_1)
    layer_1[_BYTE] = bucket(last_byte, d.partial, _SETS_1)
    layer_1[_KNOWN] = known
    layer_2 = m.layer_2.selected
    layer_2[_BY_CONFIDENCE] = d.confidence * _POSITIONS + position
    layer_2[_BY_MATCH] = matched
    whole_bits = (d.odds + _ODDS_REACH * ODDS_ONE) >> ODDS_BITS
    layer_2[_BY_ODDS] = min(max(whole_bits, 0), 2 * _ODDS_REACH - 1) * _POSITIONS + position
    layer_2[_BY_VOTES] = neighbors.lean(d.vote)
    layer_2[_BY_BITS] = d.partial
