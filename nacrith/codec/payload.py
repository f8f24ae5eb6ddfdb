"""A bound on what a payload can hold: a short one must not keep a decoder busy for long.

The coder leaves out zero bytes at the end, of which long runs of what is expected make any
number. As many as the bound asks for are put there again.
"""

from predictors.ensemble import COST_BITS

_SLACK = 64
"""Bits that a payload may be short of."""


def can_hold(payload: bytes, cost: int) -> bool:
    """Can what costs at least `cost` / 2**24 bits have been coded in this payload?"""
    return cost <= (8 * len(payload) + _SLACK) << COST_BITS


def padded(payload: bytes, cost: int) -> bytes:
    """The payload with zero bytes behind it, if it needs them to hold that much."""
    bits = -(-cost >> COST_BITS)
    return payload + bytes(max(0, (bits - _SLACK + 7) // 8 - len(payload)))
