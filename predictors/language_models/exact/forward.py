"""The forward pass: phases of independent items, taken by a team of threads.

A row is one token: of a stream, at a position. Every row is computed alone, from
the cache and its own values, so neither the batch nor its order can matter.
"""

from collections import namedtuple

import numpy as np

from coder.kernels import njit
from predictors.language_models.exact.attention import attend, slot_of, store
from predictors.language_models.exact.exp2 import sigmoid
from predictors.language_models.exact.product import (
    MAX_ROWS,
    OFFSET,
    TILE_COLUMNS,
    multiply_tile,
    pack,
)
from predictors.language_models.exact.rope import rotate
from predictors.language_models.exact.rounding import INFINITE, power_of_two, round_row
from predictors.language_models.exact.team import finish, take

_NORM_BITS = 20

Buffers = namedtuple(
    "Buffers",
    "tokens streams positions turns x normed packed units projected attended inner logits hidden"
    " sums integers counters failed",
)
Buffers.__doc__ = """What a batch of M rows is computed in; T threads.

tokens, streams, positions: [M] int64. turns: [M, 2, 2, pairs] float32.
x: [M, E] float32, the residual stream. normed: [M, E] float32. packed: [M, 2 K] uint8.
units: [M] float32. projected: [M, 16 P] float32. attended: [M, heads * d] float32.
inner: [M, I] float32. logits: [M, V] float32. hidden: [M, E] float32.
sums: [T, 6, 32] int32. integers: [T, K] int32. failed: [1] int64.
"""

PHASES_OF_LAYER = 10
FINAL_PHASES = 3

_STORE, _ADD, _GATE = range(3)


@njit(nogil=True, cache=True, error_model="numpy")
def _normalize(row, gain, epsilon, integers, out):
    """Root mean square normalization (Zhang & Sennrich 2019); False if not finite."""
    n = len(row)
    unit = round_row(row, n, _NORM_BITS, integers)
    if unit >= INFINITE:
        return False
    total = np.int64(0)
    for i in range(n):
        total += np.int64(integers[i]) * np.int64(integers[i])
    scale = np.float64(power_of_two(unit))
    mean = np.float64(total) * scale * scale / np.float64(n)
    factor = np.float32(1.0 / np.sqrt(mean + epsilon))
    for i in range(n):
        out[i] = row[i] * factor * gain[i]
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def _pack_row(row, n, bits, integers, packed):
    """Round and pack a row; return the value of its unit, 0 if it is not finite."""
    unit = round_row(row, n, bits, integers)
    if unit >= INFINITE:
        return np.float32(0)
    pack(integers, n, OFFSET, packed)
    return power_of_two(unit)


@njit(nogil=True, cache=True, error_model="numpy")
def _norm_phase(b, phase, thread, rows, gain, epsilon, bits, hidden):
    width = len(gain)
    done = 0
    while True:
        r = take(b.counters, phase)
        if r >= rows:
            break
        done += 1
        out = b.hidden[r] if hidden else b.normed[r]
        b.units[r] = 0
        if _normalize(b.x[r], gain, epsilon, b.integers[thread], out):
            b.units[r] = _pack_row(out, width, bits, b.integers[thread], b.packed[r])
        if b.units[r] == 0:
            b.failed[0] = 1
    finish(b.counters, phase, done, rows)


@njit(nogil=True, cache=True, error_model="numpy")
def _pack_phase(b, phase, thread, rows, source, width, bits):
    done = 0
    while True:
        r = take(b.counters, phase)
        if r >= rows:
            break
        done += 1
        b.units[r] = _pack_row(source[r], width, bits, b.integers[thread], b.packed[r])
        if b.units[r] == 0:
            b.failed[0] = 1
    finish(b.counters, phase, done, rows)


@njit(nogil=True, cache=True, error_model="numpy")
def _product_phase(b, phase, thread, rows, width, panels, scale, offset, kind, out):
    """Rows times a matrix, a tile's columns at a time for all rows."""
    tiles = len(panels) // 2
    stride = width * 16
    base = panels.ctypes.data
    sums = b.sums[thread]
    packed_size = b.packed.shape[1]
    done = 0
    while True:
        tile = take(b.counters, phase)
        if tile >= tiles:
            break
        done += 1
        column = tile * TILE_COLUMNS
        for first in range(0, rows, MAX_ROWS):
            n = min(MAX_ROWS, rows - first)
            multiply_tile(
                n, base + 2 * tile * stride, stride, width // 4,
                b.packed.ctypes.data + first * packed_size, packed_size, width,
                sums.ctypes.data, 4 * TILE_COLUMNS,
            )  # fmt: skip
            for i in range(n):
                _finish(sums[i], scale, offset, column, b.units[first + i], kind, out[first + i])
    finish(b.counters, phase, done, tiles)


