"""A scan: the bits of its MCUs, read into coefficients or written from them (T.81, F and G).

One loop for both directions. Which of several ways a program wrote the same coefficients is taken
to be that of libjpeg (Independent JPEG Group; its `jcphuff.c` says when a run of blocks ends).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from nacrith.transforms.jpeg.bit_stream import (
    BITS,
    FAILED,
    N_BITS,
    PLACE,
    READS,
    BitStream,
    code_bit,
    code_bits,
    code_restart,
    code_symbol,
)
from nacrith.transforms.jpeg.huffman_tables import HuffmanTables
from nacrith.transforms.jpeg.markers import (
    AC_TABLE,
    BEGIN,
    COMPONENT,
    DC_TABLE,
    END,
    INTERVAL,
    KNOWN,
    LEFT,
    PROGRESSIVE,
    ROW,
    N,
)
from predictors.jpeg.layout import (
    ACROSS,
    DOWN,
    FIRST,
    MOST,
    WIDTH,
    ZIGZAG,
    Coefficients,
    Components,
)
from predictors.mixing.logistic import bit_length

Ints = npt.NDArray[np.int64]

MOST_BITS = MOST.bit_length()
"""Digits of a coefficient, and of a difference of DC. (T.81, F.1.2: of 8-bit pixels.)"""

_LONG_RUN = 15
"""The run of 16 zeros."""

_LONGEST_END_RUN = 0x7FFF
_MOST_CORRECTIONS = 1000 - 64 + 1
"""libjpeg ends a run of blocks with more bits of correction."""


@inlined
def _code_value(stream: BitStream, size: int, value: int) -> Any:
    """A number of `size` digits, with its sign (T.81, F.1.2.1)."""
    low = value if value > 0 else value + (np.int64(1) << size) - 1
    bits = code_bits(stream, size, low)
    if size and bits >> (size - 1) == 0:
        return bits - (np.int64(1) << size) + 1
    return bits


@inlined
def _code_dc(
    stream: BitStream, tables: HuffmanTables, table: int, block: Any, left: int, before: int
) -> Any:
    """The DC coefficient by its difference to the one before; returns it without its low bits."""
    value = np.int64(block[0]) >> left
    size = code_symbol(stream, tables, table, bit_length(abs(value - before)))
    if size > MOST_BITS:
        stream.state[FAILED] = 1
        return before
    value = before + _code_value(stream, size, value - before)
    if abs(value) << left > MOST:
        stream.state[FAILED] = 1
        return before
    if stream.state[READS]:
        block[0] = value << left
    return value


@inlined
def _zeros_from(block: Any, k: int, end: int, left: int) -> Any:
    """How many coefficients are 0 from the kth to the last one of a scan, in its bits."""
    n = np.int64(0)
    while k + n <= end and abs(np.int64(block[ZIGZAG[k + n]])) >> left == 0:
        n += 1
    return n


@njit(cache=True)
def _end_run(coefficients: Coefficients, s: Ints, c: Components, unit: int, stop: int) -> Any:
    """How many blocks from a unit on, the first one not asked, have nothing but zeros."""
    n = np.int64(1)
    while unit + n < stop and n < _LONGEST_END_RUN:
        block = coefficients[_block_of(s, c, unit + n)]
        if s[BEGIN] + _zeros_from(block, s[BEGIN], s[END], s[LEFT]) <= s[END]:
            break
        n += 1
    return n


@inlined
def _block_of(s: Ints, c: Components, unit: int) -> Any:
    """The number of the block that a scan of one component has at a place."""
    component = s[COMPONENT]
    return c[component, FIRST] + unit // s[ROW] * c[component, WIDTH] + unit % s[ROW]


@inlined
def _code_ac(
    stream: BitStream, tables: HuffmanTables, table: int, coefficients: Coefficients,
    at: int, s: Ints, c: Components, unit: int, stop: int,
) -> Any:  # fmt: skip
    """The AC coefficients of a block; returns how many blocks behind it have none."""
    block = coefficients[at]
    reads = stream.state[READS]
    k = max(s[BEGIN], np.int64(1))
    end, left = s[END], s[LEFT]
    while k <= end:
        symbol = np.int64(0)
        value = np.int64(0)
        blocks = np.int64(1)
        if not reads:
            zeros = _zeros_from(block, k, end, left)
            if k + zeros > end:
                if s[PROGRESSIVE]:
                    blocks = _end_run(coefficients, s, c, unit, stop)
                    symbol = (bit_length(blocks) - 1) << 4
            elif zeros > _LONG_RUN:
                symbol = np.int64(_LONG_RUN << 4)
            else:
                value = np.int64(block[ZIGZAG[k + zeros]])
                value = value >> left if value > 0 else -(-value >> left)
                symbol = zeros << 4 | bit_length(abs(value))
        symbol = code_symbol(stream, tables, table, symbol)
        zeros, size = symbol >> 4, symbol & 15
        if size == 0:
            if zeros == _LONG_RUN:
                k += _LONG_RUN + 1
                continue
            if zeros and not s[PROGRESSIVE]:
                stream.state[FAILED] = 1
            low = code_bits(stream, zeros, blocks)
            return (np.int64(1) << zeros) + low - 1
        k += zeros
        if k > end or size + left > MOST_BITS:
            stream.state[FAILED] = 1
            return np.int64(0)
        value = _code_value(stream, size, value)
        if reads:
            block[ZIGZAG[k]] = value * (np.int64(1) << left)
        k += 1
        if stream.state[FAILED]:
            return np.int64(0)
    return np.int64(0)


@inlined
def _is_new(value: int, left: int) -> Any:
    """Is it this bit that a coefficient begins with?"""
    return abs(value) >> left == 1


@inlined
def _was_there(value: int, left: int) -> Any:
    """Was a coefficient not 0 before this bit?"""
    return abs(value) >> (left + 1) != 0


@njit(cache=True)
def _end_run_of_corrections(
    coefficients: Coefficients, s: Ints, c: Components, unit: int, k: int, stop: int
) -> Any:
    """How many blocks, from the kth coefficient of a unit on, have no new coefficients."""
    n = np.int64(0)
    corrections = np.int64(0)
    while unit + n < stop:
        block = coefficients[_block_of(s, c, unit + n)]
        more = np.int64(0)
        for j in range(k, s[END] + 1):
            value = np.int64(block[ZIGZAG[j]])
            if _is_new(value, s[LEFT]):
                return n
            more += _was_there(value, s[LEFT])
        n += 1
        corrections += more
        if n == _LONGEST_END_RUN or corrections > _MOST_CORRECTIONS:
            break
        k = s[BEGIN]
    return n


@inlined
def _code_correction(stream: BitStream, block: Any, place: int, left: int) -> None:
    """One more bit of a coefficient that is not 0."""
    value = np.int64(block[place])
    bit = code_bit(stream, (abs(value) >> left) & 1)
    if stream.state[READS] and bit:
        block[place] = value + (bit << left) if value > 0 else value - (bit << left)


@inlined
def _code_ac_bit(
    stream: BitStream, tables: HuffmanTables, table: int, coefficients: Coefficients,
    at: int, s: Ints, c: Components, unit: int, stop: int, run: int,
) -> Any:  # fmt: skip
    """One more bit of the AC coefficients of a block (T.81, G.1.2.3).

    Args:
        run: how many blocks from this one on have no new coefficients.

    Returns:
        How many behind it have none.
    """
    block = coefficients[at]
    reads = stream.state[READS]
    k, end, left = s[BEGIN], s[END], s[LEFT]
    while run == 0 and k <= end:
        symbol = np.int64(0)
        negative = np.int64(0)
        blocks = np.int64(0)
        if not reads:
            zeros = np.int64(0)
            j = k
            while j <= end and not _is_new(np.int64(block[ZIGZAG[j]]), left):
                zeros += not _was_there(np.int64(block[ZIGZAG[j]]), left)
                j += 1
            if j > end:
                blocks = _end_run_of_corrections(coefficients, s, c, unit, k, stop)
                symbol = (bit_length(blocks) - 1) << 4
            elif zeros > _LONG_RUN:
                symbol = np.int64(_LONG_RUN << 4)
            else:
                symbol = zeros << 4 | 1
                negative = np.int64(block[ZIGZAG[j]] < 0)
        symbol = code_symbol(stream, tables, table, symbol)
        zeros, size = symbol >> 4, symbol & 15
        if size > 1 or stream.state[FAILED]:
            stream.state[FAILED] = 1
            return np.int64(0)
        if size == 1:
            # The sign, of which 1 is positive.
            negative = 1 - code_bit(stream, 1 - negative)
        elif zeros < _LONG_RUN:
            run = (np.int64(1) << zeros) + code_bits(stream, zeros, blocks)
            break
        while k <= end:
            if _was_there(np.int64(block[ZIGZAG[k]]), left):
                _code_correction(stream, block, ZIGZAG[k], left)
            elif zeros == 0:
                break
            else:
                zeros -= 1
            k += 1
        if size == 1:
            if k > end:
                stream.state[FAILED] = 1
                return np.int64(0)
            if reads:
                one = np.int64(1) << left
                block[ZIGZAG[k]] = -one if negative else one
        k += 1
    if run == 0:
        return np.int64(0)
    while k <= end:
        if _was_there(np.int64(block[ZIGZAG[k]]), left):
            _code_correction(stream, block, ZIGZAG[k], left)
        k += 1
    return run - 1


@njit(cache=True)
def code_scan(
    stream: BitStream, coefficients: Coefficients, c: Components, s: Ints,
    tables: HuffmanTables, units: int, ends: Ints,
) -> Any:  # fmt: skip
    """Read or write so many MCUs of a scan.

    Args:
        coefficients: [blocks, 64] int16, in rows of a block.
        s: parameters of the scan, see `markers`.
        ends: [3] int64, written: place, bits and number of bits of the stream behind the last MCU
            without a failure.

    Returns:
        How many there are without one.
    """
    state = stream.state
    before = np.zeros(4, dtype=np.int64)
    run = np.int64(0)
    stop = np.int64(units)
    interval = s[INTERVAL] if s[INTERVAL] else np.int64(units)
    for unit in range(units):
        ends[0], ends[1], ends[2] = state[PLACE], state[BITS], state[N_BITS]
        if unit % interval == 0:
            if unit:
                if run:
                    state[FAILED] = 1
                code_restart(stream, unit // interval - 1)
            before[:] = 0
            stop = min(unit + interval, np.int64(units))
        if s[N] == 1:
            at = _block_of(s, c, unit)
            run = _code_block(stream, tables, coefficients, at, s, c, 0, unit, stop, run, before)
        else:
            for i in range(s[N]):
                component = s[COMPONENT + i]
                across, down = c[component, ACROSS], c[component, DOWN]
                for y in range(down):
                    for x in range(across):
                        row = unit // s[ROW] * down + y
                        column = unit % s[ROW] * across + x
                        at = c[component, FIRST] + row * c[component, WIDTH] + column
                        _code_block(
                            stream, tables, coefficients, at, s, c, i, unit, stop, run, before
                        )
        if state[FAILED]:
            return unit
    if run:
        state[FAILED] = 1
    ends[0], ends[1], ends[2] = state[PLACE], state[BITS], state[N_BITS]
    return np.int64(units)


@njit(cache=True)
def _code_block(
    stream: BitStream, tables: HuffmanTables, coefficients: Coefficients, at: int, s: Ints,
    c: Components, i: int, unit: int, stop: int, run: int, before: Ints,
) -> Any:  # fmt: skip
    """A block of the ith component of a scan; returns how many behind it have no AC."""
    block = coefficients[at]
    table = s[AC_TABLE + i]
    if s[BEGIN] == 0:
        if s[KNOWN]:
            bit = code_bit(stream, (np.int64(block[0]) >> s[LEFT]) & 1)
            if stream.state[READS]:
                block[0] |= bit << s[LEFT]
        else:
            table_of_dc = s[DC_TABLE + i]
            before[i] = _code_dc(stream, tables, table_of_dc, block, s[LEFT], before[i])
        if s[END] == 0:
            return np.int64(0)
    elif s[KNOWN]:
        return _code_ac_bit(stream, tables, table, coefficients, at, s, c, unit, stop, run)
    if run:
        return run - 1
    return _code_ac(stream, tables, table, coefficients, at, s, c, unit, stop)
