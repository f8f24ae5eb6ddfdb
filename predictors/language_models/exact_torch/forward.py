"""The forward pass of a batch: the whole of docs/numerics.md, section 8, without a look at a value.

Nothing here waits for the device, and which operations there are depends on shapes only: so a step
can be recorded once and replayed (`replay.py`).
"""

from typing import Any, NamedTuple

from predictors.language_models.exact_torch.attention import Batch, attend
from predictors.language_models.exact_torch.cache import Cache, store
from predictors.language_models.exact_torch.gating import gated
from predictors.language_models.exact_torch.linear import apply
from predictors.language_models.exact_torch.network import Network
from predictors.language_models.exact_torch.norm import normalize
from predictors.language_models.exact_torch.rope import rotate
from predictors.language_models.exact_torch.torch_module import torch


class Results(NamedTuple):
    """Of M rows.

    Attributes:
        logits: [M, V] float32. hidden: [M, E] float32.
        largest: [1] float32, the largest magnitude of all that was rounded; not finite if one
            value was not.
    """

    logits: Any
    hidden: Any
    largest: Any


def forward(
    network: Network, batch: Batch, cache: Cache, sink_slots: int, together: int
) -> Results:
    """Evaluate a batch.

    Args:
        cache: of the batch's streams; gets its positions.
        sink_slots: slots in front of the ring.
        together: streams of which the attention is computed at once; changes no bit.
    """
    constants = network.constants
    tops: list[Any] = []
    integers = network.embedding.index_select(0, batch.tokens)
    scales = network.embedding_scale.index_select(0, batch.tokens)
    x = scales[:, None] * integers
    for i, layer in enumerate(network.layers):
        normed = normalize(x, layer.attention_norm, constants, tops)
        projected = apply(layer.qkv, normed, tops)
        attended = _attention(network, cache, i, projected, batch, sink_slots, together, tops)
        x = x.add_(apply(layer.output, attended, tops))
        normed = normalize(x, layer.ffn_norm, constants, tops)
        both = apply(layer.gate_up, normed, tops)
        gates, ups = both.split(network.shape.ffn_size, dim=1)
        x = x.add_(apply(layer.down, gated(gates, ups, constants), tops))
    hidden = normalize(x, network.output_norm, constants, tops)
    logits = apply(network.head, hidden, tops)
    largest = torch.cat([top.reshape(-1) for top in tops]).amax(0, keepdim=True)
    return Results(logits, hidden, largest)


def _attention(
    network: Network, cache: Cache, layer: int, projected: Any, batch: Batch, sink_slots: int,
    together: int, tops: list[Any],
) -> Any:  # fmt: skip
    """Attention of projected rows, [n S, (heads + 2 G) d] float32: [n S, heads d] float32."""
    shape, constants = network.shape, network.constants
    n = len(batch.slots)
    heads = projected.view(n, -1, shape.heads + 2 * shape.kv_heads, shape.head_size)
    queries, keys, values = heads.split((shape.heads, shape.kv_heads, shape.kv_heads), dim=2)
    keys = rotate(keys, batch.cos_sin[:, 0, 0], batch.cos_sin[:, 0, 1])
    store(cache, layer, batch.slots, keys, values, constants, tops)
    streams = heads.shape[1]
    parts = []
    for begin in range(0, streams, together):
        some = slice(begin, begin + together)
        part = Cache(*(array[:, some] for array in cache))
        attended = attend(part, layer, sink_slots, shape, queries[:, some], batch, constants, tops)
        parts.append(attended.view(n, -1, attended.shape[1]))
    return torch.cat(parts, dim=1).view(n * streams, -1)
