"""The forward pass of `exact_torch.forward` in fused kernels: ten launches a layer."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from predictors.language_models.exact.attention import SCORES_PER_NAT
from predictors.language_models.exact.outliers import outlier_bits, wide_quads_of
from predictors.language_models.exact_torch.attention import Batch
from predictors.language_models.exact_torch.cache import Cache
from predictors.language_models.exact_torch.forward import Results
from predictors.language_models.exact_torch.fused.attention import attend
from predictors.language_models.exact_torch.fused.heads import split_heads
from predictors.language_models.exact_torch.fused.rows import (
    add_and_normalize,
    gate_and_round,
    round_rows,
    write_logits,
)
from predictors.language_models.exact_torch.linear import Linear
from predictors.language_models.exact_torch.network import Network
from predictors.language_models.exact_torch.product import LIMBS, MIN_ROWS, aligned
from predictors.language_models.exact_torch.torch_module import torch

# No product and sum may become one operation with one rounding.
_OPTIONS = {"enable_fp_fusion": False}

# Slots of a block of `attend`, and columns of one of `write_logits`.
_SLOTS = 64
_COLUMNS = 1024

# Rows of the smallest integer product of Triton, and elements that it sums over.
_MIN_TILE = 16
_MIN_DEPTH = 32


class Workspace(NamedTuple):
    """What steps of up to M rows are computed in; R ≥ M rows are multiplied.

    Attributes:
        x: [M, E] float32. hidden: [M, E] float32. attended: [M, heads d] float32.
        of_width, of_heads, of_ffn: [2, R, k] int8 limbs of rows of so many elements.
        units: [R] float32, what an integer of the row that was rounded last is worth.
        queries, query_units: see `split_heads`. scores: [M, G, GP, C] int32.
        numbers: [2] float64, E and epsilon. score_scale: [1] float32.
        worst: [1] int32.
    """

    x: Any
    hidden: Any
    attended: Any
    of_width: Any
    of_heads: Any
    of_ffn: Any
    units: Any
    queries: Any
    query_units: Any
    scores: Any
    numbers: Any
    score_scale: Any
    worst: Any


def new_workspace(network: Network, rows: int, slots: int) -> Workspace:
    """Room for steps of up to `rows` rows that look at up to so many slots."""
    shape, device = network.shape, network.embedding.device
    d, attended = shape.head_size, shape.heads * shape.head_size
    gp, tile = _tile(shape.heads // shape.kv_heads)

    def zeros(*lengths: int, kind: Any) -> Any:
        return torch.zeros(lengths, dtype=kind, device=device)

    def limbs(k: int) -> Any:
        return zeros(LIMBS, max(rows, MIN_ROWS // LIMBS), aligned(k), kind=torch.int8)

    scale = np.float32(SCORES_PER_NAT / np.sqrt(np.float64(d)))
    c = network.constants
    return Workspace(
        x=zeros(rows, shape.width, kind=torch.float32),
        hidden=zeros(rows, shape.width, kind=torch.float32),
        attended=zeros(rows, attended, kind=torch.float32),
        of_width=limbs(shape.width),
        of_heads=limbs(attended),
        of_ffn=limbs(shape.ffn_size),
        units=zeros(max(rows, MIN_ROWS // LIMBS), kind=torch.float32),
        queries=zeros(rows, shape.kv_heads, 2, tile, d, kind=torch.int8),
        query_units=zeros(rows, shape.kv_heads, 2, gp, kind=torch.float32),
        scores=zeros(rows * shape.kv_heads * gp * slots, kind=torch.int32),
        numbers=torch.stack([c.width, c.epsilon]),
        score_scale=torch.tensor([scale], dtype=torch.float32, device=device),
        worst=zeros(1, kind=torch.int32),
    )


def _tile(group: int) -> tuple[int, int]:
    """Rows of query heads, a power of two, and of the tile that holds two limbs of them."""
    gp = 1 << (group - 1).bit_length()
    return gp, max(_MIN_TILE, 2 * gp)


def _power_of_two(n: int) -> int:
    return 1 << (n - 1).bit_length()


def _rounding(linear: Linear, k: int) -> dict[str, int]:
    """How a matrix's inputs, rows of k, are rounded: constants of `round_and_store`."""
    if linear.by_bytes:
        return {"BITS": outlier_bits(linear.bits), "WIDE": wide_quads_of(k)}
    return {"BITS": linear.bits, "WIDE": 0}


Forward = Callable[[Batch, Cache], Results]


def fused_forward(network: Network, workspace: Workspace, rows: int, sink_slots: int) -> Forward:
    """The forward pass of batches of so many rows; see `forward.forward`.

    Its results are those of `forward.forward`, and valid until the next batch.
    """
    return _Fused(network, workspace, rows, sink_slots)


