"""What contexts of several kinds say of a decision, and how they learn from it.

Indirect modeling (Mahoney 2005, PAQ): context → bit history (`bit_history`) → probability.
The second step, the *state map*, is learned for each kind of context.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.mixing import bit_history
from predictors.mixing.hashing import combine
from predictors.mixing.logistic import adapt, stretch

ContextSet = namedtuple("ContextSet", "enabled slots state_map hashes places histories")
ContextSet.__doc__ = """Contexts of K kinds that share a hash table.

enabled: int64, mask of the kinds that are on. slots: [2**bits] int64, see `bit_history`.
state_map: [K, HISTORIES] int64, probability of a one after each history, in 2**-24.
hashes: [K] int64, the contexts themselves; whoever knows the past writes them.
places, histories: [K] int64, where the decision's slots are and the histories there, -1 =
nothing was seen; left by `look_up` for `learn`.
"""


def new_context_set(kinds: int, slot_bits: int, enabled: int) -> ContextSet:
    """Untrained; its hash table has 2**slot_bits slots of 8 bytes."""
    return ContextSet(
        enabled=np.int64(enabled),
        slots=bit_history.new_slots(slot_bits),
        state_map=bit_history.new_state_map(kinds),
        hashes=np.zeros(kinds, dtype=np.int64),
        places=np.zeros(kinds, dtype=np.int64),
        histories=np.zeros(kinds, dtype=np.int64),
    )


@inlined
def look_up(
    contexts: ContextSet, first: int, last: int, decision: int, inputs: npt.NDArray[np.int32]
) -> Any:
    """Ask the kinds first .. last - 1 about a decision.

    Args:
        contexts: a `ContextSet`.
        first, last: int.
        decision: int64, tells apart the decisions that are made in one context.
        inputs: [≥ K] int32; for each kind its log-odds of a one are written, in 2**-12 bit,
            0 if it is off or has seen nothing.

    Returns:
        int64 mask of the kinds that have seen the decision before.
    """
    known = np.int64(0)
    for k in range(first, last):
        inputs[k] = 0
        if not (contexts.enabled >> k) & 1:
            continue
        place = bit_history.find_slot(contexts.slots, combine(contexts.hashes[k], decision))
        history = bit_history.history_of(contexts.slots[place])
        contexts.places[k] = place
        contexts.histories[k] = history
        if history >= 0:
            inputs[k] = stretch(contexts.state_map[k, history])
            known |= 1 << k
    return known


@inlined
def learn(contexts: ContextSet, bit: int) -> None:
    """Learn the outcome of the decision that all kinds were asked about."""
    for k in range(len(contexts.hashes)):
        if not (contexts.enabled >> k) & 1:
            continue
        place = contexts.places[k]
        history = contexts.histories[k]
        contexts.slots[place] = bit_history.observe(contexts.slots[place], bit)
        if history >= 0:
            p = contexts.state_map[k, history]
            contexts.state_map[k, history] = adapt(p, bit, bit_history.RATE_SHIFT)


@inlined
def highest_known(known: int, kinds: int) -> Any:
    """1 + the highest of the first `kinds` kinds in a mask of `look_up`; 0 = none of them."""
    highest = 0
    for k in range(kinds):
        if (known >> k) & 1:
            highest = k + 1
    return highest
