"""How much memory of a device streams take, and how many fit."""

from typing import Any

import psutil

from predictors.base import ModelError
from predictors.language_models.exact.shape import Shape
from predictors.language_models.exact_torch.cache import new_slots
from predictors.language_models.exact_torch.device import CPU
from predictors.language_models.exact_torch.torch_module import torch

_SCALE_BYTES = 4
_LOGIT_BYTES = 4

# Left for the libraries, the attention's numbers and recorded steps.
_RESERVE_BYTES = 3 << 29

# Of a row, besides its logits: sums of the output matrix as two limbs and as one.
_SUMS_PER_LOGIT = 3


class DeviceMemoryError(ModelError):
    """A device has too little memory for what was asked; another one, or the CPU, may have more."""


def stream_bytes(shape: Shape, window: int, sinks: int, ahead: int = 1) -> int:
    """Bytes of the cache of one stream; see `new_slots` for the arguments."""
    slots = new_slots(sinks, window, ahead).total
    per_slot = 2 * (shape.head_size + _SCALE_BYTES)
    return shape.layers * shape.kv_heads * slots * per_slot


def row_bytes(shape: Shape) -> int:
    """Bytes that one row of a batch takes at its largest: the logits, and what they are made of."""
    return (1 + _SUMS_PER_LOGIT) * _LOGIT_BYTES * shape.vocabulary


def streams_that_fit(shape: Shape, window: int, sinks: int, free: int) -> int:
    """How many streams fit into so many free bytes, the weights being there; at least 1."""
    each = stream_bytes(shape, window, sinks) + row_bytes(shape)
    return max(1, (free - _RESERVE_BYTES) // each)


def free_bytes(device: Any) -> int:
    """Free memory of a device, in bytes."""
    if device.type == CPU:
        return int(psutil.virtual_memory().available)
    free, _ = torch.cuda.mem_get_info(device)
    return int(free)


def too_little(device: Any, what: str) -> DeviceMemoryError:
    """What to say where memory ran out, for "the weights of the model" or "64 streams ..."."""
    return DeviceMemoryError(
        f"{device} has too little free memory for {what}; use fewer streams, a shorter --window, "
        "another GPU, or --device cpu"
    )
