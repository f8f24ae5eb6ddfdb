"""Byte-level refinement: a token as binary decisions, each mixed from many predictors.

The language model's CDF gives the odds of every decision of the vocabulary trie.
They are one input of a logistic mixer, beside what bit histories in byte, word,
column and token contexts and a match model say (Mahoney, PAQ); adaptive
probability maps correct the result, and the range coder codes the decision with
it. Everything is integer arithmetic and is learned online from nothing.

The streams of a group share all tables; only their pasts are their own.
"""

from collections import namedtuple

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import njit
from coder.range_coder import code_bit
from predictors.heads import neighbors
from predictors.language_models.trie import Trie
from predictors.mixing import apm, bit_history, match_model, mixer, prefix_sums
from predictors.mixing.contexts import (
    ALL_KINDS,
    END,
    FIELDS,
    LINE,
    MATCH,
    MATCH_LENGTH,
    N_BYTE_KINDS,
    N_KINDS,
    N_ORDERS,
    TOKEN_1,
    WORD,
    append_byte,
    append_token,
    hash_contexts,
)
from predictors.mixing.hashing import bucket, combine
from predictors.mixing.logistic import (
    ODDS_ONE,
    PROBABILITY_BITS,
    PROBABILITY_ONE,
    clamp_odds,
    log2_fixed,
    squash,
    stretch,
)

SLOT_BITS = 24
"""The hash table has 2**24 slots of 8 bytes: 128 MiB whatever the input."""

_HISTORY_BITS = 22
# Histories start with zeros, which the longest byte context may look back into.
_PADDING = 8

MIN_PROBABILITY = 1 << (PROBABILITY_BITS - 16)
"""No decision is surer than 1 - 2**-16, so each costs more than 2**-16 bit."""

# Inputs of the mixer: the language model with its heads, what the heads changed, a
# constant, one per kind, the match, the votes of the neighbors.
_LM, _CHANGE, _CONSTANT, _FIRST_KIND = range(4)
_MATCH_INPUT = _FIRST_KIND + N_KINDS
_VOTES = _MATCH_INPUT + 1
_INPUTS = _VOTES + 1

# Weight sets selected by: nothing; place in the token and known bits; longest known
# context, and how sure the model is of the token; match; expected token; last token; the
# word so far; last two bytes; last byte and known bits; which kinds know the decision.
# _SETS is how many there are to select from.
(
    _ANY, _PLACE, _ORDER, _MATCHED, _EXPECTED, _LAST_TOKEN, _WORD, _TWO_BYTES, _BYTE, _KNOWN
) = range(10)  # fmt: skip
_SELECTORS = 10
_SETS = 1 << max(12, N_KINDS)
# Sets of the second layer, whose results are averaged, selected by: how sure the model is
# of the token; match; how sure it is of this decision; votes; known bits.
_FINAL_CONFIDENCE, _FINAL_MATCHED, _FINAL_ODDS, _FINAL_VOTES, _FINAL_BITS = range(5)
_FINALS = 5
_FINAL_SETS = max(256, neighbors.LEANS)
_CONFIDENCES = 6
# Top probabilities that part the levels of confidence, in percent.
_CONFIDENCE_STEPS = (15, 40, 70, 90, 99)

_RATE = 200
_EXTRA_RATE = 4000
_RATE_DECAY = 600
_FINAL_RATE = 80
_MAP_SHIFT = 7
_VOTE_SHIFT = 6
_TOKEN_MAPS = 1 << 16
_BLOCK = 64

Tables = namedtuple(
    "Tables",
    "split child depth partial spelling begin slots meanings match_table trust first final"
    " token_maps vote_maps history mask state hashes places histories inputs kinds",
)


class Refinement:
    """Codes one symbol at a time, given the language model's CDF.

    All state is in `Tables`; see `_new_tables` for shapes.
    """

    def __init__(self, trie: Trie, n_streams: int, kinds: int = ALL_KINDS) -> None:
        """
        Args:
            trie: of the vocabulary.
            n_streams: S.
            kinds: which of `contexts.KINDS` are on, as a bit mask.
        """
        self._no_votes = neighbors.new_votes(1)
        self._unchanged = prefix_sums.new_prefix_sums(0)
        self._max_decisions = trie.max_decisions
        self._tables = _new_tables(trie, n_streams, kinds)

    def code(
        self,
        coder: Coder,
        stream: int,
        cdf: npt.NDArray[np.uint32],
        symbol: int,
        votes: neighbors.Votes | None = None,
        before_heads: prefix_sums.PrefixSums | None = None,
    ) -> int:
        """Code a symbol of a stream and learn from it.

        Args:
            coder: an encoder or a decoder.
            stream: 0 .. S - 1.
            cdf: [A + 1] uint32, strictly increasing from 0, below 2**31.
            symbol: to encode; ignored when decoding.
            votes: of `Neighbors`, whose order of symbols changes; None = no votes.
            before_heads: of the language model's scores before the heads changed them;
                None = nothing did.

        Returns:
            The symbol.
        """
        state, buffer = coder.kernel_state(self._max_decisions)
        return int(
            _code_symbol(
                state, buffer, self._tables, votes or self._no_votes,
                before_heads or self._unchanged, stream, cdf, np.int64(symbol),
            )
        )  # fmt: skip


