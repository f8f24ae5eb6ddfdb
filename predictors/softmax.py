"""The language model's softmax as integer weights, of which ranges can be summed.

A weight is 2**30 times the symbol's probability in units of the most probable one's,
and 1 more, so that no range is empty. Its power of two is a cubic polynomial, right to
0.02 %, which is faster than a table. Only whole blocks of symbols are added up: a path
through the vocabulary trie asks for a few sums.

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
    "Softmax", "weights blocks peaks scores of_token bias token_of_symbol unused moved offsets top"
)
Softmax.__doc__ = """Weights of the symbols, and their sums by blocks of 64.

weights: [A rounded up to whole blocks] uint32, 0 behind the last symbol.
blocks: [blocks + 1] int64, the sum of all weights before each block.
peaks: [blocks] uint32, the largest weight of each block.
scores, bias: [T] int32 in 2**-16 bit, and of_token: [T] uint32 weights, by token; T is 1 +
the highest token that a symbol uses. The bias, within ± 2**26, is in the score.
token_of_symbol: [A] int32. unused: int32, the tokens below T that no symbol uses.
moved: int32, symbols with an offset, and offsets: [A] int32, of the scores.
top: [1] int64, the highest score of a token that a symbol uses.
"""


def new_softmax(vocabulary: Vocabulary) -> Softmax:
    """Room for the softmax of a model with this vocabulary."""
    n_blocks = -(-len(vocabulary) // BLOCK)
    n_tokens = int(vocabulary.token_of_symbol.max()) + 1
    is_unused = np.ones(n_tokens, dtype=np.bool_)
    is_unused[vocabulary.token_of_symbol] = False
    return Softmax(
        weights=np.zeros(n_blocks << _BLOCK_BITS, dtype=np.uint32),
        blocks=np.zeros(n_blocks + 1, dtype=np.int64),
        peaks=np.zeros(n_blocks, dtype=np.uint32),
        scores=np.zeros(n_tokens, dtype=np.int32),
        of_token=np.zeros(n_tokens, dtype=np.uint32),
        bias=np.zeros(n_tokens, dtype=np.int32),
        token_of_symbol=vocabulary.token_of_symbol,
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
    """Write the scores of the first tokens; return whether all these logits are finite."""
    finite = True
    limit = float(SCORE_LIMIT)
    for token in range(len(scores)):
        x = np.float64(logits[token]) * _LOGIT_TO_SCORE
        # False for NaN and the infinities too.
        finite &= abs(x) < np.inf
        x = min(max(x, -limit), limit)
        # Floor of x + 0.5 by truncation: the shift makes the operand positive.
        scores[token] = np.int32(np.int32(x + (limit + 0.5)) - _LIMIT + bias[token])
    return finite


@njit(cache=True)
def weigh(s: Softmax, logits: FloatArray) -> Any:
    """Take the weights from logits, [≥ T] float32 in nats.

    Returns:
        False if one of the first T logits is not a finite number; then the weights are of
        no use.
    """
    scores = s.scores
    of_token = s.of_token
    if not _score_tokens(logits, s.bias, scores):
        return False
    for token in s.unused:
        scores[token] = _ABSENT
    top = scores[0]
    for token in range(len(scores)):
        top = max(top, scores[token])
    s.top[0] = top
    # 32 bits throughout: the compiler makes vector instructions of it.
    for token in range(len(scores)):
        of_token[token] = _weight(np.uint32(top - scores[token]))
    weights = s.weights
    # A loop of its own: no vector instruction is faster at looking up.
    for i in range(len(s.token_of_symbol)):
        weights[i] = of_token[np.uint32(s.token_of_symbol[i])]
    for i in s.moved:
        weights[i] = _weight(np.uint32(s.top[0] - score_of(s, i)))
    total = np.int64(0)
    for block in range(len(s.peaks)):
        s.blocks[block] = total
        begin = block << _BLOCK_BITS
        of_block = weights[begin : begin + BLOCK]
        part = np.int64(0)
        peak = np.uint32(0)
        for i in range(BLOCK):
            part += np.int64(of_block[i])
            peak = max(peak, of_block[i])
        s.peaks[block] = peak
        total += part
    s.blocks[-1] = total
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
