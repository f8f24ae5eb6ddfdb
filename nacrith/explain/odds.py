"""Bits as odds: 17.5 bits are a chance of 1 in 190,000."""

from math import log10

_NAMES = ((12, "trillion"), (9, "billion"), (6, "million"))
"""Powers of ten; the script of the page has the same."""


def odds(bits: float) -> str:
    """The chance 2^-bits as people say it, with two digits."""
    exponent = bits * log10(2)
    if exponent >= 15:
        return f"1 in 10^{exponent:.0f}"
    number = 2.0**bits
    if number < 9.95:
        return f"1 in {number:.1f}".removesuffix(".0")
    rounded = round(number, 1 - int(log10(number)))
    for power, name in _NAMES:
        if rounded >= 10**power:
            return f"1 in {rounded / 10**power:.3g} {name}"
    return f"1 in {rounded:,.0f}"
