"""The CDF: exact sums, exact integers, close to the real softmax."""

from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coder import CDF_BITS, CDF_TOTAL, MAX_CDF_BITS, ScoreError, cdf_from_scores, scores_from_logits
from coder.fixed_point import EXP2_TABLE, SCORE_LIMIT


def cdf_of(scores: np.ndarray, bits: int = CDF_BITS) -> np.ndarray:
    cdf = np.empty(len(scores) + 1, dtype=np.uint32)
    cdf_from_scores(scores, cdf, bits)
    return cdf


def reference_cdf(scores: list[int], bits: int) -> list[int]:
    """The specification in docs/format.md, with Python's integers."""
    top = max(scores)
    weights = []
    for score in scores:
        distance = top - score
        shift = min(distance >> 16, 31)
        weights.append(int(EXP2_TABLE[distance >> 4 & 4095]) >> shift)
    scale = ((2**bits - len(scores)) << 62 - bits) // sum(weights)
    counts = [1 + (weight * scale >> 62 - bits) for weight in weights]
    counts[scores.index(top)] += 2**bits - sum(counts)
    return [sum(counts[:i]) for i in range(len(counts) + 1)]


def test_exp2_table_is_correctly_rounded():
    getcontext().prec = 60
    for i in (0, 1, 2, 17, 1024, 2048, 4094, 4095):
        exact = Decimal(2) ** (30 - Decimal(i) / 4096)
        assert EXP2_TABLE[i] == int(exact.to_integral_value())


scores_strategy = arrays(
    np.int32,
    st.integers(1, 400),
    elements=st.one_of(
        st.integers(-SCORE_LIMIT, SCORE_LIMIT), st.integers(-(20 << 16), 0), st.just(0)
    ),
)


# The scale's precision depends on the total: here 2**38 instead of 2**46 gives another count.
@example(np.array([0] + [256] * 304, dtype=np.int32), 16)
@given(scores_strategy, st.sampled_from([16, CDF_BITS, MAX_CDF_BITS]))
def test_cdf_is_the_specified_one(scores, bits):
    cdf = cdf_of(scores, bits)
    assert cdf.tolist() == reference_cdf(scores.tolist(), bits)
    assert cdf[0] == 0 and cdf[-1] == 1 << bits
    assert (np.diff(cdf.astype(np.int64)) >= 1).all()


def test_counts_follow_the_softmax():
    random = np.random.default_rng(1)
    logits = (random.standard_normal(49152) * 3).astype(np.float32)
    scores = np.empty(len(logits), dtype=np.int32)
    scores_from_logits(
        logits, np.arange(len(logits), dtype=np.int32), np.zeros(len(logits), np.int32), scores
    )
    counts = np.diff(cdf_of(scores).astype(np.int64))
    p = np.exp(logits.astype(np.float64) - logits.max())
    p /= p.sum()
    ideal = -(p * np.log2(p)).sum()
    actual = -(p * np.log2(counts / CDF_TOTAL)).sum()
    assert 0 <= actual - ideal < 0.005


def test_scores_are_the_rounded_logits_in_symbol_order():
    logits = np.array([0.0, 1.0, -2.5, 1e6, -1e6, 1e-9], dtype=np.float32)
    order = np.array([5, 4, 3, 2, 1, 0, 1], dtype=np.int32)
    offsets = np.array([0, 0, 0, 0, 0, 0, -65536], dtype=np.int32)
    scores = np.empty(len(order), dtype=np.int32)
    scores_from_logits(logits, order, offsets, scores)
    bit = 1.4426950408889634 * 65536
    expected = [0, -SCORE_LIMIT, SCORE_LIMIT, round(-2.5 * bit), round(bit), 0, round(bit) - 65536]
    assert scores.tolist() == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_no_number_is_refused(bad):
    logits = np.zeros(300, dtype=np.float32)
    logits[123] = bad
    same = np.arange(300, dtype=np.int32)
    with pytest.raises(ScoreError, match="not a finite number"):
        scores_from_logits(logits, same, np.zeros(300, np.int32), np.empty(300, np.int32))
