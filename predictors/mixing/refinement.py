"""Byte-level refinement: a token as binary decisions, each mixed from many predictors.

The language model's CDF gives the odds of every decision of the vocabulary trie
(`Trie`); what else is known of the past improves them (`decision`). Everything is
integer arithmetic and is learned online from nothing.

The streams of a frame share all tables; only their pasts are their own.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import njit
from predictors.heads import neighbors
from predictors.language_models.trie import Trie
from predictors.mixing import match_model, prefix_sums
from predictors.mixing.contexts import ALL_KINDS, hash_contexts
from predictors.mixing.decision import Decision, confidence_in, decide, new_decision_model
from predictors.mixing.logistic import clamp_odds, log2_fixed
from predictors.mixing.past import (
    MATCH,
    MATCH_LENGTH,
    Past,
    append_byte,
    append_token,
    new_states,
    place_of_end,
)

_HISTORY_BITS = 22
"""The rings of all streams together have 2**22 bytes."""

_BLOCK = 64
"""Symbols of which `_largest` looks at the sum first."""

Tables = namedtuple(
    "Tables",
    "split child depth partial spelling begin model match_table history mask states",
)
Tables.__doc__ = """All state of a refinement.

split, child, depth, partial, spelling, begin: of the `Trie`. model: a `DecisionModel`.
match_table: see `match_model`. history: [S * capacity] uint8, mask: int64, capacity - 1, and
states: [S, FIELDS] int64: see `Past`.
"""


class Refinement:
    """Codes one symbol at a time, given the language model's CDF."""

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
    return Tables(
        split=trie.split,
        child=trie.child,
        depth=trie.depth,
        partial=trie.partial,
        spelling=trie.spelling,
        begin=trie.begin,
        model=new_decision_model(kinds),
        match_table=match_model.new_table(),
        history=np.zeros(n_streams * capacity, dtype=np.uint8),
        mask=np.int64(capacity - 1),
        states=new_states(n_streams),
    )


@njit(cache=True)
def _code_symbol(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    votes: neighbors.Votes,
    before_heads: prefix_sums.PrefixSums,
    stream: int,
    cdf: npt.NDArray[np.uint32],
    symbol: int,
) -> Any:
    """Go down the trie to a symbol, one decision per node; see `Refinement.code`."""
    past = Past(t.history, t.mask, stream * (t.mask + 1), t.states[stream])
    likeliest, count = _largest(cdf)
    confidence = confidence_in(count, np.int64(cdf[len(cdf) - 1]))
    # Symbols [low, high) are left, with votes at places [first, last), and with sums of
    # weights before the heads of sum_low below them and sum_high up to their end.
    low = first = sum_low = node = np.int64(0)
    high = np.int64(len(cdf) - 1)
    last = votes.state[0]
    sum_high = before_heads.blocks[-1]
    depth = np.int64(-1)
    while node >= 0:
        if t.depth[node] != depth:
            _append_spelled(t, past, low, depth, t.depth[node])
            depth = np.int64(t.depth[node])
        split = np.int64(t.split[node])
        odds = _odds(np.int64(cdf[low]), np.int64(cdf[split]), np.int64(cdf[high]))
        change = sum_split = np.int64(0)
        if len(before_heads.weights):
            sum_split = prefix_sums.sum_before(before_heads, split)
            change = odds - _odds(sum_low, sum_split, sum_high)
        middle, below, above = neighbors.split_votes(votes, first, last, split)
        vote = neighbors.place(votes, below, above)
        partial = np.int64(t.partial[node])
        d = Decision(node, partial, depth, odds, change, confidence, likeliest, vote)
        bit = decide(coder_state, buffer, t.model, past, d, np.int64(symbol >= split))
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
    _append(t, past, t.begin[symbol] + max(depth, 0), t.begin[symbol + 1])
    append_token(past, symbol)
    return symbol


@njit(cache=True)
def _largest(cdf: npt.NDArray[np.uint32]) -> Any:
    """The most probable symbol, the first of equals, and its count; both int64."""
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
def _odds(low: int, split: int, high: int) -> Any:
    """Log-odds of the upper part of a range, in 2**-12 bit, from sums at its three edges."""
    return clamp_odds(log2_fixed(high - split) - log2_fixed(split - low))


@njit(cache=True)
def _append_spelled(t: Tables, past: Past, symbol: int, depth: int, new_depth: int) -> None:
    """Append the bytes that all symbols below a node share with this one; hash the contexts.

    depth, new_depth: complete bytes at the node before, -1 = there was none, and at this one.
    """
    begin = t.begin[symbol]
    _append(t, past, begin + max(depth, 0), begin + new_depth)
    hash_contexts(past, t.model.contexts.hashes)


@njit(cache=True)
def _append(t: Tables, past: Past, begin: int, end: int) -> None:
    """Append the bytes spelling[begin:end] to the past, and follow its match."""
    state = past.state
    for i in range(begin, end):
        append_byte(past, np.int64(t.spelling[i]))
        state[MATCH], state[MATCH_LENGTH] = match_model.follow(
            t.match_table, t.history, t.mask, place_of_end(past), state[MATCH],
            state[MATCH_LENGTH],
        )  # fmt: skip
