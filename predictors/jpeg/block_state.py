"""What the coding of a block knows: the blocks around it, and what was learned of others."""

from collections import namedtuple
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.binary import least_squares
from predictors.jpeg import boundary, expectations
from predictors.jpeg.decision import EXPECTED_VALUES
from predictors.jpeg.layout import WIDTH, Components, count_blocks

# Blocks around one, in `BlockState.near`: itself, above, to the left, above left, above right, two
# above, two to the left, that of the component before. The last block of all is for what is none.
AT, ABOVE, LEFT, CORNER, RIGHT, ABOVE_2, LEFT_2, OTHER = range(8)

# Columns of `BlockState.counts`, of coefficients that are not 0.
INTERIOR_COUNT, ROW_COUNT, COLUMN_COUNT = range(3)

EDGE_INPUTS, EDGE_FEW_INPUTS, DC_INPUTS, SIZE_INPUTS, VALUE_INPUTS = 20, 12, 33, 14, 13

_FORGET = 0.999
_SOLVE_EVERY = 8
"""Values of a channel between two solutions."""

Learned = namedtuple("Learned", "expected edges edges_few dcs sizes values")
Learned.__doc__ = """What goes on from picture to picture, beside the engine's `Tables`.

expected: `Expectations`. Predictors of least squares, each with how many values its channels have
seen, `Predictor`: edges and edges_few of the first row and column, from the coefficients of both
blocks and from rows of pixels; dcs; sizes and values of interior coefficients.
"""

Predictor = namedtuple("Predictor", "sums seen")
Predictor.__doc__ = """sums: see `least_squares`. seen: [channels] int64."""


def _predictor(channels: int, inputs: int) -> Predictor:
    sums = least_squares.new_sums(channels, inputs, _FORGET)
    return Predictor(sums, np.zeros(channels, dtype=np.int64))


def new_learned() -> Learned:
    """Of nothing."""
    return Learned(
        expected=expectations.new_expectations(EXPECTED_VALUES),
        edges=_predictor(32, EDGE_INPUTS),
        edges_few=_predictor(32, EDGE_FEW_INPUTS),
        dcs=_predictor(2, DC_INPUTS),
        sizes=_predictor(128, SIZE_INPUTS),
        values=_predictor(128, VALUE_INPUTS),
    )


BlockState = namedtuple("BlockState", "counts below right border errors residuals near color")
BlockState.__doc__ = """What is kept of a picture's blocks, and of the present one.

counts: [blocks + 1, 3] uint8. below: [columns of blocks of all components, 2, 8] int64, the last
rows of pixels of the blocks above. right: [2, 8] int64, the last columns of the block on the left.
border: see `boundary`. errors: [2] int64, how wrong its expectations were along either border.
residuals: [blocks + 1] int64, of DC. near: [8] int64, see above. color: [1] int64, 0 = the first
component, 1 = another.
"""


def new_block_state(components: Components) -> BlockState:
    """Of a picture that begins."""
    blocks = count_blocks(components)
    return BlockState(
        counts=np.zeros((blocks + 1, 3), dtype=np.uint8),
        below=np.zeros((int(components[:, WIDTH].sum()), 2, 8), dtype=np.int64),
        right=np.zeros((2, 8), dtype=np.int64),
        border=boundary.new_border(),
        errors=np.zeros(2, dtype=np.int64),
        residuals=np.zeros(blocks + 1, dtype=np.int64),
        near=np.zeros(8, dtype=np.int64),
        color=np.zeros(1, dtype=np.int64),
    )


@inlined
def predict(p: Predictor, channel: int) -> Any:
    """What is expected after the inputs, in 1/8, rounded, from -16,384 to 16,384; int64."""
    total = least_squares.expected(p.sums, channel) * 8.0 + 0.5
    if total <= -16384.0:
        return np.int64(-16384)
    # What is no number becomes 0.
    if not total < 16384.0:
        return np.int64(16384) if total > 0.0 else np.int64(0)
    return np.int64(np.floor(total))


@inlined
def learn(p: Predictor, channel: int, value: int) -> None:
    """Learn what followed the inputs."""
    least_squares.learn(p.sums, channel, np.float64(value))
    p.seen[channel] += 1
    if p.seen[channel] % _SOLVE_EVERY == 0:
        least_squares.solve(p.sums, channel)


@inlined
def size_of(coefficients: npt.NDArray[np.int16], block: int, place: int) -> Any:
    """The magnitude of a coefficient; int64."""
    return abs(np.int64(coefficients[block, place]))


@inlined
def sizes_beside(coefficients: npt.NDArray[np.int16], block: int, place: int) -> Any:
    """Those of the four beside an interior one, together; int64."""
    total = size_of(coefficients, block, place - 8) + size_of(coefficients, block, place - 1)
    if place < 56:
        total += size_of(coefficients, block, place + 8)
    if place & 7 < 7:
        total += size_of(coefficients, block, place + 1)
    return total
