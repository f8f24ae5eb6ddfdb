"""The language model's softmax as integer weights, of which ranges can be summed.

A weight is 2**30 times the symbol's probability in units of the most probable one's,
and 1 more, so that no range is empty. Its power of two is a cubic polynomial, right to
0.02 %, which is faster than a table. Only whole blocks of symbols are added up: a path
through the vocabulary trie asks for a few sums. There are two passes, one over the tokens and one
over the symbols, block by block: what a block needs stays in the processor's nearest cache.

The float logit is rounded once, to a score; all the rest is integer arithmetic.
"""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.fixed_point import LOG2_E, SCORE_FRACTION_BITS, SCORE_LIMIT
from coder.kernels import inlined, njit
from predictors.base import FloatArray
from predictors.language_models.vocabulary import Vocabulary

TOP_BITS = 30
"""The weight of the most probable symbol is nearly 2**30."""

_BLOCK_BITS = 6
BLOCK = 1 << _BLOCK_BITS
"""Symbols that are added up beforehand."""

_LOGIT_TO_SCORE = LOG2_E * (1 << SCORE_FRACTION_BITS)
_LIMIT = np.int32(SCORE_LIMIT)
_ABSENT = np.int32(-(1 << 30))
"""The score of a token that no symbol uses: below all others."""

# 2**-x for 0 ≤ x < 1 in 2**-15, least relative squares at Chebyshev's nodes.
_C0, _C1, _C2, _C3 = (np.int32(c) for c in (32765, -22642, 7536, -1276))
_SHIFT = np.int32(15)
_FRACTION_MASK = np.uint32((1 << SCORE_FRACTION_BITS) - 1)
_TO_15_BITS = np.uint32(SCORE_FRACTION_BITS - 15)
_TO_30_BITS = np.uint32(TOP_BITS - 15)
_WHOLE_SHIFT = np.uint32(SCORE_FRACTION_BITS)
_MAX_SHIFT = np.uint32(31)

Softmax = namedtuple(
    "Softmax", "weights blocks peaks scores bias token_of_symbol unused moved offsets top"
)
Softmax.__doc__ = """Weights of the symbols, and their sums by blocks of 64.

weights: [A rounded up to whole blocks] uint32, 0 behind the last symbol.
blocks: [blocks + 1] int64, the sum of all weights before each block.
peaks: [blocks] uint32, the largest weight of each block.
scores: [T + 1], bias: [T] int32 in 2**-16 bit, by token; T is 1 + the highest token that a
symbol uses. The bias, within ± 2**26, is in the score.
token_of_symbol: [A rounded up] int32; T behind the last symbol, where `scores` has an entry more.
unused: int32, the tokens up to T that no symbol uses.
moved: int32, ascending, symbols with an offset, and offsets: [A] int32, of the scores.
top: [1] int64, the highest score of a token that a symbol uses.
"""


