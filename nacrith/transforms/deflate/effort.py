"""How a compressor looks for matches: the levels and strategies of zlib, and what others share.

zlib's levels differ in four numbers (Gailly and Adler; RFC 1951, section 4, has the idea): how long
a match must be to look less for a better one at the next byte, to look for none, to be taken at
once, and how many earlier places are looked at.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nacrith.transforms.deflate.alphabet import MAX_DISTANCE, MAX_MATCH

GREEDY, LAZY, LITERALS, RUNS = range(4)
"""Ways: the first match, a longer one at the next byte, none, only of distance 1."""

LEVELS = {
    1: (GREEDY, 4, 4, 8, 4),
    2: (GREEDY, 4, 5, 16, 8),
    3: (GREEDY, 4, 6, 32, 32),
    4: (LAZY, 4, 4, 16, 16),
    5: (LAZY, 8, 16, 32, 32),
    6: (LAZY, 8, 16, 128, 128),
    7: (LAZY, 8, 32, 128, 256),
    8: (LAZY, 32, 128, 258, 1024),
    9: (LAZY, 32, 258, 258, 4096),
    # Not one of zlib's: as long as there is, for compressors that look everywhere.
    10: (GREEDY, MAX_MATCH, MAX_MATCH, MAX_MATCH, 4096),
}
"""By number: the way, *good*, *lazy*, *nice*, *chain*."""

DEFAULT, FILTERED, HUFFMAN_ONLY, RLE, FIXED_CODES = range(5)
"""Strategies, numbered as zlib does."""

# zlib's level of memory, and binary logarithms of its hash table and its window in bytes.
MIN_MEMORY, MAX_MEMORY = 1, 9
MIN_HASH, MAX_HASH = 8, 16
MIN_WINDOW, MAX_WINDOW = 8, 15

# zlib keeps so many bytes of the window free.
_MIN_LOOKAHEAD = MAX_MATCH + 3 + 1

WAY, GOOD, LAZY_BELOW, NICE, CHAIN, FARTHEST, FAR, FILTER, FREE, HASH_BITS = range(10)
N_FIELDS = 10


class Effort(NamedTuple):
    """What a stream was made with, as far as it is known.

    Attributes:
        level: one of `LEVELS`.
        strategy: one of zlib's.
        memory: memLevel of zlib, which the size of a block depends on.
        hash_bits: bits of a hash, memLevel + 7 in zlib; gzip and Info-ZIP have 15 in any case.
        window: log2 of the window.
        free: are matches of the farthest distance and to the first byte allowed, and short far
            ones, as in other compressors than zlib?
    """

    level: int = 6
    strategy: int = DEFAULT
    memory: int = 8
    hash_bits: int = 15
    window: int = 15
    free: bool = False

    @property
    def block_tokens(self) -> int:
        """Tokens of a full block."""
        return (1 << (self.memory + 6)) - 1

    def is_valid(self) -> bool:
        return (
            self.level in LEVELS
            and DEFAULT <= self.strategy <= FIXED_CODES
            and MIN_MEMORY <= self.memory <= MAX_MEMORY
            and MIN_HASH <= self.hash_bits <= MAX_HASH
            and MIN_WINDOW <= self.window <= MAX_WINDOW
        )

    def fields(self) -> npt.NDArray[np.int64]:
        """[N_FIELDS] int64 for kernels."""
        way, good, lazy, nice, chain = LEVELS[self.level]
        if self.strategy == HUFFMAN_ONLY:
            way = LITERALS
        elif self.strategy == RLE:
            way = RUNS
        # zlib makes a window of 256 bytes one of 512.
        window = 1 << max(self.window, 9)
        fields = np.zeros(N_FIELDS, dtype=np.int64)
        fields[WAY], fields[GOOD], fields[LAZY_BELOW] = way, good, lazy
        fields[NICE], fields[CHAIN] = nice, chain
        fields[FARTHEST] = window if self.free else window - _MIN_LOOKAHEAD
        fields[FAR] = MAX_DISTANCE if self.free else 4096
        fields[FILTER] = self.strategy == FILTERED
        fields[FREE] = self.free
        fields[HASH_BITS] = self.hash_bits
        return fields
