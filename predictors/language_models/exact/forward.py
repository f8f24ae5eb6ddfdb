"""The forward pass: phases of independent items, taken by a team of threads.

A row is one token: of a stream, at a position. Every row is computed alone, from
the cache and its own values, so neither the batch nor its order can matter.
"""

from enum import IntEnum

import numpy as np

from predictors.language_models.exact.attention import SCORES_PER_NAT, attend
from predictors.language_models.exact.cache import slot_of, store
from predictors.language_models.exact.kernel import kernel
from predictors.language_models.exact.linear import (
    ADD,
    SWIGLU,
    WRITE,
    look_ahead,
    multiply,
    normalize,
    pack_row,
)
from predictors.language_models.exact.phases import address_of, items, items_ahead
from predictors.language_models.exact.rope import rotate


class LayerPhase(IntEnum):
    """The phases of each layer, in their order."""

    ATTENTION_NORM = 0
    QKV = 1
    STORE = 2
    ATTEND = 3
    PACK_ATTENDED = 4
    OUTPUT = 5
    FFN_NORM = 6
    GATE_UP = 7
    PACK_GATED = 8
    DOWN = 9


class LastPhase(IntEnum):
    """The phases after the layers."""

    NORM = 0
    HEAD = 1


_EMBED = 0
_FIRST_LAYER = _EMBED + 1
_PHASES_OF_LAYER = len(LayerPhase)


def phase_count(layers: int) -> int:
    """Phases of a step, for a number of layers."""
    return _FIRST_LAYER + layers * _PHASES_OF_LAYER + len(LastPhase)


@kernel
def work(thread, rows, w, by_bytes, shape, cache, scratch, b):
    """One thread's share of evaluating a batch; returns when all of it is done.

    Args:
        thread: this one's number.
        rows: M.
        w: `Weights`. by_bytes: int64, 1 = rows are packed as bytes with outliers.
        shape: `Shape`. cache: `Cache`. scratch: this thread's. b: `Buffers`.
    """
    _embed_phase(b, _EMBED, thread, rows, w.embedding, w.embedding_scale)
    phase = _FIRST_LAYER
    for layer in range(shape.layers):
        _attention_block(phase, thread, rows, layer, w, by_bytes, shape, cache, scratch, b)
        _ffn_block(phase, thread, rows, layer, w, by_bytes, b)
        phase += _PHASES_OF_LAYER
    _norm_phase(
        b, phase + LastPhase.NORM, thread, rows, w.output_norm, w.epsilon, w.head.bits[0],
        by_bytes, b.hidden,
    )  # fmt: skip
    # Of the next step.
    _look_ahead(b, thread, w.qkv, 0)
    _product_phase(b, phase + LastPhase.HEAD, thread, rows, w.head, 0, by_bytes, WRITE, b.logits)


@kernel
def _attention_block(phase, thread, rows, layer, w, by_bytes, shape, cache, scratch, b):
    """The first half of a layer; `phase` is the layer's first."""
    _norm_phase(
        b, phase + LayerPhase.ATTENTION_NORM, thread, rows, w.attention_norm[layer], w.epsilon,
        w.qkv.bits[layer], by_bytes, b.normed,
    )  # fmt: skip
    _look_ahead(b, thread, w.output, layer)
    _product_phase(
        b, phase + LayerPhase.QKV, thread, rows, w.qkv, layer, by_bytes, WRITE, b.projected
    )
    _store_phase(b, phase + LayerPhase.STORE, thread, rows, cache, layer, shape, scratch)
    _attention_phase(b, phase + LayerPhase.ATTEND, thread, rows, cache, layer, shape, scratch)
    _pack_phase(
        b, phase + LayerPhase.PACK_ATTENDED, thread, rows, b.attended, w.output.bits[layer],
        by_bytes,
    )  # fmt: skip
    _look_ahead(b, thread, w.gate_up, layer)
    _product_phase(b, phase + LayerPhase.OUTPUT, thread, rows, w.output, layer, by_bytes, ADD, b.x)


