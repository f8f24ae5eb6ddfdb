"""Sums of the softmax weights of ranges of symbols, without a whole CDF.

A weight is 2**30 times the symbol's probability in units of the most probable one's,
and 1 more, so that no range is empty. Its power of two is a cubic polynomial, right to
0.02 %, which is faster than a table. Only whole blocks are added up beforehand: a path
through the vocabulary trie asks for a few sums.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.fixed_point import SCORE_FRACTION_BITS
from coder.kernels import njit

_BLOCK_BITS = 6
_BLOCK = 1 << _BLOCK_BITS

# 2**-x for 0 ≤ x < 1 in 2**-15, least relative squares at Chebyshev's nodes.
_C0, _C1, _C2, _C3 = (np.int32(c) for c in (32765, -22642, 7536, -1276))
_SHIFT = np.int32(15)
_FRACTION_MASK = np.uint32((1 << SCORE_FRACTION_BITS) - 1)
_TO_15_BITS = np.uint32(SCORE_FRACTION_BITS - 15)
_TO_30_BITS = np.uint32(15)
_WHOLE_SHIFT = np.uint32(SCORE_FRACTION_BITS)
_MAX_SHIFT = np.uint32(31)

PrefixSums = namedtuple("PrefixSums", "weights blocks")
PrefixSums.__doc__ = """Weights of the symbols, and their sums by blocks of 64.

weights: [A rounded up to whole blocks] uint32, 0 behind the last symbol.
blocks: [blocks + 1] int64, the sum of all weights before each block.
"""


def new_prefix_sums(n_symbols: int) -> PrefixSums:
    """Room for the sums of an alphabet; 0 = for none."""
    n_blocks = -(-n_symbols // _BLOCK)
    return PrefixSums(
        weights=np.zeros(n_blocks << _BLOCK_BITS, dtype=np.uint32),
        blocks=np.zeros(n_blocks + 1, dtype=np.int64),
    )


@njit(cache=True)
def add_up(sums: PrefixSums, scores: npt.NDArray[np.int32]) -> None:
    """Take the weights from scores, [A] int32 in 2**-16 bit."""
    top = scores[0]
    for i in range(len(scores)):
        top = max(top, scores[i])
    weights = sums.weights
    # 32 bits throughout: the compiler makes vector instructions of it.
    for i in range(len(scores)):
        distance = np.uint32(top - scores[i])
        x = np.int32((distance & _FRACTION_MASK) >> _TO_15_BITS)
        p = np.int32(_C2 + (np.int32(x * _C3) >> _SHIFT))
        p = np.int32(_C1 + (np.int32(x * p) >> _SHIFT))
        p = np.int32(_C0 + (np.int32(x * p) >> _SHIFT))
        shift = min(distance >> _WHOLE_SHIFT, _MAX_SHIFT)
        weights[i] = np.uint32((np.uint32(p) << _TO_30_BITS) >> shift) + np.uint32(1)
    total = np.int64(0)
    for block in range(len(sums.blocks) - 1):
        sums.blocks[block] = total
        begin = block << _BLOCK_BITS
        of_block = weights[begin : begin + _BLOCK]
        part = np.int64(0)
        for i in range(_BLOCK):
            part += np.int64(of_block[i])
        total += part
    sums.blocks[-1] = total


@njit(cache=True)
def sum_before(sums: PrefixSums, symbol: int) -> Any:
    """The sum of the weights of the symbols before this one, int64."""
    block = symbol >> _BLOCK_BITS
    total = sums.blocks[block]
    for i in range(block << _BLOCK_BITS, symbol):
        total += np.int64(sums.weights[i])
    return total
