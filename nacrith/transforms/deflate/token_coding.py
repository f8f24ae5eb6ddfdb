"""Tokens of a stream, coded as what differs from the prediction of what its compressor does next.

The compressor is followed from token to token: what it would do now is predicted from what it
has really done so far (the idea of preflate, Steinke 2018), so that one decision of its own does
not spoil the rest.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.transforms.deflate.adaptive_numbers import (
    NUMBER,
    NUMBER_CODE_BITS,
    code_choice,
    code_flag,
    code_number,
    new_table,
)
from nacrith.transforms.deflate.alphabet import (
    DISTANCE_BITS,
    MAX_DISTANCE,
    MAX_MATCH,
    MIN_MATCH,
    distance_of,
    length_of,
    match,
)
from nacrith.transforms.deflate.effort import GREEDY, LAZY, LAZY_BELOW, LITERALS, RUNS, WAY
from nacrith.transforms.deflate.match_finder import (
    DISTANCE,
    FOUND,
    HISTORY,
    INSERTED,
    KNOWN,
    LENGTH,
    Finder,
    insert,
    search,
)

Bytes = npt.NDArray[np.uint8]
Tokens = npt.NDArray[np.int32]

CODE, FILL, COUNT = range(3)
"""What `follow` does: code the tokens; fill in those predicted; count those that differ."""

# Contexts. Kinds of prediction: no match, a longer one follows, matches of growing length.
_KINDS = 7
_HISTORY_BITS = 3
_IS_LITERAL = _KINDS << _HISTORY_BITS
_IS_LENGTH = _IS_LITERAL + _KINDS
_LENGTH = _IS_LENGTH + _KINDS
_RANK = _LENGTH + 2 * 256
_DISTANCE = _RANK + 2 * NUMBER
N_CONTEXTS = _DISTANCE + (1 << 8)

# Earlier places that are looked at, and those of them that are counted, to name a distance.
_MOST_LOOKED_AT, _MOST_RANKS = 4096, 255

TOKEN_CODE_BITS = 8 + 8 + NUMBER_CODE_BITS + DISTANCE_BITS
"""A token takes at most so many coded bits."""


@njit(cache=True, counted=False)
def _insert_up_to(content: Bytes, finder: Finder, end: int) -> None:
    if finder.state[INSERTED] < end:
        insert(content, finder, finder.state[INSERTED], end)
        finder.state[INSERTED] = end


@njit(cache=True, counted=False)
def _predict(content: Bytes, finder: Finder, place: int) -> Any:
    """Find the next token's length, 0 for a literal; its distance is left in the state."""
    state = finder.state
    way = finder.fields[WAY]
    if way == LITERALS:
        state[LENGTH] = 0
        return np.int64(0)
    if way == RUNS:
        most = min(np.int64(MAX_MATCH), len(content) - place)
        length = np.int64(0)
        if place > 0:
            while length < most and content[place + length] == content[place - 1]:
                length += 1
        state[LENGTH] = length
        state[DISTANCE] = 1
        return length if length >= MIN_MATCH else np.int64(0)
    if not state[KNOWN]:
        _insert_up_to(content, finder, place + 1)
        state[LENGTH] = search(content, finder, place, MIN_MATCH - 1)
        state[DISTANCE] = state[FOUND]
    state[KNOWN] = 0
    length = state[LENGTH]
    if length < MIN_MATCH:
        return np.int64(0)
    if way == LAZY and length < finder.fields[LAZY_BELOW]:
        _insert_up_to(content, finder, place + 2)
        following = search(content, finder, place + 1, length)
        if following > length:
            state[KNOWN] = following
            return np.int64(0)
    return length


@njit(cache=True, counted=False)
def _advance(content: Bytes, finder: Finder, place: int, length: int) -> None:
    """Go on behind a token of this length, 0 for a literal."""
    state = finder.state
    way = finder.fields[WAY]
    if length == 0:
        # A literal in front of a longer match, which is known already.
        if state[KNOWN]:
            state[LENGTH] = state[KNOWN]
            state[DISTANCE] = state[FOUND]
        return
    state[KNOWN] = 0
    if way == GREEDY and length > finder.fields[LAZY_BELOW]:
        state[INSERTED] = place + length
    elif way in (GREEDY, LAZY):
        _insert_up_to(content, finder, place + length)


@njit(cache=True, counted=False)
def _find_rank(
    content: Bytes, finder: Finder, place: int, length: int, rank: int, distance: int
) -> Any:
    """Count the earlier places with a match of this length, the nearest first.

    Args:
        rank, distance: stop at this rank or this distance, whichever comes first; -1 = none.

    Returns:
        rank, distance; -1, 0 if there is none such among those that are looked at.
    """
    links = finder.links
    ring = len(links) - 1
    count = np.int64(0)
    if finder.fields[WAY] == LITERALS or finder.fields[WAY] == RUNS:
        return np.int64(-1), np.int64(0)
    if finder.state[INSERTED] <= place or place + MIN_MATCH > len(content):
        return np.int64(-1), np.int64(0)
    candidate = np.int64(links[place & ring])
    for _ in range(_MOST_LOOKED_AT):
        if candidate < 0 or place - candidate > len(links) or count > _MOST_RANKS:
            break
        i = np.int64(0)
        while i < length and content[candidate + i] == content[place + i]:
            i += 1
        if i == length:
            if count == rank or place - candidate == distance:
                return count, place - candidate
            count += 1
        following = np.int64(links[candidate & ring])
        if following >= candidate:
            break
        candidate = following
    return np.int64(-1), np.int64(0)


