"""What carries out a batch: PyTorch's operations, on any device, or fused kernels, on GPUs."""

from collections.abc import Callable
from functools import partial

from predictors.language_models.exact.shape import Shape
from predictors.language_models.exact_torch.attention import Batch
from predictors.language_models.exact_torch.cache import Cache, Slots
from predictors.language_models.exact_torch.forward import Results, forward
from predictors.language_models.exact_torch.network import Network

Forward = Callable[[Batch, Cache], Results]

Passes = Callable[[int, int, int], Forward]
"""The forward pass of batches of n positions, of so many rows in all, over so many first slots."""

NewPasses = Callable[[Network, Slots, int], Passes]
"""Of a network, slots, rows at most."""

# The attention of so many streams is computed at once that its numbers take this many bytes.
_ATTENTION_BYTES = 1 << 28

# float32 or int32 of a query head and slot that are there at once, in `attention.py`.
_NUMBERS_PER_SCORE = 10

_FLOAT_BYTES = 4


def streams_together(shape: Shape, n: int, slots: int) -> int:
    """Streams of which the attention of n positions over so many slots is computed at once."""
    numbers = slots * (2 * shape.kv_heads * shape.head_size + _NUMBERS_PER_SCORE * n * shape.heads)
    return max(1, _ATTENTION_BYTES // (_FLOAT_BYTES * numbers))


def plain_passes(network: Network, slots: Slots, rows: int) -> Passes:
    """Of PyTorch's operations."""

    def of_batch(n: int, of_rows: int, looked_at: int) -> Forward:
        together = streams_together(network.shape, n, looked_at)
        return partial(forward, network, sink_slots=slots.sink_slots, together=together)

    return of_batch


def fused_passes(network: Network, slots: Slots, rows: int) -> Passes:
    """Of fused kernels; raises ImportError without Triton."""
    from predictors.language_models.exact_torch.fused.forward import fused_forward, new_workspace

    workspace = new_workspace(network, rows, slots.total)

    def of_batch(n: int, of_rows: int, looked_at: int) -> Forward:
        return fused_forward(network, workspace, of_rows, slots.sink_slots)

    return of_batch
