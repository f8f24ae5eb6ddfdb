"""What a stream was made with, found by trying which effort predicts its tokens best.

Only an encoder guesses.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nacrith.transforms.deflate.adaptive_numbers import Table, new_table
from nacrith.transforms.deflate.alphabet import (
    DISTANCE_BITS,
    DYNAMIC,
    FIXED,
    MAX_DISTANCE,
    STORED,
)
from nacrith.transforms.deflate.block_header import TYPE
from nacrith.transforms.deflate.effort import (
    DEFAULT,
    FILTERED,
    FIXED_CODES,
    HUFFMAN_ONLY,
    MAX_MEMORY,
    MIN_MEMORY,
    RLE,
    Effort,
)
from nacrith.transforms.deflate.inflate import Deflated
from nacrith.transforms.deflate.match_finder import INSERTED, KNOWN, insert, make_finder
from nacrith.transforms.deflate.token_coding import COUNT, follow

Bytes = npt.NDArray[np.uint8]

# The most usual first: it wins where several predict the same.
_LEVELS = (6, 9, 5, 1, 4, 7, 8, 3, 2)
_FREE_LEVELS = (9, 6, 10)
# memLevel and bits of the hash: zlib's default, gzip and Info-ZIP, zlib's most.
_MEMORIES = ((8, 15), (9, 15), (9, 16))

_FIRST_LOOK, _SECOND_LOOK = 1 << 11, 1 << 15
"""Tokens of which all efforts are tried, and those that are equal then."""

_STRANGE = 32
"""A stream of which one token in so many is not predicted is of another compressor than zlib."""

# A fixed block of so many tokens was most likely asked for.
_LARGE_FIXED = 256

_NO_CONTEXTS: Table = new_table(1)
_NO_CODER = (np.zeros(5, dtype=np.int64), np.zeros(0, dtype=np.uint8))


def count_wrong(content: Bytes, given: Deflated, effort: Effort, most: int) -> int:
    """How many of the first `most` tokens an effort does not predict."""
    finder = make_finder(effort)
    place = first = wrong = 0
    for header, size in zip(given.headers, given.sizes.tolist(), strict=True):
        if first >= most:
            break
        if header[TYPE] == STORED:
            insert(content, finder, int(finder.state[INSERTED]), place + size)
            finder.state[INSERTED] = place + size
            finder.state[KNOWN] = 0
            place += size
            continue
        end = first + min(size, most - first)
        place, _, more = follow(
            _NO_CODER,
            _NO_CONTEXTS,
            content,
            finder,
            place,
            given.tokens,
            first,
            end,
            COUNT,
            False,
        )
        wrong += int(more)
        first += size
    return wrong


def guess(content: Bytes, given: Deflated, last: Effort, window: int = 15) -> tuple[Effort, int]:
    """Find the effort that predicts a stream best, and about how many tokens it does not predict.

    Args:
        content: [n] uint8, of the stream.
        last: of the stream before, likely of the same compressor.
        window: log2 of the largest distance, if the stream's envelope says.
    """
    n = len(given.tokens)
    if not n:
        return last, 0
    if count_wrong(content, given, last, _SECOND_LOOK) == 0 and _fits_blocks(given, last):
        return last, 0
    best = _best(content, given, _zlib_efforts(given, window))
    if _STRANGE * best[0] > min(n, _SECOND_LOOK):
        others = [Effort(level, DEFAULT, best[1].memory, 16, free=True) for level in _FREE_LEVELS]
        best = min(best, _best(content, given, others), key=lambda found: found[0])
    wrong, effort = best
    return effort, wrong * n // min(n, _SECOND_LOOK)


def _best(content: Bytes, given: Deflated, efforts: Sequence[Effort]) -> tuple[int, Effort]:
    """Tokens that the best effort does not predict, and that effort."""
    found = [(count_wrong(content, given, effort, _FIRST_LOOK), effort) for effort in efforts]
    least = min(wrong for wrong, _ in found)
    # What is nearly as good at the begin may be better later.
    equal = [effort for wrong, effort in found if wrong <= least + least // 8]
    if len(given.tokens) > _FIRST_LOOK:
        found = [(count_wrong(content, given, effort, _SECOND_LOOK), effort) for effort in equal]
    return min(found, key=lambda pair: pair[0])


def _zlib_efforts(given: Deflated, window: int) -> list[Effort]:
    """What zlib may have been asked for."""
    memories = _memories(given)
    lengths = given.tokens >> DISTANCE_BITS
    matches = lengths > 0
    if not matches.any():
        return [Effort(6, HUFFMAN_ONLY, *memory, window) for memory in memories]
    strategies = [DEFAULT]
    distances = given.tokens[matches] & (MAX_DISTANCE - 1)
    if lengths[matches].min() > 5:
        strategies.append(FILTERED)
    if not distances.any():
        strategies.append(RLE)
    if _is_all_fixed(given):
        strategies = [FIXED_CODES]
    return [
        Effort(level if strategy != RLE else 6, strategy, *memory, window)
        for memory in memories
        for strategy in strategies
        for level in _LEVELS
        if strategy != RLE or level == _LEVELS[0]
        if strategy != FILTERED or level > 3
    ]


def _is_all_fixed(given: Deflated) -> bool:
    kinds = given.headers[:, TYPE]
    return bool(
        (kinds != DYNAMIC).all() and given.sizes[kinds == FIXED].max(initial=0) > _LARGE_FIXED
    )


def _memories(given: Deflated) -> Sequence[tuple[int, int]]:
    """memLevels that make blocks of these sizes, each with bits of a hash."""
    largest = int(given.sizes[given.headers[:, TYPE] != STORED].max(initial=0))
    if len(given.sizes) > 1:
        for memory in range(MIN_MEMORY, MAX_MEMORY + 1):
            if largest == Effort(memory=memory).block_tokens:
                return [(memory, bits) for bits in sorted({15, memory + 7})]
    return _MEMORIES


def _fits_blocks(given: Deflated, effort: Effort) -> bool:
    return len(given.sizes) == 1 or (effort.memory, effort.hash_bits) in _memories(given)
