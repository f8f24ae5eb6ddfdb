"""Rounding of rows inside kernels: docs/numerics.md, sections 1 and 3.1."""

from predictors.language_models.exact_torch.fused.triton_module import tl, triton


@triton.jit
def round_even(x):
    """Half to even, of |x| < 2**22; see `exact.rounding`."""
    return (x + 12582912.0) - 12582912.0


@triton.jit
def magnitude_bits(x):
    """The bits of float32 without the sign, which are in the order of the magnitudes."""
    return x.to(tl.int32, bitcast=True) & 0x7FFFFFFF


@triton.jit
def power_of_two(i):
    """2**i as float32, for int32 -126 ≤ i ≤ 127."""
    return ((i + 127) << 23).to(tl.float32, bitcast=True)


@triton.jit
def exponent_of(bits):
    """The smallest e ≥ -100 with x < 2**e, from the bits of x."""
    return tl.maximum((bits >> 23) - 126, -100)


@triton.jit
def rounded(x, unit, BITS: tl.constexpr):
    """x in units of 2**unit, int32 within ± (2**BITS - 1)."""
    limit = (1 << BITS) - 1
    q = round_even(x * power_of_two(-unit)).to(tl.int32)
    return tl.minimum(tl.maximum(q, -limit), limit)


@triton.jit
def unit_of_outliers(bits, QUADS: tl.constexpr, BITS: tl.constexpr, WIDE: tl.constexpr):
    """The least unit in which all but WIDE quads of a row fit a signed byte.

    Args:
        bits: [4 QUADS] int32, of `magnitude_bits`.
        BITS: the largest integer is at most 2**BITS.
    """
    quads = tl.max(tl.reshape(bits, (QUADS, 4)), axis=1)
    least = exponent_of(tl.max(quads, axis=0)) - BITS
    unit = least
    # In a larger unit fewer quads are wide, so the units in which too many are come first.
    for step in tl.static_range(BITS - 6):
        # 127.5 times the unit.
        bound = ((least + step + 133) << 23) + 0x7F0000
        wide = tl.sum((quads >= bound).to(tl.int32), axis=0)
        unit += (wide > WIDE).to(tl.int32)
    return unit


@triton.jit
def store_limbs(limbs, row, rows, k, at, q, mask):
    """Store integers of a row as two signed bytes each: 256 h + l + 128.

    Args:
        limbs: [2, rows, k] int8. row: its number. at: columns. q: int32.
    """
    place = limbs + row.to(tl.int64) * k + at
    tl.store(place, (q >> 8).to(tl.int8), mask=mask)
    tl.store(place + rows.to(tl.int64) * k, ((q & 255) - 128).to(tl.int8), mask=mask)


@triton.jit
def load_sums(sums, offset, row, rows, n, at, mask):
    """The integers of a product, int32, from those of its limbs.

    Args:
        sums: [2, rows, n] int32. offset: [n] int32. at: columns.
    """
    place = sums + row.to(tl.int64) * n + at
    high = tl.load(place, mask=mask, other=0)
    low = tl.load(place + rows.to(tl.int64) * n, mask=mask, other=0)
    return (high << 8) + low + tl.load(offset + at, mask=mask, other=0)


@triton.jit
def load_product(sums, offset, scale, unit, row, rows, n, at, mask):
    """The product in float32: section 3. unit: float32, what an integer of the row is worth."""
    a = load_sums(sums, offset, row, rows, n, at, mask).to(tl.float32)
    return a * (tl.load(scale + at, mask=mask, other=0.0) * unit)
