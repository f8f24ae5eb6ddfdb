"""Fused kernels are tried before they are relied on: they must return the bits of PyTorch's."""

from typing import Any

import numpy as np

from coder.messages import say_once
from predictors.language_models.exact.model_data import ModelData
from predictors.language_models.exact_torch.cache import new_cache, new_slots
from predictors.language_models.exact_torch.evaluator import Evaluator
from predictors.language_models.exact_torch.network import Network
from predictors.language_models.exact_torch.passes import (
    NewPasses,
    fused_passes,
    plain_passes,
)
from predictors.language_models.exact_torch.replay import eager
from predictors.language_models.exact_torch.torch_module import torch


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
