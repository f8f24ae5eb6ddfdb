"""A model's weights on a device, from what the exact backend keeps of it."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predictors.base import UnsupportedModelError
from predictors.language_models.exact.linear import Linear as Panels
from predictors.language_models.exact.model_data import ModelData
from predictors.language_models.exact.shape import Shape
from predictors.language_models.exact.weights import interleaved
from predictors.language_models.exact_torch.attention import MAX_HEAD_SIZE
from predictors.language_models.exact_torch.constants import Constants, new_constants
from predictors.language_models.exact_torch.linear import Linear
from predictors.language_models.exact_torch.product import Product, int8_is_exact
from predictors.language_models.exact_torch.torch_module import torch


class Layer(NamedTuple):
    """One layer; norms are [E] float32."""

    attention_norm: Any
    qkv: Linear
    output: Linear
    ffn_norm: Any
    gate_up: Linear
    down: Linear


class Network(NamedTuple):
    """A model on a device.

    Attributes:
        embedding: [V, E] int8. embedding_scale: [V] float32.
        output_norm: [E] float32.
    """

    shape: Shape
    constants: Constants
    embedding: Any
    embedding_scale: Any
    layers: tuple[Layer, ...]
    output_norm: Any
    head: Linear


def network_on(
    data: ModelData, device: Any, by_bytes: bool, uses_int8: bool | None = None
) -> Network:
    """Put a model on a device.

    Args:
        by_bytes: see `Linear`.
        uses_int8: the route of its products; None = the one that is right and fast there.

    Raises:
        UnsupportedModelError: its heads are too large.
        ModelError: see `int8_is_exact`.
        torch.OutOfMemoryError
    """
    shape, w = data.shape, data.weights
    if shape.head_size > MAX_HEAD_SIZE:
        raise UnsupportedModelError(
            f"heads of {shape.head_size} elements are too large for the backend exact-torch; use "
            "--backend exact"
        )
    if uses_int8 is None:
        uses_int8 = int8_is_exact(device)
    attended = shape.heads * shape.head_size
    projected = attended + 2 * shape.kv_heads * shape.head_size

    def there(array: npt.NDArray[Any]) -> Any:
        # A copy: what is mapped from a file can't be written to, which PyTorch complains about.
        return torch.from_numpy(np.array(array)).to(device)

    def linear(panels: Panels, layer: int, order: npt.NDArray[np.int64]) -> Linear:
        integers, scale = rows_of(panels, layer, order)
        product, bits = Product(there(integers), uses_int8), int(panels.bits[layer])
        return Linear(product, there(scale), bits, by_bytes)

    gates = _places(interleaved(shape.ffn_size), 2 * shape.ffn_size)
    layers = tuple(
        Layer(
            attention_norm=there(w.attention_norm[i]),
            qkv=linear(w.qkv, i, np.arange(projected)),
            output=linear(w.output, i, np.arange(shape.width)),
            ffn_norm=there(w.ffn_norm[i]),
            gate_up=linear(w.gate_up, i, gates),
            down=linear(w.down, i, np.arange(shape.width)),
        )
        for i in range(shape.layers)
    )
    return Network(
        shape=shape,
        constants=new_constants(shape, float(w.epsilon), device),
        embedding=there(w.embedding),
        embedding_scale=there(w.embedding_scale),
        layers=layers,
        output_norm=there(w.output_norm),
        head=linear(w.head, 0, np.arange(shape.vocabulary)),
    )


def rows_of(
    panels: Panels, layer: int, order: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Rows of a layer's panels in an order: [n, k] int8, and their scales, [n] float32."""
    quads = panels.panels[layer]
    rows = quads.transpose(0, 2, 1, 3).reshape(-1, quads.shape[1] * quads.shape[3])
    return rows[order], panels.scale[layer][order]


def _places(order: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Where the numbers below n are in an order that has each once, and larger ones."""
    places = np.empty(n, dtype=np.int64)
    at = np.nonzero(order < n)[0]
    places[order[at]] = at
    return places
