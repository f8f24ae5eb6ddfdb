"""Context mixing for binary data: bytes as eight decisions, without a language model.

The kinds of context are those of `byte_contexts`, the rest is the `engine`'s. Integer arithmetic
throughout; everything is learned online from nothing.

Rates, first weights and contexts were chosen for spreadsheets of other makers than kennedy.xls
(BIFF 2 and 8) and programs of SPARC, 68000, ARM, PowerPC and x86.
"""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import njit
from predictors.binary import byte_contexts, engine, near_bytes, slots, string_offsets
from predictors.binary.byte_contexts import (
    KINDS,
    MEMORY,
    NEAR_BYTES,
    NEAR_RECORD,
    RECORD,
    SELECTORS,
)
from predictors.binary.record_length import (
    DEFAULT_RECORD,
    MAX_NEAR_RECORD,
    NEAR,
    near_record,
)

_NEAR_EVERY = 256
"""Bytes, a power of two, after which the record length is looked for again."""

# Of both layers of mixers, and of the log-odds: see `engine.new_tables`.
_RATES_1, _RATES_2 = (200, 1500, 200), (500, 2000, 200)
_FIRST_WEIGHT = 1500
_FIRST_NEAR = (3000, 0) * NEAR_BYTES

NO_TEXT = np.zeros(0, dtype=np.uint8)

_State = namedtuple("_State", "tables near strings")
_State.__doc__ = """The engine's `Tables`, a `Near` and the `Strings`."""


def code_bytes(
    coder: Coder,
    data: npt.NDArray[np.uint8],
    record: int,
    on_progress: Callable[[int], None] = lambda done: None,
    every: int = engine.BLOCK,
    text: npt.NDArray[np.uint8] = NO_TEXT,
) -> None:
    """Code binary data.

    Args:
        coder: an encoder or a decoder.
        data: [n] uint8. Read when encoding, filled in when decoding.
        record: length of the data's records in bytes, ≥ 2, as `record_length` finds it.
        on_progress: called after each `every` bytes with the number of bytes done.
        every: ≥ 1; changes nothing else.
        text: [m] uint8, strings that both directions know already.
    """
    bits = slots.slot_bits(len(data), KINDS)
    t = engine.new_tables(
        KINDS,
        bits,
        SELECTORS,
        MEMORY,
        _RATES_1,
        _RATES_2,
        _FIRST_WEIGHT,
        own_weights=_FIRST_NEAR,
    )
    t.numbers[RECORD] = record
    t.numbers[NEAR_RECORD] = DEFAULT_RECORD
    front = max(3 * record, 3 * MAX_NEAR_RECORD + NEAR)
    state = _State(t, near_bytes.new_near(NEAR_BYTES), string_offsets.new_strings(text))
    engine.code_blocks(coder, data, front, state, _code_block, on_progress, every)


@njit(cache=True, counted=False)
def _code_block(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    state: _State,
    data: npt.NDArray[np.uint8],
    begin: int,
    end: int,
) -> None:
    """Code the bytes data[begin:end]."""
    t = state.tables
    for i in range(begin, end):
        if i & (_NEAR_EVERY - 1) == 0:
            t.numbers[NEAR_RECORD] = near_record(data, i)
        byte_contexts.hash_contexts(t, state.near, state.strings, data, i)
        data[i] = _code_byte(coder_state, buffer, state, data, i)
        engine.end_byte(t, np.int64(data[i]))
        byte_contexts.append(t, state.strings, data, i + 1)
        engine.follow_match(t, data, i + 1)


@njit(cache=True, forceinline=True, counted=False)
def _code_byte(
    coder_state: npt.NDArray[np.int64],
    buffer: npt.NDArray[np.uint8],
    state: _State,
    data: npt.NDArray[np.uint8],
    i: int,
) -> Any:
    """Code the byte at place i; return it, uint8."""
    t = state.tables
    own = (engine.INPUTS_PER_KIND + 1) * KINDS + engine.MORE_INPUTS
    byte = np.int64(data[i])
    partial = np.int64(1)
    nibble = np.int64(1)
    for s in range(8):
        shift = np.int64(7 - s)
        if shift == 7:
            engine.find_first(t)
        elif shift == 3:
            nibble = np.int64(1)
            engine.find_second(t, partial)
        known = engine.look_up(t, nibble)
        engine.look_up_runs(t, partial)
        near_bytes.look_up(state.near, partial, shift, t.inputs, own)
        expected = engine.match_inputs(t, data, partial)
        byte_contexts.select(t, state.strings, data, i, partial, shift, expected, known)
        bit = engine.code(coder_state, buffer, t, (byte >> shift) & 1, partial)
        engine.learn_contexts(t, nibble, bit)
        engine.learn_runs(t, bit)
        near_bytes.learn(state.near, bit)
        engine.learn_match(t, expected, bit)
        partial = partial << 1 | bit
        nibble = nibble << 1 | bit
    return np.uint8(partial & 255)
