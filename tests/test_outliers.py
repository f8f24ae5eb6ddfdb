"""Rows of bytes with outliers: docs/numerics.md, section 3.1."""

import numpy as np
import pytest

from predictors.language_models.exact.linear import pack_row
from predictors.language_models.exact.outliers import packed_bytes
from predictors.language_models.exact.panels import QUAD, QUAD_BYTES, ROW_BYTES, TILE_COLUMNS
from predictors.language_models.exact.product import multiply_byte_tile
from tests.exact_reference import bits_of, int64_product, round_outliers
from tests.outlier_rows import SIZES, outlier_rows

# Of the weights' kinds: the largest of either sign, small ones.
_WEIGHTS = np.array([-127, 127, 3, -1], dtype=np.int8)

_GUARD = 0xA5


def packed_rows(rows, bits):
    """Packed rows, and what their integers are worth; what is behind each stays as it is."""
    k = rows.shape[1]
    size = packed_bytes(k)
    packed = np.full((len(rows), size + 64), _GUARD, dtype=np.uint8)
    integers = np.zeros(k, dtype=np.int32)
    units = [
        pack_row(row, bits, True, integers, out[:size])
        for row, out in zip(rows, packed, strict=True)
    ]
    assert np.all(packed[:, size:] == _GUARD)
    return packed, units


def products(packed, k, panels):
    """[rows, 32] int32 sums of one tile; those of other rows stay as they are."""
    n = len(packed)
    sums = np.full((n + 1, TILE_COLUMNS), -7, dtype=np.int32)
    quads = k // QUAD
    here, stride = panels.ctypes.data, quads * QUAD_BYTES
    multiply_byte_tile(
        n, here, stride, quads, packed.ctypes.data, packed.shape[1], k,
        sums.ctypes.data, ROW_BYTES, here, stride,
    )  # fmt: skip
    assert np.all(sums[n:] == -7)
    return sums[:n]


@pytest.mark.parametrize("k", SIZES)
@pytest.mark.parametrize("fewer", [0, 1, 4, 9])
def test_products_are_those_of_the_specification(k, fewer):
    """Of 1 to 9 rows at once, of all kinds; also with fewer bits than the weights leave."""
    weights = np.random.default_rng(k).choice(_WEIGHTS, (TILE_COLUMNS, k))
    weights[0], weights[1] = 127, -127
    panels = np.ascontiguousarray(weights.reshape(2, 16, k // 4, 4).transpose(0, 2, 1, 3))
    bits = bits_of(weights.astype(np.int64)) - fewer
    rows = outlier_rows(k)
    rounded = [round_outliers(row, bits) for row in rows]
    packed, units = packed_rows(rows, bits)
    assert units == [2.0**unit for _, unit in rounded]
    expected = np.array([int64_product(weights, values) for values, _ in rounded])
    for n in range(1, 10):
        for begin in range(0, len(rows) - n + 1, n):
            some = slice(begin, begin + n)
            assert np.array_equal(products(packed[some], k, panels), expected[some])


@pytest.mark.parametrize("k", SIZES)
def test_as_many_quads_are_wide_as_may_be(k):
    """And the rows of these tests have none, some and the most of them."""
    allowed = -(-k // 36)
    found = set()
    for row in outlier_rows(k):
        values, _ = round_outliers(row, 15)
        assert np.abs(values).max() <= 1 << 13
        found.add(int((np.abs(values).reshape(-1, 4).max(axis=1) > 127).sum()))
    assert {0, allowed} <= found and max(found) == allowed
    assert allowed < 3 or len(found) > 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_found(value):
    for place in range(12):
        row = np.arange(12, dtype=np.float32)
        row[place] = value
        _, units = packed_rows(row[None], 15)
        assert units == [0]
