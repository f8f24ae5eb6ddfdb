"""The coefficients of JPEG pictures: context mixing, block by block.

Of a block the interior coefficients first, then its first row and column, which its neighbors'
pixels let expect if the interior ones are known; DC last. That order, and many contexts, are those
of Lepton (Horn, Elkabany, Lesniewski-Laas and Winstein 2017); contexts are mixed as in the PAQ
series (Mahoney 2005 and later). The components of a row of MCUs are coded one after the other.

Contexts and rates were chosen for eight pictures of 20 to 140 KB: of four cameras, and photographs
saved by Pillow with qualities from 75 to 95.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder
from coder.kernels import inlined, njit
from predictors.binary import engine
from predictors.binary.engine import Tables
from predictors.jpeg import boundary, decision
from predictors.jpeg.block_state import (
    ABOVE,
    ABOVE_2,
    AT,
    CORNER,
    LEFT,
    LEFT_2,
    OTHER,
    RIGHT,
    BlockState,
    Learned,
    new_block_state,
    new_learned,
)
from predictors.jpeg.dc import code_dc
from predictors.jpeg.decision import EXPECTED_VALUES, KINDS, SELECTORS
from predictors.jpeg.edges import code_edge
from predictors.jpeg.interior import code_interior
from predictors.jpeg.layout import (
    ACROSS,
    DOWN,
    FIRST,
    HEIGHT,
    QUANTIZED_BY,
    WIDTH,
    Coefficients,
    Components,
)
from predictors.mixing import weight_sets

_SLOT_BITS = 19
"""2**19 slots of 80 bytes: 40 MiB."""

# Of both layers of mixers, and of the log-odds: see `engine.new_tables`.
_RATES_1, _RATES_2 = (150, 1800, 200), (60, 800, 200)
_FIRST_WEIGHT = 2500
_SETS = 1 << 11
"""Weight sets that a selector selects from: 32 decisions, 64 cases."""

_MOST_QUANTIZED = 1 << 12
"""Units of quantization are taken to be at most so large; those of usual pictures are below 256."""

Ints = npt.NDArray[np.int64]


class JpegModel:
    """Codes pictures; each learns from those before."""

    def __init__(self) -> None:
        t = engine.new_tables(
            KINDS, _SLOT_BITS, 1, 1, _RATES_1, _RATES_2, _FIRST_WEIGHT, False,
            [_FIRST_WEIGHT, 0] * EXPECTED_VALUES,
        )  # fmt: skip
        first = t.layer_1.weights[0, 0]
        average = np.full(SELECTORS, weight_sets.WEIGHT_ONE // SELECTORS)
        self._tables = t._replace(
            layer_1=weight_sets.new_layer(SELECTORS, _SETS, first, *_RATES_1),
            layer_2=weight_sets.new_layer(engine.SELECTORS_2, _SETS, average, *_RATES_2),
        )
        self._learned = new_learned()

    def code(
        self,
        coder: Coder,
        coefficients: Coefficients,
        components: Components,
        quantization: Ints,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Code a picture.

        Args:
            coefficients: read when encoding, written when decoding.
            components: see `layout`.
            quantization: [4, 64] int64, in rows of a block.
            on_progress: called with how many blocks are done.
        """
        state = new_block_state(components)
        units = np.minimum(np.maximum(quantization, 1), _MOST_QUANTIZED)
        done = 0
        for mcu_row in range(int(components[0, HEIGHT] // components[0, DOWN])):
            column = 0
            for i in range(len(components)):
                down, width = int(components[i, DOWN]), int(components[i, WIDTH])
                for row in range(mcu_row * down, (mcu_row + 1) * down):
                    coder_state, buffer = coder.kernel_state(width * decision.BLOCK_DECISIONS)
                    _code_row(
                        coder_state, buffer, self._tables, self._learned, state, coefficients,
                        components, units, i, row, column,
                    )  # fmt: skip
                    done += width
                    on_progress(done)
                column += width


@njit(cache=True, counted=False)
def _code_row(
    coder_state: Ints,
    buffer: npt.NDArray[np.uint8],
    t: Tables,
    learned: Learned,
    s: BlockState,
    coefficients: Coefficients,
    components: Components,
    units: Ints,
    i: int,
    row: int,
    column: int,
) -> None:
    """Code a row of blocks of component i; its first block has that column in `s.below`."""
    width = components[i, WIDTH]
    none = np.int64(len(coefficients) - 1)
    first = components[i, FIRST] + row * width
    quantized = units[components[i, QUANTIZED_BY]]
    near = s.near
    s.color[0] = min(i, 1)
    for x in range(width):
        at = first + x
        near[AT] = at
        near[ABOVE] = at - width if row else none
        near[LEFT] = at - 1 if x else none
        near[CORNER] = at - width - 1 if row and x else none
        near[RIGHT] = at - width + 1 if row and x + 1 < width else none
        near[ABOVE_2] = at - 2 * width if row > 1 else none
        near[LEFT_2] = at - 2 if x > 1 else none
        near[OTHER] = _same_place(components, i, row, x) if i else none
        _begin_border(s, column + x, row > 0, x > 0)
        n = code_interior(coder_state, buffer, t, learned, s, coefficients, quantized)
        for side in range(2):
            code_edge(coder_state, buffer, t, learned, s, coefficients, quantized, n, side)
        code_dc(
            coder_state, buffer, t, learned, s, coefficients, quantized, n, row > 0, x > 0
        )  # fmt: skip
        boundary.last_rows(coefficients[at], quantized, s.below[column + x], s.right)


@inlined
def _same_place(c: Components, i: int, row: int, x: int) -> Any:
    """The block of the component before at the same place."""
    y = np.int64(row) * c[i - 1, DOWN] // c[i, DOWN]
    x = np.int64(x) * c[i - 1, ACROSS] // c[i, ACROSS]
    return c[i - 1, FIRST] + y * c[i - 1, WIDTH] + x


@inlined
def _begin_border(s: BlockState, column: int, has_above: bool, has_left: bool) -> None:
    """Of a block of which nothing is known."""
    b = s.border
    for k in range(8):
        for side in range(2):
            b.first[side, k] = 0
            b.second[side, k] = 0
        b.last[boundary.ABOVE, k] = s.below[column, 0, k] if has_above else 0
        b.before_last[boundary.ABOVE, k] = s.below[column, 1, k] if has_above else 0
        b.last[boundary.LEFT, k] = s.right[0, k] if has_left else 0
        b.before_last[boundary.LEFT, k] = s.right[1, k] if has_left else 0
