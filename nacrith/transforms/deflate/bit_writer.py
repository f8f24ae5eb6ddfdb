"""Tokens and block headers to the bits of a deflate stream."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from nacrith.transforms.deflate.alphabet import (
    DISTANCE_BASE,
    DISTANCE_CODE,
    DISTANCE_EXTRA,
    DYNAMIC,
    END_OF_BLOCK,
    LENGTH_BASE,
    LENGTH_CODE,
    LENGTH_EXTRA,
    N_CODES,
    N_LENGTHS,
    N_LITERALS,
    ORDER,
    STORED,
    distance_of,
    length_of,
)
from nacrith.transforms.deflate.block_header import (
    CODE,
    DISTANCES,
    FIRST,
    LITERALS,
    OPERATION_EXTRA,
    OPERATIONS,
    SHOWN,
    TYPE,
    header_bits,
    tokens_bits,
)
from nacrith.transforms.deflate.huffman import codes_of

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_BUFFER, _COUNT, _PLACE = range(3)


@inlined
def _put(out: Bytes, state: Ints, value: int, n: int) -> None:
    """Append n ≤ 16 bits."""
    state[_BUFFER] |= np.int64(value) << state[_COUNT]
    state[_COUNT] += n
    while state[_COUNT] >= 8:
        out[state[_PLACE]] = state[_BUFFER] & 255
        state[_PLACE] += 1
        state[_BUFFER] >>= 8
        state[_COUNT] -= 8


@njit(cache=True)
def count_symbols(content: Bytes, place: int, tokens: Any, frequencies: Ints) -> Any:
    """Count the symbols of a block's tokens, the end of the block included.

    Args:
        place: of the block in the content.
        frequencies: [318] int64, filled in: literals and lengths, then distances.

    Returns:
        The place behind the block.
    """
    frequencies[:] = 0
    frequencies[END_OF_BLOCK] = 1
    for token in tokens:
        length = length_of(token)
        if length == 0:
            frequencies[content[place]] += 1
            place += 1
        else:
            frequencies[END_OF_BLOCK + 1 + LENGTH_CODE[length]] += 1
            frequencies[N_LITERALS + DISTANCE_CODE[distance_of(token) - 1]] += 1
            place += length
    return place


@njit(cache=True)
def is_spelled(frequencies: Ints, lengths: Bytes) -> Any:
    """Has every symbol that occurs a code?"""
    missing = 0
    for i in range(N_CODES):
        missing += (frequencies[i] > 0) & (lengths[i] == 0)
    return missing == 0


@njit(cache=True)
def _write_block(
    out: Bytes,
    state: Ints,
    is_last: int,
    header: Ints,
    lengths: Bytes,
    content: Bytes,
    place: int,
    tokens: Any,
) -> None:
    kind = header[TYPE]
    _put(out, state, is_last, 1)
    _put(out, state, kind, 2)
    if kind == STORED:
        if state[_COUNT]:
            _put(out, state, 0, 8 - state[_COUNT])
        size = len(content) - place
        _put(out, state, size, 16)
        _put(out, state, size ^ 0xFFFF, 16)
        for i in range(place, len(content)):
            _put(out, state, content[i], 8)
        return
    codes = np.zeros(N_CODES, dtype=np.int64)
    if kind == DYNAMIC:
        _put(out, state, header[LITERALS] - 257, 5)
        _put(out, state, header[DISTANCES] - 1, 5)
        _put(out, state, header[SHOWN] - 4, 4)
        for i in range(header[SHOWN]):
            _put(out, state, header[CODE + ORDER[i]], 3)
        widths = header[CODE:FIRST].astype(np.uint8)
        codes_of(widths, codes[:N_LENGTHS])
        for i in range(header[OPERATIONS]):
            symbol = header[FIRST + i] & 255
            _put(out, state, codes[symbol], header[CODE + symbol])
            _put(out, state, header[FIRST + i] >> 8, OPERATION_EXTRA[symbol])
    codes_of(lengths[:N_LITERALS], codes[:N_LITERALS])
    codes_of(lengths[N_LITERALS:], codes[N_LITERALS:])
    for token in tokens:
        length = length_of(token)
        if length == 0:
            symbol = np.int64(content[place])
            _put(out, state, codes[symbol], lengths[symbol])
            place += 1
            continue
        place += length
        code = LENGTH_CODE[length]
        symbol = END_OF_BLOCK + 1 + code
        _put(out, state, codes[symbol], lengths[symbol])
        _put(out, state, length - LENGTH_BASE[code], LENGTH_EXTRA[code])
        code = DISTANCE_CODE[distance_of(token) - 1]
        symbol = N_LITERALS + code
        _put(out, state, codes[symbol], lengths[symbol])
        _put(out, state, distance_of(token) - DISTANCE_BASE[code], DISTANCE_EXTRA[code])
    _put(out, state, codes[END_OF_BLOCK], lengths[END_OF_BLOCK])


class BitWriter:
    """Writes the blocks of a stream."""

    def __init__(self) -> None:
        self._out: Bytes = np.zeros(1 << 12, dtype=np.uint8)
        self._state = np.zeros(3, dtype=np.int64)

    def add(
        self,
        is_last: bool,
        header: Ints,
        lengths: Bytes,
        content: Bytes,
        begin: int,
        end: int,
        tokens: npt.NDArray[np.int32],
        frequencies: Ints,
    ) -> None:
        """Append a block.

        Args:
            header, lengths: of its codes, in which each of its symbols has one.
            content: [n] uint8; the block is content[begin:end].
            frequencies: of its symbols.
        """
        if header[TYPE] == STORED:
            room = 16 + end - begin
        else:
            room = 16 + (int(header_bits(header) + tokens_bits(frequencies, lengths)) >> 3)
        needed = self.size + room
        if needed > len(self._out):
            more = np.zeros(max(room, len(self._out)), dtype=np.uint8)
            self._out = np.concatenate([self._out, more])
        _write_block(
            self._out, self._state, int(is_last), header, lengths, content[:end], begin, tokens
        )

    @property
    def size(self) -> int:
        """Whole bytes so far."""
        return int(self._state[_PLACE])

    def finish(self) -> bytes:
        """The stream, its last byte filled up with zeros."""
        if self._state[_COUNT]:
            self._out[self.size] = self._state[_BUFFER] & 255
            self._state[_PLACE] += 1
            self._state[_COUNT] = 0
        return self._out[: self.size].tobytes()
