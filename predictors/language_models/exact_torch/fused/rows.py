"""Kernels of one program a row: norms, rounding, gates; and the logits."""

from predictors.language_models.exact_torch.fused.rounding import (
    exponent_of,
    load_product,
    magnitude_bits,
    power_of_two,
    round_even,
    rounded,
    store_limbs,
    unit_of_outliers,
)
from predictors.language_models.exact_torch.fused.triton_module import tl, triton


@triton.jit
def round_and_store(
    y, limbs, units, worst, row, rows, k, at, mask,
    BITS: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Round a row, store its limbs and what an integer of it is worth.

    Args:
        y: [BLOCK] float32, 0 behind the row.
        BITS: of the integers. WIDE: quads that need not fit a byte; 0 = none need.
    """
    bits = magnitude_bits(y)
    top = tl.max(bits, axis=0)
    tl.atomic_max(worst, top)
    if WIDE:
        unit = unit_of_outliers(bits, BLOCK // 4, BITS, WIDE)
        q = round_even(y * power_of_two(-unit)).to(tl.int32)
    else:
        unit = exponent_of(top) - BITS
        q = rounded(y, unit, BITS)
    store_limbs(limbs, row, rows, k, at, q, mask)
    tl.store(units + row, power_of_two(unit))


@triton.jit
def add_and_normalize(
    x, sums, offset, scale, units_in, gain, numbers, limbs, units, normed, worst,
    rows, width, n, k,
    ADDS: tl.constexpr, WRITES: tl.constexpr, BITS: tl.constexpr, WIDE: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Add a product to the residual stream, normalize it, round it: sections 3, 4 and 8.

    Args:
        x: [M, E] float32, updated if ADDS.
        sums, offset, scale, units_in: of the product, see `load_product`.
        gain: [E] float32. numbers: [2] float64, E and epsilon.
        limbs: [2, rows, k] int8 and units: [rows] float32, written.
        normed: [M, E] float32, written if WRITES.
        worst: [1] int32, bits of the largest magnitude so far.
    """
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    mask = at < width
    place = x + row.to(tl.int64) * width + at
    values = tl.load(place, mask=mask, other=0.0)
    if ADDS:
        unit = tl.load(units_in + row)
        values = values + load_product(sums, offset, scale, unit, row, rows, n, at, mask)
        tl.store(place, values, mask=mask)
    top = tl.max(magnitude_bits(values), axis=0)
    tl.atomic_max(worst, top)
    power = exponent_of(top) - 20
    q = rounded(values, power, 20).to(tl.int64)
    total = tl.sum(q * q, axis=0)
    worth = power_of_two(power).to(tl.float64)
    mean = total.to(tl.float64) * worth * worth / tl.load(numbers)
    factor = (1.0 / tl.sqrt(mean + tl.load(numbers + 1))).to(tl.float32)
    y = values * factor * tl.load(gain + at, mask=mask, other=0.0)
    if WRITES:
        tl.store(normed + row.to(tl.int64) * width + at, y, mask=mask)
    round_and_store(y, limbs, units, worst, row, rows, k, at, mask, BITS, WIDE, BLOCK)


@triton.jit
def round_rows(
    source, limbs, units, worst, rows, width, k,
    BITS: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Round [M, width] float32."""
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    mask = at < width
    y = tl.load(source + row.to(tl.int64) * width + at, mask=mask, other=0.0)
    round_and_store(y, limbs, units, worst, row, rows, k, at, mask, BITS, WIDE, BLOCK)


@triton.jit
def gate_and_round(
    sums, offset, scale, units_in, limbs, units, worst, rows, width, n, k,
    BITS: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gates times what they gate, rounded: section 7. Columns: width gates, then width ups."""
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    mask = at < width
    unit = tl.load(units_in + row)
    gate = load_product(sums, offset, scale, unit, row, rows, n, at, mask)
    up = load_product(sums, offset, scale, unit, row, rows, n, at + width, mask)
    t = tl.minimum(tl.maximum(-gate * 1.4426950408889634, -126.0), 126.0)
    nearest = (t + 12582912.0) - 12582912.0
    f = t - nearest
    p = f * 0.00134004 + 0.00967604
    p = p * f + 0.05550327
    p = p * f + 0.24022107
    p = p * f + 0.69314718
    p = p * f + 1.0
    below = p * power_of_two(nearest.to(tl.int32)) + 1.0
    y = gate * tl.div_rn(tl.full((BLOCK,), 1.0, tl.float32), below) * up
    y = tl.where(mask, y, 0.0)
    round_and_store(y, limbs, units, worst, row, rows, k, at, mask, BITS, WIDE, BLOCK)


@triton.jit
def write_logits(sums, offset, scale, units_in, logits, rows, vocabulary, n, BLOCK: tl.constexpr):
    """A product as it is, [M, V] float32."""
    row = tl.program_id(0)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mask = at < vocabulary
    unit = tl.load(units_in + row)
    y = load_product(sums, offset, scale, unit, row, rows, n, at, mask)
    tl.store(logits + row.to(tl.int64) * vocabulary + at, y, mask=mask)
