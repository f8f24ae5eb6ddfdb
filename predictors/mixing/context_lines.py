"""Bit histories of the decisions of half a byte in one context, side by side in memory.

The decisions on the first or the last four bits of a byte share a *line* of 32 bytes, as
the nibbles of lpaq do (Mahoney 2007): a context costs one access to memory per half byte,
and those of all contexts overlap. A line holds a check and 15 slots, one for each way in
which the bits so far can have gone.

A slot counts the zeros and ones that a decision in some context has had, with the recent ones
weighing more: a bit halves a larger count of its opposite. What the counts stand for is found in
a `state_map` for each kind of context.

The hash table is bounded: where two contexts fall on the same pair of lines, the one
whose first slot has fewer observations is replaced.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from coder.prefetch import prefetch
from predictors.mixing import count_histories
from predictors.mixing.hashing import combine
from predictors.mixing.logistic import adapt, bit_length, stretch

_LINE = 16
"""Numbers of 16 bits in a line: the check, then the slots."""

# A slot: n0 (7 bits), n1 (7 bits), the last bit.
_N1 = 7
_LAST = 14
_MAX_COUNT = 127
_LEVEL_OF_COUNT = np.array(
    [count_histories.level_of_count(min(n, _MAX_COUNT)) for n in range(_MAX_COUNT + 1)],
    dtype=np.uint8,
)

_END_SLOT = 15
"""End decisions share the slot of bytes from 224 on, which nearly no symbol has to decide."""

ContextLines = namedtuple("ContextLines", "enabled lines state_map hashes begins histories last")
ContextLines.__doc__ = """Contexts of K kinds that share a hash table.

enabled: int64, mask of the kinds that are on. lines: [2**bits * 16] uint16, line by line.
state_map: [K * HISTORIES] int32, probability of a one after each history, in 2**-24.
hashes: [K] int64, the contexts themselves; whoever knows the past writes them.
begins: [K] int64, where the lines of the half byte begin. histories: [K] int64, places in the
state map, -1 = nothing was seen; left by `look_up` for `learn`. last: [2] int64, the half byte,
-1 = none yet, and the slot of the last decision.
"""


def new_lines(line_bits: int) -> npt.NDArray[np.uint16]:
    """2**line_bits empty lines of 32 bytes, [_LINE * 2**line_bits] uint16."""
    return np.zeros(_LINE << line_bits, dtype=np.uint16)


def new_context_lines(kinds: int, line_bits: int, enabled: int) -> ContextLines:
    """Untrained; the hash table has 2**line_bits lines of 32 bytes."""
    return ContextLines(
        enabled=np.int64(enabled),
        lines=new_lines(line_bits),
        state_map=count_histories.new_state_map(kinds).reshape(-1).astype(np.int32),
        hashes=np.zeros(kinds, dtype=np.int64),
        begins=np.zeros(kinds, dtype=np.int64),
        histories=np.zeros(kinds, dtype=np.int64),
        last=np.full(2, -1, dtype=np.int64),
    )


@inlined
def begin_byte(c: ContextLines) -> None:
    """The hashes are new."""
    c.last[0] = -1


@inlined
def _count(slot: int) -> Any:
    return (slot & _MAX_COUNT) + ((slot >> _N1) & _MAX_COUNT)


@inlined
def _first_place(lines: npt.NDArray[np.uint16], h: int) -> Any:
    """Where the line of a context is looked for first, int64."""
    return (h >> 20) * _LINE & (len(lines) - 1)


@inlined
def _find_line(lines: npt.NDArray[np.uint16], h: int) -> Any:
    """Where the line of a context begins; may claim a new one.

    Args:
        lines: see `ContextLines`.
        h: int64 hash: upper bits select, the lowest 16 check.
    """
    begin = np.uint64(_first_place(lines, h))
    check = np.uint16(h & 0xFFFF | 1)
    if lines[begin] == check:
        return begin
    other = begin ^ np.uint64(_LINE)
    if lines[other] == check:
        return other
    one = np.uint64(1)
    if _count(np.int64(lines[other + one])) < _count(np.int64(lines[begin + one])):
        begin = other
    lines[begin] = check
    for i in range(1, _LINE):
        lines[begin + np.uint64(i)] = np.uint16(0)
    return begin


@inlined
def _slot_of(partial: int) -> Any:
    """(half byte, slot) of a decision by the known bits behind a leading 1, 0 = an end decision.

    The half byte is 0 for the first one, else the known first four bits behind a 1.
    """
    if partial < 16:
        return np.int64(0), partial if partial else np.int64(_END_SLOT)
    known = bit_length(partial) - 5
    return partial >> known, (np.int64(1) << known) | (partial & ((np.int64(1) << known) - 1))


@inlined
def look_up(c: ContextLines, partial: int, inputs: npt.NDArray[np.int32]) -> Any:
    """Ask all kinds about a decision.

    Args:
        c: a `ContextLines`.
        partial: int64, the known bits of the byte behind a leading 1; 0 = an end decision.
        inputs: [≥ K] int32; for each kind its log-odds of a one are written, in 2**-12 bit,
            0 if it is off or has seen nothing.

    Returns:
        int64 mask of the kinds that have seen the decision before.
    """
    half, slot = _slot_of(partial)
    kinds = len(c.hashes)
    if half != c.last[0]:
        c.last[0] = half
        # All of them are fetched at once: a line that turns out to be another context's holds up
        # those behind it.
        for k in range(kinds):
            c.begins[k] = combine(c.hashes[k], half)
            prefetch(c.lines, _first_place(c.lines, c.begins[k]))
        for k in range(kinds):
            if (c.enabled >> k) & 1:
                c.begins[k] = np.int64(_find_line(c.lines, c.begins[k]))
    c.last[1] = slot
    known = np.int64(0)
    for k in range(kinds):
        inputs[k] = 0
        c.histories[k] = -1
        if not (c.enabled >> k) & 1:
            continue
        counts = np.int64(c.lines[np.uint64(c.begins[k] + slot)])
        if counts == 0:
            continue
        level_0 = np.int64(_LEVEL_OF_COUNT[counts & _MAX_COUNT])
        level_1 = np.int64(_LEVEL_OF_COUNT[(counts >> _N1) & _MAX_COUNT])
        history = (level_0 * count_histories.LEVELS + level_1) * 2 + (counts >> _LAST)
        history += k * count_histories.HISTORIES
        c.histories[k] = history
        inputs[k] = stretch(np.int64(c.state_map[np.uint64(history)]))
        known |= 1 << k
    return known


@inlined
def observe(counts: int, bit: int) -> Any:
    """A slot after one more bit, int64."""
    n0 = counts & _MAX_COUNT
    n1 = (counts >> _N1) & _MAX_COUNT
    same = n1 if bit else n0
    other = n0 if bit else n1
    same = min(same + 1, _MAX_COUNT)
    other = (other >> 1) + 1 if other > 2 else other
    n0 = other if bit else same
    n1 = same if bit else other
    return n0 | (n1 << _N1) | (bit << _LAST)


@inlined
def learn(c: ContextLines, bit: int) -> None:
    """Learn the outcome of the decision that all kinds were asked about."""
    slot = c.last[1]
    for k in range(len(c.hashes)):
        if not (c.enabled >> k) & 1:
            continue
        place = np.uint64(c.begins[k] + slot)
        c.lines[place] = np.uint16(observe(np.int64(c.lines[place]), bit))
        history = c.histories[k]
        if history >= 0:
            p = np.int64(c.state_map[np.uint64(history)])
            c.state_map[np.uint64(history)] = np.int32(adapt(p, bit, count_histories.RATE_SHIFT))
