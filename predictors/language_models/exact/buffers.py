"""What a batch of rows is computed in."""

from collections import namedtuple

import numpy as np

from predictors.base import FloatArray
from predictors.language_models.exact.outliers import packed_bytes
from predictors.language_models.exact.panels import TILE_COLUMNS
from predictors.language_models.exact.phases import new_counters
from predictors.language_models.exact.product import MOST_ROWS
from predictors.language_models.exact.shape import Shape

Buffers = namedtuple(
    "Buffers",
    "tokens streams positions cos_sin x normed packed units projected attended gated logits hidden"
    " sums integers counters ahead failed",
)
Buffers.__doc__ = """What a batch of M rows is computed in; T threads, K elements of the widest row.

tokens, streams, positions: [M] int64. cos_sin: [M, 2, 2, pairs] float32: for the position,
and for the position as the sinks see it, cosines and sines.
x: [M, E] float32, the residual stream. normed: [M, E] float32. packed: [M, `packed_bytes`] uint8.
units: [M] float32, what an integer of the packed row is worth.
projected: [M, ≥ (heads + 2 kv_heads) d] float32: queries, keys, values.
attended: [M, heads * d] float32. gated: [M, ffn_size] float32.
logits: [M, V] float32. hidden: [M, E] float32.
sums: [T, 8, 32] int32, of a tile. integers: [T, K] int32. counters: of `new_counters`.
ahead: [T, 8] int64, of which two say what a thread is to fetch while it waits (`phases.items`).
failed: [1] int64, 1 if a value was not finite.
"""


def new_buffers(shape: Shape, streams: int, ahead: int, threads: int, phases: int) -> Buffers:
    """Buffers for `ahead` positions of each stream: row i is of stream i mod `streams`."""
    rows = streams * ahead
    attended = shape.heads * shape.head_size
    widest = max(shape.width, shape.ffn_size, attended)

    def floats(*lengths: int) -> FloatArray:
        return np.zeros(lengths, dtype=np.float32)

    return Buffers(
        tokens=np.zeros(rows, dtype=np.int64),
        streams=np.tile(np.arange(streams), ahead),
        positions=np.zeros(rows, dtype=np.int64),
        cos_sin=floats(rows, 2, 2, shape.rope_pairs),
        x=floats(rows, shape.width),
        normed=floats(rows, shape.width),
        packed=np.zeros((rows, packed_bytes(widest)), dtype=np.uint8),
        units=floats(rows),
        projected=floats(rows, attended + 2 * shape.kv_heads * shape.head_size),
        attended=floats(rows, attended),
        gated=floats(rows, shape.ffn_size),
        logits=floats(rows, shape.vocabulary),
        hidden=floats(rows, shape.width),
        sums=np.zeros((threads, MOST_ROWS, TILE_COLUMNS), dtype=np.int32),
        integers=np.zeros((threads, widest), dtype=np.int32),
        counters=new_counters(phases, threads),
        ahead=np.zeros((threads, 8), dtype=np.int64),
        failed=np.zeros(1, dtype=np.int64),
    )
