"""A deflate stream to its content, tokens and block headers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from nacrith.transforms.deflate.alphabet import (
    DISTANCE_BASE,
    DISTANCE_EXTRA,
    DYNAMIC,
    END_OF_BLOCK,
    LENGTH_BASE,
    LENGTH_EXTRA,
    MAX_BITS,
    MOST_LITERALS,
    N_CODES,
    N_DISTANCES,
    N_LITERALS,
    ORDER,
    STORED,
    match,
)
from nacrith.transforms.deflate.block_header import (
    CODE,
    DISTANCES,
    FIRST,
    HEADER,
    LITERALS,
    MANY_ZEROS,
    OPERATION_EXTRA,
    OPERATIONS,
    REPEAT,
    SHOWN,
    TYPE,
    ZEROS,
    lengths_of,
)
from nacrith.transforms.deflate.huffman import codes_of

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_BIT, _BUFFER, _COUNT, _PLACE = range(4)


def most_blocks(size: int) -> int:
    """A stream of more blocks than this for `size` bytes of content is left alone."""
    return 64 + size // 64


# Room for so many bytes of a stream a block, at first.
_USUAL_BLOCK = 1 << 10


@dataclass
class Deflated:
    """A stream taken apart.

    Attributes:
        tokens: [n] int32 (`alphabet`); those of stored blocks are not there.
        headers: [blocks, HEADER] int64.
        sizes: [blocks] int64, number of tokens, of a stored block its bytes.
    """

    tokens: npt.NDArray[np.int32]
    headers: Ints
    sizes: Ints


@inlined
def _need(data: Bytes, state: Ints, n: int) -> None:
    """Have at least n ≤ 32 bits in the buffer; zeros behind the end."""
    while state[_COUNT] < n:
        place = state[_PLACE]
        byte = np.int64(data[place]) if place < len(data) else np.int64(0)
        state[_BUFFER] |= byte << state[_COUNT]
        state[_COUNT] += 8
        state[_PLACE] = place + 1


@inlined
def _take(data: Bytes, state: Ints, n: int) -> Any:
    """The next n ≤ 32 bits, int64."""
    _need(data, state, n)
    value = state[_BUFFER] & ((np.int64(1) << n) - 1)
    state[_BUFFER] >>= n
    state[_COUNT] -= n
    return value


@njit(cache=True)
def _fill(lengths: Bytes, table: npt.NDArray[np.int32]) -> Any:
    """Make a table of all words of the longest code: symbol << 4 | length, 0 = none.

    Returns:
        The bits of the longest code; -1 if the lengths are not those of a prefix code.
    """
    longest = 0
    for length in lengths:
        longest = max(longest, np.int64(length))
    codes = np.zeros(len(lengths), dtype=np.int64)
    if not codes_of(lengths, codes):
        return np.int64(-1)
    table[: 1 << longest] = 0
    for symbol in range(len(lengths)):
        length = np.int64(lengths[symbol])
        if length:
            for word in range(codes[symbol], np.int64(1) << longest, np.int64(1) << length):
                table[word] = symbol << 4 | length
    return np.int64(longest)


@inlined
def _symbol(data: Bytes, state: Ints, table: Any, longest: int) -> Any:
    """The next symbol of a code, int64; -1 if there is none of this word."""
    _need(data, state, longest)
    entry = np.int64(table[state[_BUFFER] & ((np.int64(1) << longest) - 1)])
    length = entry & 15
    if length == 0:
        return np.int64(-1)
    state[_BUFFER] >>= length
    state[_COUNT] -= length
    return entry >> 4


@njit(cache=True)
def _read_header(data: Bytes, state: Ints, header: Ints, table: Any) -> Any:
    """Read what stands in front of the tokens of a dynamic block; is it well formed?"""
    header[LITERALS] = 257 + _take(data, state, 5)
    header[DISTANCES] = 1 + _take(data, state, 5)
    header[SHOWN] = 4 + _take(data, state, 4)
    if header[LITERALS] > MOST_LITERALS or header[DISTANCES] > N_DISTANCES:
        return False
    lengths = np.zeros(19, dtype=np.uint8)
    for i in range(header[SHOWN]):
        lengths[ORDER[i]] = _take(data, state, 3)
    header[CODE:FIRST] = lengths
    longest = _fill(lengths, table)
    if longest <= 0:
        return False
    n = header[LITERALS] + header[DISTANCES]
    place = 0
    size = 0
    while place < n:
        symbol = _symbol(data, state, table, longest)
        if symbol < 0:
            return False
        extra = _take(data, state, OPERATION_EXTRA[symbol])
        count = 1
        if symbol in (REPEAT, ZEROS):
            count = 3 + extra
        elif symbol == MANY_ZEROS:
            count = 11 + extra
        header[FIRST + size] = symbol | extra << 8
        size += 1
        place += count
    header[OPERATIONS] = size
    return True


@njit(cache=True)
def _inflate(
    data: Bytes, content: Bytes, tokens: npt.NDArray[np.int32], headers: Ints, sizes: Ints
) -> Any:
    """Read a stream.

    Args:
        data: [n] uint8; the stream is at its begin.
        content: [m] uint8, filled in: as long as the content.
        tokens: [m] int32, headers, sizes: filled in, see `Deflated`.

    Returns:
        Bytes of the stream, number of tokens, number of blocks; the first is 0 if it is not well
        formed, holds something else than m bytes, or what can't be told again: bits of padding
        that are not 0, a match of 258 bytes spelled as 227 and 31. If there is no room for its
        blocks, their number is larger than the room.
    """
    state = np.zeros(4, dtype=np.int64)
    literal_table = np.zeros(1 << MAX_BITS, dtype=np.int32)
    distance_table = np.zeros(1 << MAX_BITS, dtype=np.int32)
    lengths = np.zeros(N_CODES, dtype=np.uint8)
    place = 0
    n_tokens = 0
    failed = (np.int64(0), np.int64(0), np.int64(0))
    for block in range(len(sizes)):
        is_last = _take(data, state, 1)
        kind = _take(data, state, 2)
        header = headers[block]
        header[TYPE] = kind
        if kind > DYNAMIC or state[_PLACE] > len(data) + 8:
            return failed
        if kind == STORED:
            if _take(data, state, state[_COUNT] & 7):
                return failed
            size = _take(data, state, 16)
            if _take(data, state, 16) != size ^ 0xFFFF or place + size > len(content):
                return failed
            for i in range(size):
                content[place + i] = _take(data, state, 8)
            place += size
            sizes[block] = size
        else:
            if kind == DYNAMIC and not _read_header(data, state, header, literal_table):
                return failed
            if not lengths_of(header, lengths):
                return failed
            literal_bits = _fill(lengths[:N_LITERALS], literal_table)
            distance_bits = _fill(lengths[N_LITERALS:], distance_table)
            if literal_bits < 0 or distance_bits < 0:
                return failed
            begin = n_tokens
            while True:
                symbol = _symbol(data, state, literal_table, literal_bits)
                if symbol == END_OF_BLOCK:
                    break
                if symbol < 0 or symbol >= MOST_LITERALS or place >= len(content):
                    return failed
                if symbol < END_OF_BLOCK:
                    content[place] = symbol
                    place += 1
                    tokens[n_tokens] = 0
                    n_tokens += 1
                    continue
                code = symbol - END_OF_BLOCK - 1
                length = LENGTH_BASE[code] + _take(data, state, LENGTH_EXTRA[code])
                code = _symbol(data, state, distance_table, distance_bits)
                if code < 0 or (length == 258 and symbol != MOST_LITERALS - 1):
                    return failed
                distance = DISTANCE_BASE[code] + _take(data, state, DISTANCE_EXTRA[code])
                if distance > place or place + length > len(content):
                    return failed
                for i in range(place, place + length):
                    content[i] = content[i - distance]
                place += length
                tokens[n_tokens] = match(length, distance)
                n_tokens += 1
            sizes[block] = n_tokens - begin
        if is_last:
            if place < len(content) or _take(data, state, state[_COUNT] & 7):
                return failed
            end = state[_PLACE] - (state[_COUNT] >> 3)
            if end > len(data):
                return failed
            return end, np.int64(n_tokens), np.int64(block + 1)
    return np.int64(0), np.int64(0), np.int64(len(sizes) + 1)


def inflate(data: bytes, size: int) -> tuple[bytes, Deflated] | None:
    """Take a stream apart.

    Args:
        data: all of the stream and nothing else.
        size: bytes of its content.

    Returns:
        The content, and what is needed to tell the stream again; None if that can't be done.
    """
    most = min(most_blocks(size), 1 + len(data) * 8 // 10)
    n_blocks = min(most, 64 + len(data) // _USUAL_BLOCK)
    content = np.zeros(size, dtype=np.uint8)
    tokens = np.zeros(size, dtype=np.int32)
    values: Any = np.frombuffer(data, dtype=np.uint8).copy()
    while True:
        headers = np.zeros((n_blocks, HEADER), dtype=np.int64)
        sizes = np.zeros(n_blocks, dtype=np.int64)
        end, n_tokens, found = _inflate(values, content, tokens, headers, sizes)
        if found <= n_blocks or n_blocks == most:
            break
        n_blocks = min(most, 8 * n_blocks)
    if not end or end != len(data):
        return None
    return content.tobytes(), Deflated(tokens[:n_tokens], headers[:found], sizes[:found])
