"""The bits of a scan, in either direction: to read them, or to write the same ones.

Behind a byte FF of a scan a 00 is put in, as a marker would be read otherwise (T.81, F.1.2.3).
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from nacrith.transforms.jpeg.huffman_tables import LONGEST, HuffmanTables

# Places of the state: that of the next byte; bits of the present byte, and how many of them are
# still to be read, or were written; the end of what can be read; is this the reading direction?;
# is there anything that can't be?; the bit with which bytes are filled up, -1 = not known.
PLACE, BITS, N_BITS, LIMIT, READS, FAILED, FILLER = range(7)

BitStream = namedtuple("BitStream", "state data")
BitStream.__doc__ = """state: [7] int64, see above. data: [n] uint8, read, or to be written."""


def reader(data: npt.NDArray[np.uint8], begin: int, filler: int = -1) -> BitStream:
    """Reads what begins at a place; `filler` of scans before."""
    return BitStream(np.array([begin, 0, 0, len(data), 1, 0, filler], dtype=np.int64), data)


def writer(room: int, filler: int) -> BitStream:
    """Writes at most `room` bytes; more are a failure."""
    data = np.zeros(room, dtype=np.uint8)
    return BitStream(np.array([0, 0, 0, room, 0, 0, filler], dtype=np.int64), data)


@inlined
def code_bit(stream: BitStream, bit: int) -> Any:
    """Read a bit, or write it; return it, int64. After a failure there are zeros."""
    s, data = stream
    if not s[READS]:
        s[BITS] = s[BITS] << 1 | np.int64(bit)
        s[N_BITS] += 1
        if s[N_BITS] == 8:
            _write_byte(s, data)
        return np.int64(bit)
    if s[N_BITS] == 0:
        place = s[PLACE]
        if place >= s[LIMIT]:
            s[FAILED] = 1
            return np.int64(0)
        s[BITS] = np.int64(data[place])
        s[N_BITS] = 8
        s[PLACE] += 1
        if s[BITS] == 0xFF:
            if place + 1 >= s[LIMIT] or data[place + 1] != 0:
                s[PLACE] = place
                s[N_BITS] = 0
                s[FAILED] = 1
                return np.int64(0)
            s[PLACE] += 1
    s[N_BITS] -= 1
    return s[BITS] >> s[N_BITS] & 1


@inlined
def _write_byte(s: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> None:
    if s[PLACE] + 2 > s[LIMIT]:
        s[FAILED] = 1
        s[PLACE] = 0
    data[s[PLACE]] = np.uint8(s[BITS])
    s[PLACE] += 1
    if s[BITS] == 0xFF:
        data[s[PLACE]] = 0
        s[PLACE] += 1
    s[BITS] = 0
    s[N_BITS] = 0


@inlined
def code_bits(stream: BitStream, n: int, bits: int) -> Any:
    """Read or write n bits, the highest one first; return them, int64."""
    found = np.int64(0)
    for i in range(n):
        found = found << 1 | code_bit(stream, (bits >> (n - 1 - i)) & 1)
    return found


@inlined
def code_symbol(stream: BitStream, tables: HuffmanTables, table: int, symbol: int) -> Any:
    """Read or write a symbol by the code that a table has for it; return it, int64.

    One without a code, and a code of none, are failures.
    """
    s = stream.state
    if not s[READS]:
        length = tables.lengths[table, symbol]
        if length == 0:
            s[FAILED] = 1
        code_bits(stream, length, tables.codes[table, symbol])
        return np.int64(symbol)
    code = np.int64(0)
    for length in range(1, LONGEST + 1):
        code = code << 1 | code_bit(stream, np.int64(0))
        i = code - tables.first[table, length]
        if 0 <= i < tables.count[table, length]:
            return tables.symbols[table, tables.symbols_before[table, length] + i]
    s[FAILED] = 1
    return np.int64(0)


@njit(cache=True)
def fill_up(stream: BitStream) -> None:
    """Read or write up to the end of the byte. What is read must be of one and the same bit."""
    s, _ = stream
    while s[N_BITS] and not s[FAILED]:
        bit = code_bit(stream, max(s[FILLER], np.int64(0)))
        if s[FILLER] < 0:
            s[FILLER] = bit
        elif bit != s[FILLER]:
            s[FAILED] = 1


@njit(cache=True)
def code_restart(stream: BitStream, number: int) -> None:
    """Read or write the marker between two intervals, the `number`th, and what is in front of it.

    Another marker is a failure.
    """
    s, data = stream
    fill_up(stream)
    if s[FAILED] or s[PLACE] + 2 > s[LIMIT]:
        s[FAILED] = 1
        return
    marker = 0xD0 + (number & 7)
    place = s[PLACE]
    if not s[READS]:
        data[place] = 0xFF
        data[place + 1] = marker
    elif data[place] != 0xFF or data[place + 1] != marker:
        s[FAILED] = 1
        return
    s[PLACE] += 2
