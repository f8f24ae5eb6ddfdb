"""Which operations carry out a step: PyTorch's, on any device, or fused kernels, on GPUs."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from coder.messages import say_once
from predictors.language_models.exact.model_data import ModelData
from predictors.language_models.exact.shape import Shape
from predictors.language_models.exact_torch.attention import Batch
from predictors.language_models.exact_torch.cache import Cache, Slots, new_cache, new_slots
from predictors.language_models.exact_torch.forward import Results, forward
from predictors.language_models.exact_torch.network import Network
from predictors.language_models.exact_torch.replay import eager
from predictors.language_models.exact_torch.torch_module import torch

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


def passes_for(data: ModelData, network: Network) -> NewPasses:
    """The faster ones of those that are right on the network's device."""
    device = network.embedding.device
    if device.type != "cuda":
        return plain_passes
    try:
        problem = "" if fused_are_exact(data, network) else "they round otherwise"
    except Exception as error:
        # A compiler, a driver and a library, each with errors of its own.
        problem = str(error).strip().partition("\n")[0] or type(error).__name__
    if not problem:
        return fused_passes
    say_once(f"Triton's kernels can't be used on {device} ({problem}); others are, much slower")
    return plain_passes


# Of the trial: a window that is passed, with sinks, and batches of several positions and of one.
_WINDOW, _SINKS, _STREAMS = 48, 4, 2
_BATCHES = (40, 1, 40, 1)


def fused_are_exact(data: ModelData, network: Network) -> bool:
    """Do fused kernels return the bits of PyTorch's operations, with this network?"""
    found = [_trial(data, network, passes) for passes in (plain_passes, fused_passes)]
    return all(map(torch.equal, *found))


def _trial(data: ModelData, network: Network, new_passes: NewPasses) -> list[Any]:
    from predictors.language_models.exact_torch.evaluator import Evaluator

    shape, device = data.shape, network.embedding.device
    slots = new_slots(_SINKS, _WINDOW, max(_BATCHES))
    rows = _STREAMS * max(_BATCHES)
    cache = new_cache(shape, _STREAMS, slots.total, device)
    passes = new_passes(network, slots, rows)
    evaluator = Evaluator(data, passes, cache, slots, rows, eager, 1)
    size = (sum(_BATCHES), _STREAMS)
    tokens = np.random.default_rng(0).integers(0, shape.vocabulary, size).astype(np.int32)
    found = []
    position = 0
    for n in _BATCHES:
        evaluator.run(tokens[position : position + n], position)
        position += n
        # As bits: a number that is none equals itself, zeros have signs.
        found += [part.view(torch.int32).clone() for part in evaluator.results]
    return found
