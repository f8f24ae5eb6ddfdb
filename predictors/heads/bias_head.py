"""Bias head: one bias per symbol, learned online by gradient descent.

The gradient of the code length in nats by the bias of symbol i is
p_i - [i is the coded symbol]; each step moves the biases against it, with
Adagrad's rates. The idea is the reference's "adaptive head" (Nacrith, 2026), in
log space and much faster: rates matter more than the method.

The biases are those of the model's tokens, and stand in the scores of the `Softmax`. Only
the candidates and the coded symbol learn.
"""

from collections import namedtuple

import numpy as np

from coder.fixed_point import LOG2_E, SCORE_FRACTION_BITS
from coder.kernels import inlined
from predictors.heads.adagrad import GRADIENT_BITS, RATE_UNIT, scaled
from predictors.heads.candidates import Candidates, count_of, descent, has
from predictors.softmax import Softmax

_DAMPING = 0.3
"""What Adagrad's sum of squared gradients starts with."""

_NEGLIGIBLE = 1 << (GRADIENT_BITS - 13)
"""Symbols below p = 2**-13 stay as they are: their gradients add up to nothing."""

# Biases are in 2**-30 bit, within ± 1024 bits: the sum with a score stays in int32.
_TO_SCORE = GRADIENT_BITS - SCORE_FRACTION_BITS
_LIMIT = np.int64(1) << np.int64(GRADIENT_BITS + 10)

BiasHead = namedtuple("BiasHead", "bias squares rate")
BiasHead.__doc__ = """What the biases are made of.

bias: [T] int64 in 2**-30 bit, by token. squares: [T] float64, of `scaled`. Both are empty if
the head is off. rate: float64, in bits.
"""


def new_bias_head(softmax: Softmax, rate: int) -> BiasHead:
    """Untrained.

    Args:
        softmax: whose scores it corrects.
        rate: learning rate in thousandths: of a nat, for the first few gradients; 0 = off.
    """
    n = len(softmax.bias) if rate else 0
    return BiasHead(np.zeros(n, dtype=np.int64), np.zeros(n), rate / RATE_UNIT * LOG2_E)


@inlined
def update(head: BiasHead, s: Softmax, c: Candidates, symbol: int) -> None:
    """Move the biases of the candidates towards the coded symbol."""
    if len(head.bias) == 0:
        return
    for k in range(count_of(c)):
        gradient = descent(c, k, symbol)
        if abs(gradient) >= _NEGLIGIBLE:
            _learn(head, s, np.int64(c.symbols[k]), gradient)
    if not has(c, symbol):
        _learn(head, s, symbol, np.int64(1) << GRADIENT_BITS)


@inlined
def _learn(head: BiasHead, s: Softmax, symbol: int, gradient: int) -> None:
    i = np.int64(s.token_of_symbol[symbol])
    bias = head.bias[i] + scaled(gradient, head.squares, i, head.rate, _DAMPING)
    head.bias[i] = min(max(bias, -_LIMIT), _LIMIT)
    s.bias[i] = np.int32(head.bias[i] >> _TO_SCORE)
