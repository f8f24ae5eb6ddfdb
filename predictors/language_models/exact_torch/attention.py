"""Attention of grouped queries (GQA; Ainslie et al. 2023) over integers: section 6.

Products with keys and values are float32 products of limbs, small enough that every partial sum
is an integer below 2**24: exact, whatever their order. All slots are multiplied and those that a
position does not see get no weight, so that shapes do not depend on positions.
"""

from typing import Any, NamedTuple

import numpy as np

from predictors.language_models.exact.attention import SCORES_PER_NAT
from predictors.language_models.exact.exp2 import FRACTION_BITS
from predictors.language_models.exact.shape import Shape
from predictors.language_models.exact_torch.cache import Cache
from predictors.language_models.exact_torch.constants import Constants
from predictors.language_models.exact_torch.product import LIMB_BITS
from predictors.language_models.exact_torch.rope import rotate
from predictors.language_models.exact_torch.rounding import exponent_of, power_of_two, round_rows
from predictors.language_models.exact_torch.torch_module import torch

_QUERY_BITS = 15
_WEIGHT_BITS = 15
_WEIGHT_MAX = (1 << _WEIGHT_BITS) - 1
_INT8_MAX = 127
# float32 holds every integer up to this.
_EXACT_FLOAT = 1 << 24

# See `predictors.language_models.exact.attention`.
_MASKED = -(1 << 30)
_SCORE_LIMIT = float(1 << (FRACTION_BITS + 9))
_SCORE_ROUNDER = (1 << (FRACTION_BITS + 10)) + 0.5

MAX_HEAD_SIZE = _EXACT_FLOAT // (_INT8_MAX * ((1 << LIMB_BITS) - 1))
"""Products with keys are exact up to this: 518, no less than what the specification allows."""


class Batch(NamedTuple):
    """What is computed: n positions of each of S streams, row i of stream i mod S.

    Attributes:
        tokens: [n S] int64.
        slots: [n] int64, where the positions go.
        cos_sin: [n, 2, 2, pairs] float32: for the position, and for the position as the
            sinks see it, cosines and sines.
        unseen: [n, C'] bool: which of the first slots a position does not see.
    """

    tokens: Any
    slots: Any
    cos_sin: Any
    unseen: Any


class _Queries(NamedTuple):
    """Rounded queries of N = S G heads of keys, R = n group of each.

    Attributes:
        limbs: [N, 2 R, d] float32, high ones first.
        units: [N, R, 1] float32, what an integer is worth, in 2**-12 bit.
    """

    limbs: Any
    units: Any


