"""Rotary position embeddings (RoPE; Su et al. 2021) by integer phases.

The angle of pair i at position p is the phase p * F_i mod 2**32, in 2**-32 turn, with an
integer F_i: so positions may grow for ever, and no position is ever re-based.
"""

import numpy as np

from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.rope_tables import PHASE_BITS

TABLE_BITS = 12
"""A table has 2**12 angles: two of them make 2**24 to a turn, in 128 KiB."""

TABLE_SIZE = 1 << TABLE_BITS

COARSE_BITS = TABLE_BITS
"""The coarse table's unit is 2**-12 turn: it goes once around."""

FINE_BITS = 2 * TABLE_BITS
"""The fine table's unit is 2**-24 turn: it divides a step of the coarse one."""

# Phases are rounded to the unit of the fine table.
_SHIFT = PHASE_BITS - FINE_BITS
_HALF = 1 << (_SHIFT - 1)
_TURN_MASK = (1 << FINE_BITS) - 1
_FINE_MASK = TABLE_SIZE - 1


@kernel
def rotation(position, frequencies, coarse_table, fine_table, cosines, sines):
    """Write the cosines and sines of a position.

    Args:
        position: int64 ≥ 0.
        frequencies: [pairs] int64, of `rope_frequencies`.
        coarse_table, fine_table: [4096, 2] float64, `cos_sin_table(COARSE_BITS, TABLE_SIZE)`
            and `cos_sin_table(FINE_BITS, TABLE_SIZE)`.
        cosines, sines: [pairs] float32, written.
    """
    for i in range(len(frequencies)):
        phase = ((position * frequencies[i] + _HALF) >> _SHIFT) & _TURN_MASK
        a = coarse_table[phase >> TABLE_BITS]
        b = fine_table[phase & _FINE_MASK]
        # Cosine and sine of a sum of two angles.
        cosines[i] = np.float32(a[0] * b[0] - a[1] * b[1])
        sines[i] = np.float32(a[1] * b[0] + a[0] * b[1])


@kernel
def rotate(head, cosines, sines, rotated):
    """Rotate the pairs (2 i, 2 i + 1) of a head; elements after the last pair stay.

    Args:
        head: [d] float32. rotated: [d] float32, written.
        cosines, sines: [pairs] float32, pairs ≤ d / 2.
    """
    for i in range(len(cosines)):
        a = head[2 * i]
        b = head[2 * i + 1]
        rotated[2 * i] = a * cosines[i] - b * sines[i]
        rotated[2 * i + 1] = a * sines[i] + b * cosines[i]
    for i in range(2 * len(cosines), len(head)):
        rotated[i] = head[i]