def _new_tables(trie: Trie, n_streams: int, kinds: int) -> Tables:
    capacity = 1 << (_HISTORY_BITS - (n_streams - 1).bit_length())
    state = np.zeros((n_streams, FIELDS), dtype=np.int64)
    state[:, END] = state[:, LINE] = _PADDING
    weights = np.zeros(_INPUTS, dtype=np.int64)
    weights[_LM] = mixer.WEIGHT_ONE * 9 // 10
    weights[_CHANGE] = -mixer.WEIGHT_ONE // 5
    weights[_FIRST_KIND:_MATCH_INPUT] = mixer.WEIGHT_ONE // 50
    weights[_MATCH_INPUT] = mixer.WEIGHT_ONE // 10
    weights[_VOTES] = mixer.WEIGHT_ONE // 8
    return Tables(
        split=trie.split,
        child=trie.child,
        depth=trie.depth,
        partial=trie.partial,
        spelling=trie.spelling,
        begin=trie.begin,
        slots=bit_history.new_slots(SLOT_BITS),
        meanings=bit_history.new_meanings(N_KINDS),
        match_table=match_model.new_table(),
        trust=match_model.new_trust(),
        first=mixer.new_layer(_SELECTORS, _SETS, weights),
        final=mixer.new_layer(
            _FINALS, _FINAL_SETS, np.full(_SELECTORS, mixer.WEIGHT_ONE // _SELECTORS)
        ),
        token_maps=apm.new_maps(_TOKEN_MAPS),
        vote_maps=neighbors.new_maps(),
        history=np.zeros(n_streams * capacity, dtype=np.uint8),
        mask=np.int64(capacity - 1),
        state=state,
        hashes=np.zeros(N_KINDS, dtype=np.int64),
        places=np.zeros(N_KINDS, dtype=np.int64),
        histories=np.zeros(N_KINDS, dtype=np.int64),
        inputs=np.zeros(_INPUTS, dtype=np.int64),
        kinds=np.int64(kinds),
    )


@njit(cache=True)
def _largest(cdf):
    """The most probable symbol, the first of equals, and its count."""
    symbol = np.int64(0)
    best = np.int64(-1)
    for begin in range(0, len(cdf) - 1, _BLOCK):
        end = min(begin + _BLOCK, len(cdf) - 1)
        # No symbol of a block has more than all of the block together.
        if np.int64(cdf[end]) - np.int64(cdf[begin]) <= best:
            continue
        for i in range(begin, end):
            count = np.int64(cdf[i + 1]) - np.int64(cdf[i])
            if count > best:
                symbol, best = np.int64(i), count
    return symbol, best


@njit(cache=True)
def _append(t, state, base, byte):
    append_byte(state, t.history, t.mask, base, byte)
    state[MATCH], state[MATCH_LENGTH] = match_model.follow(
        t.match_table,
        t.history,
        t.mask,
        base | (state[END] & t.mask),
        state[MATCH],
        state[MATCH_LENGTH],
    )


@njit(cache=True)
def _code_symbol(coder_state, buffer, t, votes, before_heads, stream, cdf, symbol):
    state = t.state[stream]
    base = stream * (t.mask + 1)
    expected, best = _largest(cdf)
    total = np.int64(cdf[len(cdf) - 1])
    confidence = 0
    for step in _CONFIDENCE_STEPS:
        confidence += 100 * best > step * total
    low = np.int64(0)
    high = np.int64(len(cdf) - 1)
    node = np.int64(0)
    depth = -1
    first = np.int64(0)
    last = votes.state[0]
    has_changed = len(before_heads.weights) > 0
    sum_low = np.int64(0)
    sum_high = before_heads.blocks[-1]
    while node >= 0:
        if t.depth[node] != depth:
            # All symbols of [low, high) share the bytes before this node.
            spelled = t.begin[low]
            for i in range(max(depth, 0), t.depth[node]):
                _append(t, state, base, np.int64(t.spelling[spelled + i]))
            depth = t.depth[node]
            hash_contexts(state, t.history, t.mask, base, t.hashes)
        split = np.int64(t.split[node])
        odds = clamp_odds(
            log2_fixed(np.int64(cdf[high]) - np.int64(cdf[split]))
            - log2_fixed(np.int64(cdf[split]) - np.int64(cdf[low]))
        )
        change = np.int64(0)
        sum_split = np.int64(0)
        if has_changed:
            sum_split = prefix_sums.sum_before(before_heads, split)
            change = odds - clamp_odds(
                log2_fixed(sum_high - sum_split) - log2_fixed(sum_split - sum_low)
            )
        middle, below, above = neighbors.split_votes(votes, first, last, split)
        vote = neighbors.place(votes, below, above)
        bit = np.int64(symbol >= split)
        bit = _decide(
            coder_state, buffer, t, state, base, node, odds, change, confidence, expected, vote,
            bit,
        )  # fmt: skip
        if bit:
            low = split
            first = middle
            sum_low = sum_split
        else:
            high = split
            last = middle
            sum_high = sum_split
        node = np.int64(t.child[node, bit])
    symbol = ~node
    for i in range(t.begin[symbol] + max(depth, 0), t.begin[symbol + 1]):
        _append(t, state, base, np.int64(t.spelling[i]))
    append_token(state, symbol)
    return symbol


@njit(cache=True)
def _select(t, state, base, node, odds, confidence, expected, vote, known, order, expected_bit):
    """Write which weight sets of both layers the decision's context selects."""
    partial = np.int64(t.partial[node])
    position = min(np.int64(t.depth[node]), 3)
    last_byte = np.int64(t.history[base | ((state[END] - 1) & t.mask)])
    byte_before = np.int64(t.history[base | ((state[END] - 2) & t.mask)])
    matched = state[MATCH_LENGTH] * 3 + 1 + expected_bit
    selected = t.first.selected
    selected[_ANY] = 0
    selected[_PLACE] = position * 256 + partial
    selected[_ORDER] = (order * _CONFIDENCES + confidence) * 4 + position
    selected[_MATCHED] = matched
    selected[_EXPECTED] = bucket(expected, _EXPECTED, _SETS)
    selected[_LAST_TOKEN] = bucket(state[TOKEN_1], _LAST_TOKEN, _SETS)
    selected[_WORD] = bucket(state[WORD], _WORD, _SETS)
    selected[_TWO_BYTES] = bucket(byte_before, last_byte, _SETS)
    selected[_BYTE] = bucket(last_byte, partial, _SETS)
    selected[_KNOWN] = known
    finals = t.final.selected
    finals[_FINAL_CONFIDENCE] = confidence * 4 + position
    finals[_FINAL_MATCHED] = matched
    finals[_FINAL_ODDS] = min(max((odds + 12 * ODDS_ONE) >> 12, 0), 23) * 4 + position
    finals[_FINAL_VOTES] = neighbors.lean(vote)
    finals[_FINAL_BITS] = partial


@njit(cache=True)
def _decide(
    coder_state, buffer, t, state, base, node, odds, change, confidence, expected, vote, bit
):
    """Code one decision and learn from it.

    odds: the language model's, with its heads. change: how much the heads changed them.
    vote: place in `vote_maps`, -1 = no votes on either side.
    """
    partial = np.int64(t.partial[node])
    inputs = t.inputs
    inputs[_LM] = odds
    inputs[_CHANGE] = change
    inputs[_CONSTANT] = 256
    order = 0
    known = np.int64(0)
    for k in range(N_KINDS):
        inputs[_FIRST_KIND + k] = 0
        if not (t.kinds >> k) & 1:
            continue
        place = bit_history.find_slot(
            t.slots, combine(t.hashes[k], partial if k < N_BYTE_KINDS else node)
        )
        history = bit_history.history_of(t.slots[place])
        t.places[k] = place
        t.histories[k] = history
        if history >= 0:
            inputs[_FIRST_KIND + k] = stretch(t.meanings[k, history])
            known |= 1 << k
            if k < N_ORDERS:
                order = k + 1
    length = state[MATCH_LENGTH]
    expected_bit = np.int64(-1)
    inputs[_MATCH_INPUT] = 0
    if length > 0:
        expected_bit = match_model.expected_bit(np.int64(t.history[state[MATCH]]), partial)
        if expected_bit >= 0:
            inputs[_MATCH_INPUT] = match_model.odds(t.trust, length, expected_bit)
    inputs[_VOTES] = stretch(t.vote_maps[vote]) if vote >= 0 else 0

    _select(t, state, base, node, odds, confidence, expected, vote, known, order, expected_bit)
    mixer.mix(t.first, inputs)
    result = mixer.mix(t.final, t.first.mixed)
    where = apm.place(result)
    token_map = t.token_maps[bucket(expected, node, _TOKEN_MAPS)]
    p = (3 * squash(result) + apm.refine(token_map, where)) >> 2
    p = min(max(p, np.int64(MIN_PROBABILITY)), np.int64(PROBABILITY_ONE - MIN_PROBABILITY))
    bit = code_bit(coder_state, buffer, p, PROBABILITY_BITS, bit)

    apm.learn(token_map, where, bit, _MAP_SHIFT)
    mixer.learn(t.first, inputs, bit, _RATE, _EXTRA_RATE, _RATE_DECAY)
    mixer.learn(t.final, t.first.mixed, bit, _FINAL_RATE, 0, 1)
    for k in range(N_KINDS):
        if (t.kinds >> k) & 1:
            t.slots[t.places[k]] = bit_history.observe(t.slots[t.places[k]], bit)
            if t.histories[k] >= 0:
                bit_history.adapt(t.meanings[k], t.histories[k], bit, bit_history.RATE_SHIFT)
    if vote >= 0:
        bit_history.adapt(t.vote_maps, vote, bit, _VOTE_SHIFT)
    if expected_bit >= 0:
        match_model.learn(t.trust, length, expected_bit, bit)
        if expected_bit != bit:
            state[MATCH_LENGTH] = 0
    return bit
