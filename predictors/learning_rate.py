"""A learning rate that falls with the square root of the steps taken."""

from math import isqrt

_DECAY = 1000
"""After so many steps the rate has fallen to 1/√2 of its first value."""


def decayed(first: int, last: int, step: int) -> int:
    """first / sqrt(1 + step / 1000), but at least `last`; the same integer everywhere."""
    return max(last, (first << 10) // isqrt((1 << 20) + (step << 20) // _DECAY))
