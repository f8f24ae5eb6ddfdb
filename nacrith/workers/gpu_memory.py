"""How many streams fit into a GPU's memory."""

from predictors.language_models.exact.cache import BLOCK
from predictors.language_models.exact.shape import Shape

_OF_CUDA = 600 << 20
"""Bytes that CUDA and PyTorch take before there is a model. An estimate, not measured here."""

_SCORES = 4
"""Arrays of a number of 32 bits for each head and slot that attention has at a time."""

_ROWS = 16
"""Rows as wide as the gated layer that a step has at a time, of 32 bits."""


def streams_that_fit(free: int, shape: Shape, window: int) -> int:
    """Streams of the exact model for which so many free bytes are enough."""
    return max(0, (free - _OF_CUDA - _weights(shape)) // bytes_per_stream(shape, window))


def bytes_per_stream(shape: Shape, window: int) -> int:
    """Bytes that a stream takes: its cache, and what a step of it needs.

    The cache has bytes of keys and values and two float32 scales for each position, KV head and
    layer, and a block more than the window (docs/numerics.md, section 6).
    """
    slots = window + 2 * BLOCK
    cache = shape.layers * shape.kv_heads * slots * (2 * shape.head_size + 8)
    step = shape.vocabulary + _SCORES * shape.heads * slots + _ROWS * shape.ffn_size
    return int(cache + 4 * step)


def _weights(shape: Shape) -> int:
    """Bytes of the weights, one each: of a layer those of attention and of the gated layer."""
    attention = 2 * shape.width * (shape.heads + shape.kv_heads) * shape.head_size
    gated = 3 * shape.width * shape.ffn_size
    return int(shape.layers * (attention + gated) + shape.vocabulary * shape.width)
