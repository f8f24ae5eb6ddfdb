"""Byte-level refinement: a token as binary decisions, each mixed from many predictors.

The language model's weights give the odds of every decision of the vocabulary trie
(`Trie`); what else is known of the past improves them (`decision`). Everything is
integer arithmetic and is learned online from nothing.

The streams of a frame share all tables; only their pasts are their own, and, where they may be
unlike, a set of weights and the histories of two kinds of context.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from coder.prefetch import prefetch
from predictors import softmax
from predictors.heads import candidates, neighbors
from predictors.language_models.trie import Trie
from predictors.mixing import match_model
from predictors.mixing.context_lines import begin_byte
from predictors.mixing.contexts import hash_contexts
from predictors.mixing.decision import Decision, confidence_in, decide, new_decision_model
from predictors.mixing.logistic import clamp_odds, log2_fixed
from predictors.mixing.past import (
    MATCH,
    MATCH_LENGTH,
    NOTHING_OWN,
    Past,
    append_byte,
    append_token,
    new_states,
    own_of,
    place_of_end,
)

_HISTORY_BITS = 22
"""The rings of all streams together have 2**22 bytes."""

_NODE = 4
"""Numbers of a node."""

_DEPTH_SHIFT = 8
"""In a node, the depth stands above the partial."""

Tables = namedtuple(
    "Tables",
    "nodes spelling begin model match_table history mask states",
)
Tables.__doc__ = """All state of a refinement.

nodes: [A - 1, 4] int32, split, both children, and depth * 256 + partial, of the `Trie`; spelling,
begin: of that too. model: a `DecisionModel`.
match_table: see `match_model`. history: [S * capacity] uint8, mask: int64, capacity - 1, and
states: [S, FIELDS] int64: see `Past`.
"""


def new_tables(
    trie: Trie, n_streams: int, n_symbols: int, kinds: int, unlike: bool = False
) -> Tables:
    """Untrained.

    Args:
        trie: of the vocabulary.
        n_streams: S.
        n_symbols: that all streams have together.
        kinds: which of `contexts.KINDS` are on, as a bit mask.
        unlike: may the streams be unlike? Then each of several keeps something for itself.
    """
    ring_bits = _HISTORY_BITS - (n_streams - 1).bit_length()
    capacity = 1 << ring_bits
    own_shift = ring_bits if unlike else NOTHING_OWN
    return Tables(
        nodes=np.column_stack(
            [trie.split, trie.child, trie.depth << _DEPTH_SHIFT | trie.partial]
        ).astype(np.int32),
        spelling=trie.spelling,
        begin=trie.begin,
        model=new_decision_model(kinds, n_symbols, own_shift),
        match_table=match_model.new_table(),
        history=np.zeros(n_streams * capacity, dtype=np.uint8),
        mask=np.int64(capacity - 1),
        states=new_states(n_streams),
    )


@njit(cache=True, error_model="numpy", _nrt=False)
def code_symbol(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    votes: neighbors.Votes,
    before: softmax.Softmax,
    after: candidates.Candidates,
    stream: int,
    symbol: int,
) -> Any:
    """Go down the trie to a symbol, one decision per node; learn from each.

    Args:
        coder_state, buffer: of the coder, see `code_bit`; with room for all decisions.
        t: the `Tables`.
        votes: of `neighbors`; the order of its symbols changes.
        before, after: the weights before the heads changed them, and after.
        stream: 0 .. S - 1.
        symbol: int64, to encode; ignored when decoding.

    Returns:
        The symbol, int64.
    """
    past = Past(t.history, t.mask, stream * (t.mask + 1), t.states[stream])
    likeliest, weight, total = candidates.likeliest(after)
    confidence = confidence_in(weight, total)
    # The first symbol that is left is low, with votes at places [first, last), candidates [c_low,
    # c_high), and sums of weights before the heads of sum_low below them and sum_high up to
    # their end.
    low = first = sum_low = node = c_low = np.int64(0)
    last = votes.state[0]
    sum_high = before.blocks[-1]
    c_high = candidates.count_of(after)
    depth = np.int64(-1)
    while node >= 0:
        of_node = t.nodes[node]
        node_depth = np.int64(of_node[3]) >> _DEPTH_SHIFT
        if node_depth != depth:
            _append_spelled(t, past, low, node, depth, node_depth)
            depth = node_depth
        for side in (1, 2):
            prefetch(t.nodes, max(np.int64(of_node[side]), 0) * _NODE)
        split = np.int64(of_node[0])
        sum_split = softmax.sum_before(before, split)
        c_split = candidates.place_of(after, split, c_low, c_high)
        raised = after.sums[c_split]
        odds = _odds(
            sum_split - sum_low + raised - after.sums[c_low],
            sum_high - sum_split + after.sums[c_high] - raised,
        )
        change = odds - _odds(sum_split - sum_low, sum_high - sum_split)
        middle, below, above = neighbors.split_votes(votes, first, last, split)
        vote = neighbors.place(votes, below, above)
        partial = np.int64(of_node[3]) & ((1 << _DEPTH_SHIFT) - 1)
        d = Decision(node, partial, depth, odds, change, confidence, likeliest, vote)
        bit = decide(coder_state, buffer, t.model, past, d, np.int64(symbol >= split))
        if bit:
            low, first, sum_low, c_low = split, middle, sum_split, c_split
        else:
            last, sum_high, c_high = middle, sum_split, c_split
        node = np.int64(of_node[1 + bit])
    symbol = ~node
    _append(t, past, t.begin[symbol] + max(depth, 0), t.begin[symbol + 1])
    append_token(past, symbol)
    return symbol


@inlined
def _odds(below: int, above: int) -> Any:
    """Log-odds of the upper part of a range, in 2**-12 bit, from the weights of its parts."""
    return clamp_odds(log2_fixed(above) - log2_fixed(below))


@inlined
def _append_spelled(
    t: Tables, past: Past, symbol: int, node: int, depth: int, new_depth: int
) -> None:
    """Append the bytes that all symbols below a node share with this one; hash the contexts.

    depth, new_depth: complete bytes at the node before, -1 = there was none, and at this one.
    """
    begin = t.begin[symbol]
    _append(t, past, begin + max(depth, 0), begin + new_depth)
    hash_contexts(past, node, t.model.contexts.hashes, own_of(past, t.model.own_shift))
    begin_byte(t.model.contexts)


@inlined
def _append(t: Tables, past: Past, begin: int, end: int) -> None:
    """Append the bytes spelling[begin:end] to the past, and follow its match."""
    state = past.state
    for i in range(begin, end):
        append_byte(past, np.int64(t.spelling[i]))
        state[MATCH], state[MATCH_LENGTH] = match_model.follow(
            t.match_table, t.history, t.mask, place_of_end(past), state[MATCH],
            state[MATCH_LENGTH],
        )  # fmt: skip
