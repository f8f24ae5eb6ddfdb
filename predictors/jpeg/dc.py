"""The DC coefficient of a block, which is coded last: its difference to what borders expect."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined, njit
from predictors.binary.engine import Tables
from predictors.jpeg import boundary
from predictors.jpeg.block_state import (
    ABOVE,
    AT,
    COLUMN_COUNT,
    CORNER,
    LEFT,
    OTHER,
    RIGHT,
    ROW_COUNT,
    BlockState,
    Learned,
    learn,
    predict,
)
from predictors.jpeg.boundary import FIRST_FACTOR
from predictors.jpeg.decision import (
    COUNT,
    EXPECTED,
    EXPECTED_VALUES,
    KINDS,
    NEAR,
    OTHERS,
    POSITION,
    SHAPE,
    code_value,
)
from predictors.jpeg.layout import MOST, Coefficients
from predictors.jpeg.quantizing import few, level, rounded, signed
from predictors.mixing.hashing import combine

_MOST_EXPECTED, _MOST_ERROR = 1 << 20, 1 << 24
"""Of DC in 1/8, and along a border: only made-up pictures reach them, whose products overflow."""

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@inlined
def _kept(expected: int) -> Any:
    """What is expected, within limits."""
    return min(max(expected, -np.int64(_MOST_EXPECTED)), np.int64(_MOST_EXPECTED))


@njit(cache=True, counted=False)
def code_dc(
    coder_state: Ints,
    buffer: Bytes,
    t: Tables,
    learned: Learned,
    s: BlockState,
    c: Coefficients,
    quantized: Ints,
    interior: int,
    has_above: bool,
    has_left: bool,
) -> None:
    """Code the DC coefficient of a block.

    Args:
        interior: how many interior coefficients are not 0.
        has_above, has_left: are there these blocks?
    """
    h, n, near, border, color = t.hashes, t.numbers, s.near, s.border, s.color[0]
    at, above, left = near[AT], near[ABOVE], near[LEFT]
    unit = quantized[0] * FIRST_FACTOR
    # In 1/8.
    ea = rounded(8 * boundary.expected(border, boundary.ABOVE, 0), unit)
    el = rounded(8 * boundary.expected(border, boundary.LEFT, 0), unit)
    fa = rounded(8 * boundary.expected_flat(border, boundary.ABOVE, 0), unit)
    fl = rounded(8 * boundary.expected_flat(border, boundary.LEFT, 0), unit)
    ea, el, fa, fl = _kept(ea), _kept(el), _kept(fa), _kept(fl)
    # How wrong a border was along it says how wrong it may be here.
    wa = min(s.errors[boundary.ABOVE] + 8, np.int64(_MOST_ERROR))
    wl = min(s.errors[boundary.LEFT] + 8, np.int64(_MOST_ERROR))
    if has_above and has_left:
        best = rounded(ea * wl + el * wa, wa + wl)
    elif has_above:
        best = ea
        el, fl = ea, fa
    elif has_left:
        best = el
        ea, fa = el, fl
    else:
        best = ea = el = fa = fl = np.int64(0)
    best = min(max(best, -np.int64(8 * MOST)), np.int64(8 * MOST))
    base = (best + 4) >> 3
    fine = best - 8 * base
    error = level((wa + wl) // (4 * quantized[0]))
    ra, rl, ro = s.residuals[above], s.residuals[left], s.residuals[near[OTHER]]
    rc, rr = s.residuals[near[CORNER]], s.residuals[near[RIGHT]]
    pa = np.int64(c[above, 0]) - base if has_above else np.int64(0)
    pl = np.int64(c[left, 0]) - base if has_left else np.int64(0)
    pc = np.int64(c[near[CORNER], 0]) - base if has_above and has_left else np.int64(0)
    spread = level(abs(fa - best) + abs(fl - best) + abs(ea - best) + abs(el - best))
    lately = level(abs(ra) + abs(rl))

    inputs = learned.dcs.sums.inputs
    inputs[0], inputs[1] = pa, pl
    for k in range(1, 8):
        inputs[1 + k] = c[above, 8 * k]
        inputs[8 + k] = c[left, k]
        inputs[15 + k] = c[at, 8 * k]
        inputs[22 + k] = c[at, k]
    inputs[30], inputs[31], inputs[32] = pc, np.float64(fine) / 8.0, ro
    guess = predict(learned.dcs, color)

    for k in range(KINDS):
        h[k] = 0
    h[0] = level(wa // (8 * quantized[0])) | level(wl // (8 * quantized[0])) << 6
    h[1] = error | (fine + 4) << 6
    h[2] = signed((ea - best) >> 1, 30) | error << 6
    h[3] = signed((el - best) >> 1, 30) | error << 6
    h[4] = signed(ra, 7) | signed(rl, 7) << 4 | level(interior) << 8
    h[5] = signed(ra, 20) | error << 6
    h[6] = signed(rl, 20) | error << 6
    h[7] = signed(pa, 20) | signed(pl, 20) << 6
    h[8] = signed(pa + pl - pc, 40) | error << 7
    h[9] = spread | error << 6
    h[10] = signed(ro, 20) | error << 6
    h[11] = signed((ea - best) >> 1, 15) | signed((el - best) >> 1, 15) << 5 | (fine + 4) << 10
    h[12] = signed((fa - best) >> 1, 15) | signed((fl - best) >> 1, 15) << 5
    h[13] = level(interior) | error << 6
    h[14] = spread | lately << 6
    h[15] = level(abs(ra) + abs(rl) + abs(rc) + abs(rr)) | error << 6
    h[16] = signed(guess >> 1, 30) | error << 6
    h[17] = error | spread << 6 | (fine + 4) << 12
    h[18] = signed((fa - ea) >> 1, 15) | signed((fl - el) >> 1, 15) << 5
    h[19] = signed((ea - el) >> 2, 31) | lately << 6
    h[20] = level(abs(ro)) | spread << 6
    h[21] = np.int64(s.counts[at, ROW_COUNT]) | np.int64(s.counts[at, COLUMN_COUNT]) << 3
    h[21] |= interior << 6
    h[22] = signed(guess, 100) | spread << 8
    h[23] = signed(guess, 100)
    h[24] = signed(guess >> 1, 30) | signed(ra, 3) << 6 | signed(rl, 3) << 9
    h[25] = signed(guess >> 1, 30) | signed(ro, 7) << 6
    h[26] = signed(guess >> 1, 30) | lately << 6
    for k in range(KINDS):
        h[k] = combine(h[k] << 1 | color, 600 + k)
    t.map_contexts[0] = combine(error | (fine + 4) << 6, 700 + color)
    t.map_contexts[1] = combine(signed(guess, 60), 702 + color)
    t.map_contexts[2] = combine(spread, 704 + color)
    n[POSITION] = 36 + color
    n[COUNT] = few(error, 31) | color << 5
    n[NEAR] = few(spread, 31) | color << 5
    n[EXPECTED] = signed(guess >> 1, 31)
    n[OTHERS] = few(lately, 63)
    n[SHAPE] = signed((ea - el) >> 2, 31)

    e = learned.expected
    for k in range(EXPECTED_VALUES):
        e.is_signed[k] = 1
        e.values[k] = guess
        e.contexts[k] = 2048 + (k << 7) + color
    e.values[0] = ea - 8 * base
    e.values[1] = el - 8 * base
    e.values[2] = fine
    e.contexts[2] += error << 1
    e.contexts[3] += error << 1
    e.contexts[4] += spread << 1
    e.contexts[5] += lately << 1
    residual = code_value(coder_state, buffer, t, e, np.int64(c[at, 0]) - base)
    value = min(max(base + residual, -MOST), MOST)
    c[at, 0] = value
    s.residuals[at] = value - base
    learn(learned.dcs, color, value - base)
