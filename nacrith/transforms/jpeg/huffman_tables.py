"""The Huffman tables of a JPEG picture (T.81, annex C), for both directions."""

from collections import namedtuple
from typing import Any

import numpy as np

TABLES = 8
"""Four for DC, and four for AC behind them."""

FIRST_AC = 4
LONGEST = 16
"""Bits of a code."""

HuffmanTables = namedtuple("HuffmanTables", "first count symbols_before symbols codes lengths")
HuffmanTables.__doc__ = """All tables that are defined at some place of a picture.

first, count, symbols_before: [8, 17] int64, by the length of a code: the lowest one, how many
there are, and how many symbols have shorter ones. symbols: [8, 256] int64, by their codes. codes,
lengths: [8, 256] int64, by symbol; a length of 0 is that of a symbol without a code.
"""


def new_tables() -> HuffmanTables:
    """None is defined."""

    def zeros(n: int) -> Any:
        return np.zeros((TABLES, n), dtype=np.int64)

    n = LONGEST + 1
    return HuffmanTables(zeros(n), zeros(n), zeros(n), zeros(256), zeros(256), zeros(256))


def define(tables: HuffmanTables, body: bytes) -> bool:
    """Read a segment DHT (T.81, B.2.4.2) without its length; False if it is wrong."""
    place = 0
    while place < len(body):
        kind, number = body[place] >> 4, body[place] & 15
        counts = body[place + 1 : place + 1 + LONGEST]
        n = sum(counts)
        symbols = body[place + 1 + LONGEST : place + 1 + LONGEST + n]
        place += 1 + LONGEST + n
        if kind > 1 or number >= FIRST_AC or n > 256 or place > len(body):
            return False
        if not _define(tables, FIRST_AC * kind + number, counts, symbols):
            return False
    return True


def _define(tables: HuffmanTables, i: int, counts: bytes, symbols: bytes) -> bool:
    for array in tables:
        array[i] = 0
    code = k = 0
    for length, count in enumerate(counts, 1):
        tables.first[i, length] = code
        tables.count[i, length] = count
        tables.symbols_before[i, length] = k
        for _ in range(count):
            tables.symbols[i, k] = symbols[k]
            # Of several codes of a symbol the first one is used.
            if not tables.lengths[i, symbols[k]]:
                tables.codes[i, symbols[k]] = code
                tables.lengths[i, symbols[k]] = length
            code += 1
            k += 1
        if code > 1 << length:
            return False
        code <<= 1
    return True
