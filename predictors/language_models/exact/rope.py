"""Rotary position embeddings (RoPE; Su et al. 2021) by integer phases.

The angle of frequency i at position p is p * F_i mod 2**32, in 2**-32 turn, with an
integer F_i: so positions may grow for ever, and no position is ever re-based.
"""

from decimal import Decimal, localcontext

import numpy as np

from coder.kernels import njit

PHASE_BITS = 32
_TABLE_BITS = 12
_FIXED = 120


def _two_pi() -> int:
    """2 pi in units of 2**-120, by Machin's formula."""
    bits = _FIXED + 20

    def arctan_of_inverse(n: int) -> int:
        power = total = (1 << bits) // n
        k, sign = 3, -1
        while power:
            power //= n * n
            total += sign * (power // k)
            k, sign = k + 2, -sign
        return total

    return 8 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> 20


def turns(bits: int, count: int) -> np.ndarray:
    """[count, 2] float64: cosine and sine of j / 2**bits turn, for j = 0 .. count - 1.

    From 120-bit fixed point, rounded to a multiple of 2**-100 (so that the zeros at the
    quarters are zeros) and then to float64.
    """
    angle = _two_pi() >> bits
    one = 1 << _FIXED
    half = 1 << 19
    cosine, sine, term, k = 0, 0, one, 0
    while term:
        parts = (term, 0), (0, term), (-term, 0), (0, -term)
        cosine, sine = cosine + parts[k % 4][0], sine + parts[k % 4][1]
        k += 1
        term = (term * angle >> _FIXED) // k
    table = np.empty((count, 2))
    c, s = one, 0
    for j in range(count):
        table[j] = [((x + half) >> 20) / (one >> 20) for x in (c, s)]
        c, s = (c * cosine - s * sine) >> _FIXED, (c * sine + s * cosine) >> _FIXED
    return table


def frequencies(base: float, pairs: int, factors: np.ndarray | None = None) -> np.ndarray:
    """[pairs] int64: F_i = rint(2**32 / (2 pi) * base**(-i / pairs) / factor_i)."""
    with localcontext() as context:
        context.prec = 50
        log = Decimal(base).ln()
        turn = Decimal(_two_pi()) / (1 << _FIXED)
        found = []
        for i in range(pairs):
            angle = (-log * i / pairs).exp()
            if factors is not None:
                angle /= Decimal(float(factors[i]))
            found.append(int((angle * (1 << PHASE_BITS) / turn).to_integral_value()))
    return np.array(found, dtype=np.int64)


@njit(nogil=True, cache=True, error_model="numpy")
def rotation(position, steps, coarse, fine, cosines, sines):
    """Write the cosines and sines of a position, [pairs] float32.

    Args:
        position: int64 ≥ 0.
        steps: `frequencies`.
        coarse, fine: `turns(12, 4096)`, `turns(24, 4096)`.
    """
    for i in range(len(steps)):
        phase = ((position * steps[i] + 128) >> 8) & 0xFFFFFF
        a = coarse[phase >> _TABLE_BITS]
        b = fine[phase & 4095]
        cosines[i] = np.float32(a[0] * b[0] - a[1] * b[1])
        sines[i] = np.float32(a[1] * b[0] + a[0] * b[1])


@njit(nogil=True, cache=True, error_model="numpy")
def rotate(head, cosines, sines, rotated):
    """Rotate the pairs (2 i, 2 i + 1) of a head, [d] float32."""
    for i in range(len(cosines)):
        a = head[2 * i]
        b = head[2 * i + 1]
        rotated[2 * i] = a * cosines[i] - b * sines[i]
        rotated[2 * i + 1] = a * sines[i] + b * cosines[i]
    for i in range(2 * len(cosines), len(head)):
        rotated[i] = head[i]
