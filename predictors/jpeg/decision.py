"""One binary decision of a value, and the values that are made of them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.binary import engine
from predictors.binary.engine import Tables
from predictors.jpeg import expectations
from predictors.jpeg.expectations import Expectations
from predictors.mixing.logistic import bit_length

KINDS = 28
SELECTORS = 7
EXPECTED_VALUES = 7
OWN_INPUTS = expectations.INPUTS * EXPECTED_VALUES
_FIRST_OWN = engine.INPUTS_PER_KIND * KINDS + engine.MORE_INPUTS

# Places in `Tables.numbers` that say which weights are used; each below its limit.
POSITION, COUNT, NEAR, EXPECTED, OTHERS, SHAPE = range(6)

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
    e: Expectations,
    node: int,
    what: int,
    sign: int,
    limit: int,
    bit: int,
) -> Any:
    """Code a decision of the slots that were found.

    Args:
        node: its place in the slots, 1 to 15.
        what: the same, or 16 more in the second slot.
        sign, limit: see `expectations.look_up`; a sign of 0 = nothing is expected.
        bit: given when encoding.
    """
    known = engine.look_up(t, np.int64(node))
    engine.no_match(t)
    if sign:
        expectations.look_up(e, what, sign, limit, t.inputs, _FIRST_OWN)
    else:
        for j in range(OWN_INPUTS):
            t.inputs[_FIRST_OWN + j] = 0
    n = t.numbers
    s = t.layer_1.selected
    # 32 decisions by 64 cases.
    s[0] = what << 6 | min(n[POSITION], np.int64(63))
    s[1] = what << 6 | min(n[COUNT], np.int64(63))
    s[2] = what << 6 | min(n[NEAR], np.int64(63))
    s[3] = what << 6 | min(n[EXPECTED], np.int64(63))
    s[4] = what << 6 | min(n[OTHERS], np.int64(63))
    s[5] = what << 6 | min(n[SHAPE], np.int64(63))
    s[6] = known
    s2 = t.layer_2.selected
    s2[0] = s[0]
    s2[1] = s[2]
    s2[2] = s[3]
    bit = engine.code(coder_state, buffer, t, np.int64(bit), np.int64(what))
    engine.learn_contexts(t, np.int64(node), bit)
    if sign:
        expectations.learn(e, bit)
    return bit


@njit(cache=True, counted=False)
def code_value(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    e: Expectations,
    value: int,
) -> Any:
    """Code a number of at most `MOST_DIGITS` digits in the contexts `t.hashes`."""
    engine.find_first(t)
    size = bit_length(abs(value))
    one, none = np.int64(1), np.int64(0)
    what = np.int64(_NOT_ZERO)
    bit = np.int64(value != 0)
    if not decide(coder_state, buffer, t, e, what, what, one, none, bit):
        return np.int64(0)
    what = np.int64(_NEGATIVE)
    bit = np.int64(value < 0)
    sign = 1 - 2 * decide(coder_state, buffer, t, e, what, what, one, none, bit)
    digits = np.int64(1)
    while digits < MOST_DIGITS:
        what = _LONGER + digits - 1
        limit = one << digits
        bit = np.int64(size > digits)
        if not decide(coder_state, buffer, t, e, what, what, sign, limit, bit):
            break
        digits += 1
    found = one
    magnitude = abs(np.int64(value))
    if digits == 2:
        what = np.int64(_SECOND_DIGIT)
        bit = magnitude & 1
        found = 2 | decide(coder_state, buffer, t, e, what, what, sign, np.int64(3), bit)
    elif digits > 2:
        engine.find_second(t, digits << 1 | (sign + 1) >> 1)
        for i in range(digits - 1):
            left = digits - 2 - i
            node = found if i < 3 else 8 + min(left, np.int64(7))
            bit = (magnitude >> left) & 1
            limit = (found << 1 | 1) << left
            found = found << 1 | decide(
                coder_state, buffer, t, e, node, 16 + node, sign, limit, bit
            )
    return found * sign


@njit(cache=True, counted=False)
def code_count(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    e: Expectations,
    count: int,
    digits: int,
) -> Any:
    """Code a number of three or six digits in the contexts `t.hashes`."""
    engine.find_first(t)
    none = np.int64(0)
    found = np.int64(1)
    for i in range(3):
        bit = (np.int64(count) >> (digits - 1 - i)) & 1
        found = found << 1 | decide(coder_state, buffer, t, e, found, found, none, none, bit)
    if digits == 3:
        return found - 8
    engine.find_second(t, found)
    low = np.int64(1)
    for i in range(3):
        bit = (np.int64(count) >> (2 - i)) & 1
        low = low << 1 | decide(coder_state, buffer, t, e, low, 16 + low, none, none, bit)
    return (found - 8) << 3 | (low - 8)