@njit(nogil=True, cache=True, error_model="numpy")
def _finish(sums, scale, offset, column, unit, kind, out):
    """From a tile's sums of one row to float32, and on into `out`."""
    s = scale[column : column + 32]
    o = offset[column : column + 32]
    if kind == _GATE:
        half = column // 2
        for c in range(min(16, len(out) - half)):
            gate = np.float32(np.int32(sums[c] - o[c])) * (s[c] * unit)
            up = np.float32(np.int32(sums[16 + c] - o[16 + c])) * (s[16 + c] * unit)
            out[half + c] = gate * sigmoid(gate) * up
        return
    to = out[column:]
    for c in range(min(32, len(to))):
        y = np.float32(np.int32(sums[c] - o[c])) * (s[c] * unit)
        to[c] = to[c] + y if kind == _ADD else y


@njit(nogil=True, cache=True, error_model="numpy")
def _store_phase(b, phase, thread, rows, cache, layer, heads, kv_heads, size, failed):
    key = np.empty(size, dtype=np.float32)
    done = 0
    while True:
        r = take(b.counters, phase)
        if r >= rows:
            break
        done += 1
        slot = slot_of(b.positions[r], cache.sinks, cache.ring)
        begin = heads * size
        for h in range(kv_heads):
            at = begin + h * size
            rotate(b.projected[r, at : at + size], b.turns[r, 0, 0], b.turns[r, 0, 1], key)
            at += kv_heads * size
            value = b.projected[r, at : at + size]
            if not store(cache, layer, b.streams[r], h, slot, key, value):
                failed[0] = 1
    finish(b.counters, phase, done, rows)


@njit(nogil=True, cache=True, error_model="numpy")
def _attention_phase(b, phase, rows, cache, layer, heads, kv_heads, size, scale, scratch, failed):
    group = heads // kv_heads
    done = 0
    while True:
        item = take(b.counters, phase)
        if item >= rows * kv_heads:
            break
        done += 1
        # Neighbors share a stream's keys, which then are in the processor's cache.
        h = item // rows
        r = item % rows
        at = h * group * size
        queries = b.projected[r, at : at + group * size].reshape(group, size)
        out = b.attended[r, at : at + group * size].reshape(group, size)
        if not attend(
            cache, layer, b.streams[r], h, b.positions[r], queries, b.turns[r], scale, scratch, out
        ):
            failed[0] = 1
    finish(b.counters, phase, done, rows * kv_heads)


@njit(nogil=True, cache=True, error_model="numpy")
def _embed_phase(b, phase, rows, embedding, scale):
    done = 0
    while True:
        r = take(b.counters, phase)
        if r >= rows:
            break
        done += 1
        token = b.tokens[r]
        for i in range(embedding.shape[1]):
            b.x[r, i] = np.float32(embedding[token, i]) * scale[token]
    finish(b.counters, phase, done, rows)


@njit(nogil=True, cache=True, error_model="numpy")
def work(thread, rows, w, shape, cache, scratch, b):
    """One thread's share of evaluating a batch; returns when all of it is done.

    Args:
        thread: this one's number.
        rows: M.
        w: `Weights`. shape: `Shape`. cache: `Cache`. scratch: this thread's. b: `Buffers`.
    """
    heads, kv_heads, size = shape.heads, shape.kv_heads, shape.head_size
    width, attended = shape.width, shape.heads * shape.head_size
    scale = np.float32(np.float64(5909.278887481194) / np.sqrt(np.float64(size)))
    failed = b.failed
    p = 0
    _embed_phase(b, p, rows, w.embedding, w.embedding_scale)
    for layer in range(shape.layers):
        p += 1
        _norm_phase(
            b, p, thread, rows, w.attention_norm[layer], w.epsilon, w.qkv.bits[layer], False
        )
        p += 1
        _product_phase(
            b, p, thread, rows, width, w.qkv.panels[layer], w.qkv.scale[layer],
            w.qkv.offset[layer], _STORE, b.projected,
        )  # fmt: skip
        p += 1
        _store_phase(b, p, thread, rows, cache, layer, heads, kv_heads, size, failed)
        p += 1
        _attention_phase(b, p, rows, cache, layer, heads, kv_heads, size, scale, scratch, failed)
        p += 1
        _pack_phase(b, p, thread, rows, b.attended, attended, w.output.bits[layer])
        p += 1
        _product_phase(
            b, p, thread, rows, attended, w.output.panels[layer], w.output.scale[layer],
            w.output.offset[layer], _ADD, b.x,
        )  # fmt: skip
        p += 1
        _norm_phase(b, p, thread, rows, w.ffn_norm[layer], w.epsilon, w.gate_up.bits[layer], False)
        p += 1
        _product_phase(
            b, p, thread, rows, width, w.gate_up.panels[layer], w.gate_up.scale[layer],
            w.gate_up.offset[layer], _GATE, b.inner,
        )  # fmt: skip
        p += 1
        _pack_phase(b, p, thread, rows, b.inner, shape.inner, w.down.bits[layer])
        p += 1
        _product_phase(
            b, p, thread, rows, shape.inner, w.down.panels[layer], w.down.scale[layer],
            w.down.offset[layer], _ADD, b.x,
        )  # fmt: skip
    p += 1
    _norm_phase(b, p, thread, rows, w.output_norm, w.epsilon, w.head.bits[0], True)
    p += 1
    _product_phase(
        b, p, thread, rows, width, w.head.panels[0], w.head.scale[0], w.head.offset[0], _STORE,
        b.logits,
    )  # fmt: skip
