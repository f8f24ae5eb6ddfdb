"""What stands in front of a block's tokens: code lengths of its two codes, themselves coded.

A header is a row of `HEADER` int64:

    [0] the type of the block          [1] literal and length codes   [2] distance codes
    [3] code lengths of code lengths   [4] operations, their number   [5:24] those code lengths
    [24:342] the operations: symbol | extra << 8
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from nacrith.transforms.deflate.alphabet import (
    DISTANCE_EXTRA,
    DYNAMIC,
    END_OF_BLOCK,
    FIXED,
    FIXED_LENGTHS,
    LENGTH_EXTRA,
    MAX_BITS,
    MOST_LITERALS,
    N_CODES,
    N_DISTANCES,
    N_LENGTHS,
    N_LITERALS,
    ORDER,
)
from nacrith.transforms.deflate.huffman import code_lengths

Ints = npt.NDArray[np.int64]
Lengths = npt.NDArray[np.uint8]

TYPE, LITERALS, DISTANCES, SHOWN, OPERATIONS = range(5)
CODE = 5
FIRST = CODE + N_LENGTHS
HEADER = FIRST + N_CODES

REPEAT, ZEROS, MANY_ZEROS = 16, 17, 18
"""Operations: the last length 3 to 6 times, 0 3 to 10 times, 0 11 to 138 times."""

MAX_LENGTHS_BITS = 7
"""Of a code for code lengths."""

OPERATION_EXTRA = np.array([0] * 16 + [2, 3, 7])


@njit(cache=True)
def _run_lengths(lengths: Lengths, begin: int, end: int, header: Ints) -> None:
    """Append to the header the operations that zlib spells lengths[begin:end] with."""
    previous = -1
    count = 0
    size = header[OPERATIONS]
    for i in range(begin, end):
        length = np.int64(lengths[i])
        following = np.int64(lengths[i + 1]) if i + 1 < end else np.int64(-1)
        count += 1
        most = 138 if length == 0 else (6 if length == previous else 7)
        if length == following and count < most:
            continue
        least = 3 if length == 0 or length == previous else 4
        if count < least:
            for _ in range(count):
                header[FIRST + size] = length
                size += 1
        elif length == 0:
            symbol, base = (ZEROS, 3) if count <= 10 else (MANY_ZEROS, 11)
            header[FIRST + size] = symbol | (count - base) << 8
            size += 1
        else:
            if length != previous:
                header[FIRST + size] = length
                size += 1
                count -= 1
            header[FIRST + size] = REPEAT | (count - 3) << 8
            size += 1
        count = 0
        previous = length
    header[OPERATIONS] = size


@njit(cache=True)
def spell(lengths: Lengths, header: Ints) -> None:
    """Fill in the operations of a header whose numbers of codes are known.

    Args:
        lengths: [318] uint8, of literals and lengths, then from place 288 on of distances.
    """
    header[OPERATIONS] = 0
    _run_lengths(lengths, 0, header[LITERALS], header)
    _run_lengths(lengths, N_LITERALS, N_LITERALS + header[DISTANCES], header)


@njit(cache=True)
def choose_code(header: Ints) -> None:
    """Fill in the code for the operations of a header, as zlib makes it."""
    frequencies = np.zeros(N_LENGTHS, dtype=np.int64)
    lengths = np.zeros(N_LENGTHS, dtype=np.uint8)
    for i in range(header[OPERATIONS]):
        frequencies[header[FIRST + i] & 255] += 1
    code_lengths(frequencies, MAX_LENGTHS_BITS, lengths)
    header[CODE:FIRST] = lengths
    shown_of(header)


@njit(cache=True)
def shown_of(header: Ints) -> None:
    """Fill in how many code lengths of code lengths are shown if those at the end are not."""
    shown = N_LENGTHS
    while shown > 4 and header[CODE + ORDER[shown - 1]] == 0:
        shown -= 1
    header[SHOWN] = shown


@njit(cache=True)
def lengths_of(header: Ints, lengths: Lengths) -> Any:
    """Fill in the [318] code lengths that a header stands for; is it well formed?"""
    lengths[:] = 0
    if header[TYPE] == FIXED:
        lengths[:] = FIXED_LENGTHS
        return True
    n_literals = header[LITERALS]
    n = n_literals + header[DISTANCES]
    place = 0
    previous = -1
    for i in range(header[OPERATIONS]):
        symbol = header[FIRST + i] & 255
        extra = header[FIRST + i] >> 8
        count = 1
        length = symbol
        if symbol == REPEAT:
            count = 3 + extra
            length = previous
        elif symbol == ZEROS:
            count = 3 + extra
            length = 0
        elif symbol == MANY_ZEROS:
            count = 11 + extra
            length = 0
        if length < 0 or place + count > n:
            return False
        for _ in range(count):
            lengths[place if place < n_literals else N_LITERALS + place - n_literals] = length
            place += 1
        previous = length
    return place == n and lengths[END_OF_BLOCK] > 0


@njit(cache=True)
def header_bits(header: Ints) -> Any:
    """Bits of a header behind the block's type."""
    if header[TYPE] != DYNAMIC:
        return np.int64(0)
    bits = 14 + 3 * header[SHOWN]
    for i in range(header[OPERATIONS]):
        symbol = header[FIRST + i] & 255
        bits += header[CODE + symbol] + OPERATION_EXTRA[symbol]
    return bits


@njit(cache=True)
def tokens_bits(frequencies: Ints, lengths: Lengths) -> Any:
    """Bits of tokens of these frequencies, [318] int64, with codes of these lengths."""
    bits = np.int64(0)
    for i in range(N_CODES):
        extra = 0
        if i >= N_LITERALS:
            extra = DISTANCE_EXTRA[i - N_LITERALS]
        elif END_OF_BLOCK < i < MOST_LITERALS:
            extra = LENGTH_EXTRA[i - END_OF_BLOCK - 1]
        bits += frequencies[i] * (np.int64(lengths[i]) + extra)
    return bits


@njit(cache=True)
def predict_header(frequencies: Ints, only_fixed: bool, header: Ints, lengths: Lengths) -> None:
    """Fill in the header that zlib gives to a block of these tokens.

    Whatever the type, all is filled in that a dynamic block would have.

    Args:
        frequencies: [318] int64, with the end of the block.
        lengths: [318] uint8, filled in: those of a dynamic block.
    """
    header[TYPE] = DYNAMIC
    header[LITERALS] = 1 + code_lengths(frequencies[:N_LITERALS], MAX_BITS, lengths[:N_LITERALS])
    header[DISTANCES] = 1 + code_lengths(
        frequencies[N_LITERALS : N_LITERALS + N_DISTANCES], MAX_BITS, lengths[N_LITERALS:]
    )
    spell(lengths, header)
    choose_code(header)
    dynamic = tokens_bits(frequencies, lengths) + header_bits(header)
    fixed = tokens_bits(frequencies, FIXED_LENGTHS)
    # Whole bytes, with the three bits of the type.
    if only_fixed or (fixed + 10) >> 3 <= (dynamic + 10) >> 3:
        header[TYPE] = FIXED