@kernel
def _ffn_block(phase, thread, rows, layer, w, by_bytes, b):
    """The second half of a layer; `phase` is the layer's first."""
    _norm_phase(
        b, phase + LayerPhase.FFN_NORM, thread, rows, w.ffn_norm[layer], w.epsilon,
        w.gate_up.bits[layer], by_bytes, b.normed,
    )  # fmt: skip
    _look_ahead(b, thread, w.down, layer)
    _product_phase(
        b, phase + LayerPhase.GATE_UP, thread, rows, w.gate_up, layer, by_bytes, SWIGLU, b.gated
    )
    _pack_phase(
        b, phase + LayerPhase.PACK_GATED, thread, rows, b.gated, w.down.bits[layer], by_bytes
    )
    if layer + 1 < len(w.qkv.panels):
        _look_ahead(b, thread, w.qkv, layer + 1)
    else:
        _look_ahead(b, thread, w.head, 0)
    _product_phase(b, phase + LayerPhase.DOWN, thread, rows, w.down, layer, by_bytes, ADD, b.x)


@kernel
def _embed_phase(b, phase, thread, rows, embedding, scale):
    """Rows of the embedding, [V, E] int8 times [V] float32, into the residual stream."""
    for r in items(address_of(b.counters, phase), rows, b.ahead[thread]):
        token = b.tokens[r]
        for i in range(embedding.shape[1]):
            b.x[r, i] = np.float32(embedding[token, i]) * scale[token]


@kernel
def _norm_phase(b, phase, thread, rows, gain, epsilon, bits, by_bytes, out):
    """Normalize the residual stream into `out`, [M, E] float32, and pack it."""
    for r in items(address_of(b.counters, phase), rows, b.ahead[thread]):
        b.units[r] = 0
        if normalize(b.x[r], gain, epsilon, b.integers[thread], out[r]):
            b.units[r] = pack_row(out[r], bits, by_bytes, b.integers[thread], b.packed[r])
        if b.units[r] == 0:
            b.failed[0] = 1


@kernel
def _pack_phase(b, phase, thread, rows, source, bits, by_bytes):
    """Pack `source`, [M, k] float32."""
    for r in items(address_of(b.counters, phase), rows, b.ahead[thread]):
        b.units[r] = pack_row(source[r], bits, by_bytes, b.integers[thread], b.packed[r])
        if b.units[r] == 0:
            b.failed[0] = 1


@kernel
def _look_ahead(b, thread, linear, layer):
    """From here on what this thread fetches while it waits is of this matrix."""
    look_ahead(linear, layer, thread, len(b.sums), b.ahead[thread])


@kernel
def _product_phase(b, phase, thread, rows, linear, layer, by_bytes, epilogue, out):
    """The packed rows times a matrix."""
    multiply(
        address_of(b.counters, phase), thread, len(b.sums), rows, linear, layer, by_bytes, b.packed,
        b.units, b.sums[thread], epilogue, out, b.ahead[thread],
    )  # fmt: skip


@kernel
def _store_phase(b, phase, thread, rows, cache, layer, shape, scratch):
    """Rotate the keys, and put keys and values into the cache."""
    size = shape.head_size
    key = scratch.row
    for r in items(address_of(b.counters, phase), rows, b.ahead[thread]):
        slot = slot_of(b.positions[r], cache.sinks, cache.ring)
        for h in range(shape.kv_heads):
            at = (shape.heads + h) * size
            rotate(b.projected[r, at : at + size], b.cos_sin[r, 0, 0], b.cos_sin[r, 0, 1], key)
            at += shape.kv_heads * size
            value = b.projected[r, at : at + size]
            if not store(cache, layer, b.streams[r], h, slot, key, value):
                b.failed[0] = 1


@kernel
def _attention_phase(b, phase, thread, rows, cache, layer, shape, scratch):
    """Attention; an item is a row and a KV head."""
    size, group = shape.head_size, shape.heads // shape.kv_heads
    scale = np.float32(SCORES_PER_NAT / np.sqrt(np.float64(size)))
    for item, following in items_ahead(
        address_of(b.counters, phase), rows * shape.kv_heads, b.ahead[thread]
    ):
        # Neighbors share a stream's keys, which then are in the processor's cache.
        h = item // rows
        r = item % rows
        at = h * group * size
        queries = b.projected[r, at : at + group * size].reshape(group, size)
        out = b.attended[r, at : at + group * size].reshape(group, size)
        if not attend(
            cache, layer, b.streams[r], h, b.positions[r], queries, b.cos_sin[r], scale, scratch,
            out, b.streams[following % rows], following // rows,
        ):  # fmt: skip
            b.failed[0] = 1