def new_softmax(vocabulary: Vocabulary) -> Softmax:
    """Room for the softmax of a model with this vocabulary."""
    n_blocks = -(-len(vocabulary) // BLOCK)
    n_tokens = int(vocabulary.token_of_symbol.max()) + 1
    is_unused = np.ones(n_tokens + 1, dtype=np.bool_)
    is_unused[vocabulary.token_of_symbol] = False
    token_of_symbol = np.full(n_blocks << _BLOCK_BITS, n_tokens, dtype=np.int32)
    token_of_symbol[: len(vocabulary)] = vocabulary.token_of_symbol
    return Softmax(
        weights=np.zeros(n_blocks << _BLOCK_BITS, dtype=np.uint32),
        blocks=np.zeros(n_blocks + 1, dtype=np.int64),
        peaks=np.zeros(n_blocks, dtype=np.uint32),
        scores=np.zeros(n_tokens + 1, dtype=np.int32),
        bias=np.zeros(n_tokens, dtype=np.int32),
        token_of_symbol=token_of_symbol,
        unused=np.nonzero(is_unused)[0].astype(np.int32),
        moved=np.nonzero(vocabulary.offsets)[0].astype(np.int32),
        offsets=vocabulary.offsets,
        top=np.zeros(1, dtype=np.int64),
    )


@inlined
def _power(fraction: int) -> Any:
    """2**-x in 2**-15, int32, for x = `fraction` in 2**-16, uint32."""
    x = np.int32(fraction >> _TO_15_BITS)
    p = np.int32(_C2 + (np.int32(x * _C3) >> _SHIFT))
    p = np.int32(_C1 + (np.int32(x * p) >> _SHIFT))
    return np.int32(_C0 + (np.int32(x * p) >> _SHIFT))


@inlined
def _weight(distance: int) -> Any:
    """The weight, uint32, of a score that is `distance`, uint32 in 2**-16 bit, below the top."""
    p = np.uint32(_power(distance & _FRACTION_MASK))
    shift = min(distance >> _WHOLE_SHIFT, _MAX_SHIFT)
    return np.uint32((p << _TO_30_BITS) >> shift) + np.uint32(1)


@inlined
def high_weight(distance: int, extra: int) -> Any:
    """A weight that may exceed that of the top, int64.

    Args:
        distance: int64 in 2**-16 bit, ≥ 0: below the top and `extra` bits more.
        extra: at most 30.
    """
    p = np.int64(_power(np.uint32(distance) & _FRACTION_MASK)) << (TOP_BITS - 15 + extra)
    return (p >> min(distance >> SCORE_FRACTION_BITS, 62)) + 1


@inlined
def _score_tokens(
    logits: FloatArray, bias: npt.NDArray[np.int32], scores: npt.NDArray[np.int32]
) -> Any:
    """Write the scores of the first tokens; return whether all these logits are finite, and the
    highest score."""
    finite = True
    limit = float(SCORE_LIMIT)
    top = np.int32(-SCORE_LIMIT - SCORE_LIMIT)
    for token in range(len(bias)):
        x = np.float64(logits[token]) * _LOGIT_TO_SCORE
        # False for NaN and the infinities too.
        finite &= abs(x) < np.inf
        x = min(max(x, -limit), limit)
        # Floor of x + 0.5 by truncation: the shift makes the operand positive.
        score = np.int32(np.int32(x + (limit + 0.5)) - _LIMIT + bias[token])
        scores[token] = score
        top = max(top, score)
    return finite, top


@inlined
def _leave_out_unused(s: Softmax, top: np.int32) -> Any:
    """Take the tokens that no symbol uses out of the scores; return the highest that is left."""
    was_top = False
    for token in s.unused:
        was_top |= s.scores[token] == top
        s.scores[token] = _ABSENT
    if was_top:
        top = s.scores[0]
        for token in range(len(s.scores)):
            top = max(top, s.scores[token])
    return top


@njit(cache=True)
def weigh(s: Softmax, logits: FloatArray) -> Any:
    """Take the weights from logits, [≥ T] float32 in nats.

    Returns:
        False if one of the first T logits is not a finite number; then the weights are of
        no use.
    """
    scores = s.scores
    finite, top = _score_tokens(logits, s.bias, scores)
    if not finite:
        return False
    top = _leave_out_unused(s, top)
    s.top[0] = top
    total = np.int64(0)
    n_moved = 0
    of_block = np.zeros(BLOCK, dtype=np.int32)
    for block in range(len(s.peaks)):
        s.blocks[block] = total
        begin = block << _BLOCK_BITS
        symbols = s.token_of_symbol[begin : begin + BLOCK]
        # A loop of its own: no vector instruction is faster at looking up.
        for i in range(BLOCK):
            of_block[i] = scores[np.uint32(symbols[i])]
        while n_moved < len(s.moved) and s.moved[n_moved] < begin + BLOCK:
            of_block[s.moved[n_moved] - begin] += s.offsets[s.moved[n_moved]]
            n_moved += 1
        weights = s.weights[begin : begin + BLOCK]
        part = np.int64(0)
        peak = np.uint32(0)
        # 32 bits throughout: the compiler makes vector instructions of it.
        for i in range(BLOCK):
            weight = _weight(np.uint32(top - of_block[i]))
            weights[i] = weight
            part += np.int64(weight)
            peak = max(peak, weight)
        s.peaks[block] = peak
        total += part
    # What is behind the last symbol has a weight of 1 so far.
    behind = s.weights[len(s.offsets) :]
    behind[:] = 0
    s.blocks[-1] = total - len(behind)
    return True


@inlined
def score_of(s: Softmax, symbol: int) -> Any:
    """The score of a symbol, int64 in 2**-16 bit."""
    return np.int64(s.scores[s.token_of_symbol[symbol]]) + np.int64(s.offsets[symbol])


@inlined
def sum_before(s: Softmax, symbol: int) -> Any:
    """The sum of the weights of the symbols before this one, int64."""
    block = symbol >> _BLOCK_BITS
    total = s.blocks[block]
    part = s.weights[block << _BLOCK_BITS : symbol]
    for i in range(len(part)):
        total += np.int64(part[i])
    return total
