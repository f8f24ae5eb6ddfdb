"""What rotary positions (RoPE; Su et al. 2021) are computed from: frequencies and angles.

No function of a library is called whose last bits may differ: integers of any size and
decimal fractions are the same on every machine.
"""

from decimal import Decimal, localcontext

import numpy as np
import numpy.typing as npt

PHASE_BITS = 32
"""Phases are in units of 2**-32 turn: one frequency per pair of a head's elements."""

FIXED_BITS = 120
"""Sines, cosines and 2 pi are computed in units of 2**-120."""

# Digits beyond the units above, against the roundings of the series of pi.
_GUARD_BITS = 20
# Of the fixed point; what is rounded away holds the error of the tables' recurrence.
_ROUNDED_BITS = 20
_DECIMAL_DIGITS = 50


def two_pi() -> int:
    """2 pi in units of 2**-120, by Machin's formula: pi = 16 atan(1/5) - 4 atan(1/239)."""
    one = 1 << (FIXED_BITS + _GUARD_BITS)

    def arctan_of_inverse(n: int) -> int:
        power = total = one // n
        k, sign = 3, -1
        while power:
            power //= n * n
            total += sign * (power // k)
            k, sign = k + 2, -sign
        return total

    return 8 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239)) >> _GUARD_BITS


def cos_sin_table(bits: int, count: int) -> npt.NDArray[np.float64]:
    """[count, 2] float64: cosine and sine of j / 2**bits turn, for j = 0 .. count - 1.

    From 120-bit fixed point, rounded to a multiple of 2**-100 (so that the zeros at the
    quarters are zeros) and then to float64.
    """
    one = 1 << FIXED_BITS
    half = 1 << (_ROUNDED_BITS - 1)
    cosine, sine = _cos_sin(two_pi() >> bits)
    table = np.empty((count, 2))
    c, s = one, 0
    for j in range(count):
        table[j] = [((x + half) >> _ROUNDED_BITS) / (one >> _ROUNDED_BITS) for x in (c, s)]
        # The angle grows by that of one entry.
        c, s = (c * cosine - s * sine) >> FIXED_BITS, (c * sine + s * cosine) >> FIXED_BITS
    return table


def _cos_sin(angle: int) -> tuple[int, int]:
    """Cosine and sine of an angle in radians by Taylor's series, all in 2**-120."""
    cosine, sine, term, k = 0, 0, 1 << FIXED_BITS, 0
    while term:
        parts = (term, 0), (0, term), (-term, 0), (0, -term)
        cosine, sine = cosine + parts[k % 4][0], sine + parts[k % 4][1]
        k += 1
        term = (term * angle >> FIXED_BITS) // k
    return cosine, sine


def rope_frequencies(
    base: float, pairs: int, factors: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.int64]:
    """The phase of each pair at position 1, in 2**-32 turn.

    Args:
        base: 10,000 in the paper; models for long contexts have more.
        pairs: of a head's elements, those that are rotated.
        factors: [pairs], by which frequencies are divided (Llama 3.1); None = all 1.

    Returns:
        [pairs] int64: F_i = rint(2**32 / (2 pi) * base**(-i / pairs) / factor_i).
    """
    with localcontext() as context:
        context.prec = _DECIMAL_DIGITS
        log = Decimal(base).ln()
        turn = Decimal(two_pi()) / (1 << FIXED_BITS)
        found = []
        for i in range(pairs):
            angle = (-log * i / pairs).exp()
            if factors is not None:
                angle /= Decimal(float(factors[i]))
            found.append(int((angle * (1 << PHASE_BITS) / turn).to_integral_value()))
    return np.array(found, dtype=np.int64)