class _Fused:
    def __init__(self, network: Network, workspace: Workspace, rows: int, sink_slots: int) -> None:
        self._network = network
        self._rows = rows
        self._sink_slots = sink_slots
        room = max(rows, MIN_ROWS // LIMBS)

        def first(limbs: Any) -> Any:
            # Rows behind each other, whatever there is room for.
            k = limbs.shape[2]
            return limbs.view(-1)[: LIMBS * room * k].view(LIMBS * room, k)

        self._room = room
        self._space = workspace._replace(
            x=workspace.x[:rows],
            hidden=workspace.hidden[:rows],
            of_width=first(workspace.of_width),
            of_heads=first(workspace.of_heads),
            of_ffn=first(workspace.of_ffn),
        )

    def __call__(self, batch: Batch, cache: Cache) -> Results:
        network, w = self._network, self._space
        integers = network.embedding.index_select(0, batch.tokens)
        scales = network.embedding_scale.index_select(0, batch.tokens)
        torch.mul(scales[:, None], integers, out=w.x)
        w.worst.zero_()
        unseen = batch.unseen.view(torch.uint8)
        before: tuple[Linear, Any] | None = None
        for i, layer in enumerate(network.layers):
            self._normalize(before, layer.attention_norm, layer.qkv)
            self._attention(layer.qkv, i, batch, cache, unseen)
            self._round(w.attended, w.of_heads, layer.output)
            before = layer.output, self._multiply(layer.output, w.of_heads)
            self._normalize(before, layer.ffn_norm, layer.gate_up)
            self._gate(layer.gate_up, layer.down)
            before = layer.down, self._multiply(layer.down, w.of_ffn)
        self._normalize(before, network.output_norm, network.head, writes=True)
        return Results(self._logits(network.head), w.hidden, w.worst.view(torch.float32))

    def _multiply(self, linear: Linear, limbs: Any) -> Any:
        return torch._int_mm(limbs, linear.product.int8)

    def _normalize(
        self, before: tuple[Linear, Any] | None, gain: Any, after: Linear, writes: bool = False
    ) -> None:
        """Add what was multiplied before, if anything was, and normalize into `of_width`."""
        w, width = self._space, self._network.shape.width
        adds = before is not None
        linear, sums = before or (self._network.head, w.units)
        add_and_normalize[(self._rows,)](
            w.x, sums, linear.product.offset, linear.scale, w.units, gain, w.numbers, w.of_width,
            w.units, w.hidden, w.worst, self._room, width, sums.shape[-1],
            w.of_width.shape[1],
            ADDS=adds, WRITES=writes, BLOCK=_power_of_two(width), **_rounding(after, width),
            **_OPTIONS,
        )  # fmt: skip

    def _round(self, source: Any, limbs: Any, after: Linear) -> None:
        w, width = self._space, source.shape[1]
        round_rows[(self._rows,)](
            source, limbs, w.units, w.worst, self._room, width, limbs.shape[1],
            BLOCK=_power_of_two(width), **_rounding(after, width), **_OPTIONS,
        )  # fmt: skip

    def _gate(self, linear: Linear, after: Linear) -> None:
        w, width = self._space, self._network.shape.ffn_size
        sums = self._multiply(linear, w.of_width)
        gate_and_round[(self._rows,)](
            sums, linear.product.offset, linear.scale, w.units, w.of_ffn, w.units, w.worst,
            self._room, width, sums.shape[1], w.of_ffn.shape[1],
            BLOCK=_power_of_two(width), **_rounding(after, width), **_OPTIONS,
        )  # fmt: skip

    def _attention(
        self, linear: Linear, layer: int, batch: Batch, cache: Cache, unseen: Any
    ) -> None:
        w, shape = self._space, self._network.shape
        sums = self._multiply(linear, w.of_width)
        keys, values = cache.keys[layer], cache.values[layer]
        key_scale, value_scale = cache.key_scale[layer], cache.value_scale[layer]
        streams, kv_heads, slots, size = keys.shape
        gp, tile = _tile(shape.heads // kv_heads)
        split_heads[(self._rows, shape.heads + 2 * kv_heads)](
            sums, linear.product.offset, linear.scale, w.units, batch.cos_sin, batch.slots,
            w.score_scale, w.queries, w.query_units, keys, key_scale, values, value_scale, w.worst,
            self._room, sums.shape[1], streams, shape.heads, kv_heads, slots, kv_heads * slots,
            size, shape.rope_pairs,
            TILE=tile, GP=gp, BLOCK=_power_of_two(-(-size // 2)), **_OPTIONS,
        )  # fmt: skip
        attend[(self._rows, kv_heads)](
            w.queries, w.query_units, keys, key_scale, values, value_scale, unseen, w.scores,
            w.attended, streams, kv_heads, shape.heads, slots, kv_heads * slots, size,
            unseen.shape[1], self._sink_slots,
            TILE=tile, GP=gp, D=max(_MIN_DEPTH, _power_of_two(size)), N=_SLOTS, **_OPTIONS,
        )  # fmt: skip

    def _logits(self, linear: Linear) -> Any:
        w, vocabulary = self._space, self._network.shape.vocabulary
        sums = self._multiply(linear, w.of_width)
        logits = torch.empty((self._rows, vocabulary), device=sums.device)
        write_logits[(self._rows, -(-vocabulary // _COLUMNS))](
            sums, linear.product.offset, linear.scale, w.units, logits, self._room, vocabulary,
            sums.shape[1], BLOCK=_COLUMNS, **_OPTIONS,
        )  # fmt: skip
        return logits
