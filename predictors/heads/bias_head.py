"""Bias head: one bias per symbol, learned online by gradient descent.

The gradient of the code length in nats by the bias of symbol i is
p_i - [i is the coded symbol]; each step moves the biases against it, with
Adagrad's rates. The idea is the reference's "adaptive head" (Nacrith, 2026), in
log space and much faster: rates matter more than the method.

Only candidates are corrected, and only they and the coded symbol learn.
"""

from collections import namedtuple

import numpy as np

from coder.fixed_point import LOG2_E, SCORE_FRACTION_BITS
from coder.kernels import inlined
from predictors.heads.adagrad import GRADIENT_BITS, RATE_UNIT, scaled
from predictors.heads.candidates import Candidates, count_of, descent, has

_DAMPING = 0.3
"""What Adagrad's sum of squared gradients starts with."""

_NEGLIGIBLE = 1 << (GRADIENT_BITS - 13)
"""Symbols below p = 2**-13 stay as they are: their gradients add up to nothing."""

# Biases are in 2**-30 bit, within ± 1024 bits: the sum with a score stays in int32.
_TO_SCORE = GRADIENT_BITS - SCORE_FRACTION_BITS
_LIMIT = np.int64(1) << np.int64(GRADIENT_BITS + 10)

BiasHead = namedtuple("BiasHead", "bias squares rate")
BiasHead.__doc__ = """Biases of the symbols.

bias: [A] int64 in 2**-30 bit. squares: [A] float64, of `scaled`. rate: float64, in bits.
Both are empty if the head is off.
"""


def new_bias_head(n_symbols: int, rate: int) -> BiasHead:
    """Untrained.

    Args:
        n_symbols: size of the alphabet.
        rate: learning rate in thousandths: of a nat, for the first few gradients; 0 = off.
    """
    n = n_symbols if rate else 0
    return BiasHead(np.zeros(n, dtype=np.int64), np.zeros(n), rate / RATE_UNIT * LOG2_E)


@inlined
def predict(head: BiasHead, c: Candidates) -> None:
    """Add the biases to the changes of the candidates."""
    if len(head.bias) == 0:
        return
    for k in range(count_of(c)):
        c.changes[k] += np.int32(head.bias[c.symbols[k]] >> _TO_SCORE)


@inlined
def update(head: BiasHead, c: Candidates, symbol: int) -> None:
    """Move the biases of the candidates towards the coded symbol."""
    if len(head.bias) == 0:
        return
    for k in range(count_of(c)):
        gradient = descent(c, k, symbol)
        if abs(gradient) >= _NEGLIGIBLE:
            _learn(head, np.int64(c.symbols[k]), gradient)
    if not has(c, symbol):
        _learn(head, symbol, np.int64(1) << GRADIENT_BITS)


@inlined
def _learn(head: BiasHead, i: int, gradient: int) -> None:
    bias = head.bias[i] + scaled(gradient, head.squares, i, head.rate, _DAMPING)
    head.bias[i] = min(max(bias, -_LIMIT), _LIMIT)