@njit(cache=True, counted=False)
def _kind(predicted: int, length: int) -> Any:
    """Which kind of prediction this is, from 0 on."""
    if predicted == 0:
        return np.int64(1 if length >= MIN_MATCH else 0)
    if predicted < 5:
        return np.int64(predicted - 1)
    if predicted < 9:
        return np.int64(4)
    return np.int64(5 if predicted < 32 else 6)


@njit(cache=True, counted=False)
def _code_other(
    coder: Any, table: Any, content: Bytes, finder: Finder, place: int, kind: int, token: int
) -> Any:
    """Code a token that is not the one predicted; return it, -1 if it can't be."""
    state = finder.state
    left = len(content) - place
    predicts_match = kind > 1
    if predicts_match and code_flag(coder, table, _IS_LITERAL + kind, token == 0):
        return np.int64(0)
    length = length_of(token)
    best = state[LENGTH]
    if best < MIN_MATCH or not code_flag(coder, table, _IS_LENGTH + kind, length == best):
        length = MIN_MATCH + code_choice(
            coder, table, _LENGTH + 256 * (1 if predicts_match else 0), 8, length - MIN_MATCH
        )
    else:
        length = best
    if length > left:
        return np.int64(-1)
    distance = distance_of(token) if token > 0 else np.int64(-1)
    # When decoding `token` is 0, and nothing is looked for yet.
    rank = np.int64(-1)
    if token > 0:
        rank, _ = _find_rank(content, finder, place, length, -1, distance)
    context = _RANK + (NUMBER if length == best else 0)
    rank = code_number(coder, table, context, rank + 1) - 1
    if rank >= 0:
        if rank > _MOST_RANKS:
            return np.int64(-1)
        rank, distance = _find_rank(content, finder, place, length, rank, -1)
        if rank < 0:
            return np.int64(-1)
    else:
        high = code_choice(coder, table, _DISTANCE, 8, (distance - 1) >> 7)
        low = np.int64(0)
        for i in range(7):
            bit = (distance - 1) >> (6 - i) & 1
            low = low << 1 | code_flag(coder, table, _DISTANCE, bit)
        distance = (high << 7 | low) + 1
    if distance > place or distance > MAX_DISTANCE:
        return np.int64(-1)
    return match(length, distance)


@njit(cache=True, counted=False)
def follow(
    coder: Any,
    table: Any,
    content: Bytes,
    finder: Finder,
    place: int,
    tokens: Tokens,
    begin: int,
    end: int,
    mode: int,
    decodes: bool,
) -> Any:
    """Follow the compressor over tokens[begin:end], up to the end of the content.

    Args:
        coder: state and buffer of a coder, with room for `TOKEN_CODE_BITS` a token.
        place: of the first token in the content.
        tokens: filled in when decoding, and with FILL.

    Returns:
        The place behind, the number of the token behind, and how many were not predicted.
        The place is -1 if a damaged file asks for what can't be.
    """
    state = finder.state
    wrong = np.int64(0)
    t = np.int64(begin)
    place = np.int64(place)
    while t < end and place < len(content):
        length = _predict(content, finder, place)
        predicted = match(length, state[DISTANCE]) if length else np.int64(0)
        token = predicted
        if mode == COUNT:
            token = np.int64(tokens[t])
            wrong += token != predicted
        elif mode == CODE:
            kind = _kind(length, state[LENGTH])
            context = kind << _HISTORY_BITS | state[HISTORY]
            given = np.int64(0) if decodes else np.int64(tokens[t])
            is_wrong = code_flag(coder, table, context, given != predicted)
            state[HISTORY] = (state[HISTORY] << 1 | is_wrong) & ((1 << _HISTORY_BITS) - 1)
            if is_wrong:
                wrong += 1
                token = _code_other(coder, table, content, finder, place, kind, given)
                if token < 0:
                    return np.int64(-1), t, wrong
        if mode != COUNT:
            tokens[t] = token
        if (token == 0) != (length == 0):
            state[KNOWN] = 0
        length = length_of(token)
        _advance(content, finder, place, length)
        place += length if length else np.int64(1)
        t += 1
    return place, t, wrong


def new_contexts() -> npt.NDArray[np.uint32]:
    """[N_CONTEXTS] untrained contexts of `follow`."""
    return new_table(N_CONTEXTS)
