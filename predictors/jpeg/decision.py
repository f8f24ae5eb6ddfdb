"""One binary decision of a value, and the values that are made of them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from predictors.binary import engine
from predictors.binary.engine import Tables
from predictors.mixing.logistic import bit_length

KINDS = 24
SELECTORS = 7

# Places in `Tables.numbers` that say which weights are used; each below its limit.
POSITION, COUNT, NEAR, EXPECTED, OTHER, SHAPE, _ = range(7)

# Decisions of a value in its first slot: is it not 0, is it negative, has it more digits than
# 1, 2, ...; the digit behind the first one if there are two. In the second one: digits behind.
_NOT_ZERO, _NEGATIVE, _LONGER = 1, 2, 3
_SECOND_DIGIT = 15
MOST_DIGITS = 12

BLOCK_DECISIONS = 6 + 2 * 3 + 64 * (2 + 2 * MOST_DIGITS)
"""Of a block at most."""


@njit(cache=True, counted=False)
def decide(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    node: int,
    what: int,
    bit: int,
) -> Any:
    """Code a decision of the slots that were found.

    Args:
        node: its place in the slots, 1 to 15.
        what: the same, or 16 more in the second slot.
        bit: given when encoding.
    """
    known = engine.look_up(t, np.int64(node))
    engine.no_match(t)
    n = t.numbers
    s = t.layer_1.selected
    # 32 decisions by 64 cases.
    s[0] = what << 6 | min(n[POSITION], np.int64(63))
    s[1] = what << 6 | min(n[COUNT], np.int64(63))
    s[2] = what << 6 | min(n[NEAR], np.int64(63))
    s[3] = what << 6 | min(n[EXPECTED], np.int64(63))
    s[4] = what << 6 | min(n[OTHER], np.int64(63))
    s[5] = what << 6 | min(n[SHAPE], np.int64(63))
    s[6] = known
    s2 = t.layer_2.selected
    s2[0] = s[0]
    s2[1] = s[2]
    s2[2] = s[3]
    bit = engine.code(coder_state, buffer, t, np.int64(bit), np.int64(what))
    engine.learn_contexts(t, np.int64(node), bit)
    return bit


@njit(cache=True, counted=False)
def code_value(
    coder_state: npt.NDArray[np.int64], buffer: npt.NDArray[np.uint8], t: Tables, value: int
) -> Any:
    """Code a number of at most `MOST_DIGITS` digits in the contexts `t.hashes`."""
    engine.find_first(t)
    size = bit_length(abs(value))
    if not decide(coder_state, buffer, t, _NOT_ZERO, _NOT_ZERO, np.int64(value != 0)):
        return np.int64(0)
    negative = decide(coder_state, buffer, t, _NEGATIVE, _NEGATIVE, np.int64(value < 0))
    digits = np.int64(1)
    while digits < MOST_DIGITS:
        node = _LONGER + digits - 1
        if not decide(coder_state, buffer, t, node, node, np.int64(size > digits)):
            break
        digits += 1
    found = np.int64(1)
    magnitude = abs(value)
    if digits == 2:
        found = 2 | decide(coder_state, buffer, t, _SECOND_DIGIT, _SECOND_DIGIT, magnitude & 1)
    elif digits > 2:
        engine.find_second(t, digits << 1 | negative)
        for i in range(digits - 1):
            node = found if i < 3 else np.int64(8 + min(digits - 2 - i, np.int64(7)))
            bit = (magnitude >> (digits - 2 - i)) & 1
            found = found << 1 | decide(coder_state, buffer, t, node, 16 + node, bit)
    return -found if negative else found


@njit(cache=True, counted=False)
def code_count(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    count: int,
    digits: int,
) -> Any:
    """Code a number of three or six digits in the contexts `t.hashes`."""
    engine.find_first(t)
    found = np.int64(1)
    for i in range(3):
        bit = (np.int64(count) >> (digits - 1 - i)) & 1
        found = found << 1 | decide(coder_state, buffer, t, found, found, bit)
    if digits == 3:
        return found - 8
    engine.find_second(t, found)
    low = np.int64(1)
    for i in range(3):
        bit = (np.int64(count) >> (2 - i)) & 1
        low = low << 1 | decide(coder_state, buffer, t, low, 16 + low, bit)
    return (found - 8) << 3 | (low - 8)


@inlined
def level(x: int) -> Any:
    """A number ≥ 0 in steps that grow: 0, 1, 2, 3, 4–5, 6–7, 8–11, 12–15, 16–23 ..."""
    if x < 4:
        return np.int64(x)
    n = bit_length(x)
    return 4 + 2 * (n - 3) + ((np.int64(x) >> (n - 2)) & 1)