def attend(
    cache: Cache, layer: int, sink_slots: int, shape: Shape, queries: Any, batch: Batch,
    constants: Constants, tops: list[Any],
) -> Any:  # fmt: skip
    """Attention of all heads, [n S, heads d] float32.

    Args:
        cache: of S streams; the batch's own keys and values are in it already.
        sink_slots: slots in front of the ring.
        queries: [n, S, heads, d] float32, not rotated.
        tops: see `normalize`.
    """
    n, streams, heads, d = queries.shape
    slots = batch.unseen.shape[1]
    views = [
        _round(rotate(queries, batch.cos_sin[:, v, 0], batch.cos_sin[:, v, 1]), shape, tops)
        for v in range(2 if sink_slots else 1)
    ]

    def of_heads(array: Any) -> Any:
        return array[layer, :, :, :slots].reshape(streams * shape.kv_heads, slots, -1)

    scores = _scores(views, of_heads(cache.keys), of_heads(cache.key_scale), sink_slots)
    by_position = scores.view(streams * shape.kv_heads, n, -1, slots)
    by_position.masked_fill_(batch.unseen[:, None], _MASKED)
    weights = _powers_below_top(scores, constants)
    out = _sum_values(weights, of_heads(cache.values), of_heads(cache.value_scale))
    out = out.view(streams, shape.kv_heads, n, heads // shape.kv_heads, d)
    return out.permute(2, 0, 1, 3, 4).reshape(n * streams, heads * d)


def _round(queries: Any, shape: Shape, tops: list[Any]) -> _Queries:
    """Round rotated queries, [n, S, heads, d] float32."""
    n, streams, heads, d = queries.shape
    group = heads // shape.kv_heads
    grouped = queries.view(n, streams, shape.kv_heads, group, d).permute(1, 2, 0, 3, 4)
    rows = grouped.reshape(streams * shape.kv_heads, n * group, d)
    rounded = round_rows(rows, _QUERY_BITS)
    tops.append(rounded.top)
    scale = float(np.float32(SCORES_PER_NAT / np.sqrt(np.float64(d))))
    return _Queries(_limbs(rounded.values, LIMB_BITS, 2), power_of_two(rounded.unit) * scale)


def _limbs(integers: Any, bits: int, count: int) -> Any:
    """Limbs of [N, R, k] float32 integers, [N, count R, k] float32, the highest ones first.

    All but the highest are at least 0: x = sum limb_i 2**(bits i).
    """
    limbs = []
    for _ in range(count - 1):
        # Both products are by powers of two, so exact.
        above = (integers * (1.0 / (1 << bits))).floor_()
        limbs.append(torch.sub(integers, above * float(1 << bits)))
        integers = above
    return torch.cat([integers, *reversed(limbs)], dim=1)


def _scores(views: list[_Queries], keys: Any, scales: Any, sink_slots: int) -> Any:
    """Scores in 2**-12 bit, [N, R, C'] int32.

    Args:
        views: queries as the ring sees them and, if there are sinks, as these see them.
        keys: [N, C', d] int8. scales: [N, C', 1] float32.
    """
    rows = views[0].units.shape[1]
    across = keys.float().transpose(1, 2)
    scales = scales.transpose(1, 2)
    sums = torch.bmm(views[0].limbs, across)
    units = views[0].units * scales
    if sink_slots:
        sums[:, :, :sink_slots] = torch.bmm(views[1].limbs, across[:, :, :sink_slots])
        units[:, :, :sink_slots] = views[1].units * scales[:, :, :sink_slots]
    # The one rounding of the integer to float32: 256 h is exact.
    x = torch.add(sums[:, rows:], sums[:, :rows], alpha=float(1 << LIMB_BITS))
    x.mul_(units).clamp_(-_SCORE_LIMIT, _SCORE_LIMIT).add_(_SCORE_ROUNDER)
    return x.to(torch.int32)


def _powers_below_top(scores: Any, constants: Constants) -> Any:
    """Weights in 2**-30 of the largest, [N, R, C'] int32, of scores that are overwritten."""
    top = scores.amax(-1, keepdim=True)
    last = len(constants.powers) - 1
    distances = torch.sub(top, scores, out=scores).clamp_(0, last)
    return constants.powers.index_select(0, distances.view(-1)).view(scores.shape)


def _sum_values(weights: Any, values: Any, scales: Any) -> Any:
    """The values' weighted mean, [N, R, d] float32.

    Args:
        weights: [N, R, C'] int32.
        values: [N, C', d] int8. scales: [N, C', 1] float32.
    """
    rows, slots = weights.shape[1:]
    total = weights.sum(-1, keepdim=True, dtype=torch.int64)
    scaled = weights * scales.transpose(1, 2)
    unit = exponent_of(scaled.amax(-1, keepdim=True)) - _WEIGHT_BITS
    integers = scaled.mul_(power_of_two(-unit)).add_(0.5).floor_().clamp_(max=_WEIGHT_MAX)
    bits, count = _weight_limbs(slots)
    parts = torch.bmm(_limbs(integers, bits, count), values.float())
    sums = parts[:, :rows].double()
    for i in range(1, count):
        sums = sums.mul_(float(1 << bits)).add_(parts[:, i * rows : (i + 1) * rows])
    worth = torch.div(power_of_two(unit).double(), total.double())
    return sums.mul_(worth).float()


def _weight_limbs(slots: int) -> tuple[int, int]:
    """Bits of a limb and number of limbs, so that sums over so many slots stay below 2**24."""
    bits = LIMB_BITS
    while ((1 << bits) - 1) * _INT8_MAX * slots > _EXACT_FLOAT:
        bits -= 1
    return bits, -(-_WEIGHT_BITS // bits)
