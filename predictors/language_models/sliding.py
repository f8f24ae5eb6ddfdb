"""How far the window of the backends slides that drop the oldest positions."""

SLIDE_FRACTION = 4
"""A slide drops window // 4 positions: measured cost is below 1 % of the decoding."""
