"""The learning rate: warm-up, a constant stretch, decay (Hu et al. 2024, MiniCPM).

It counts tokens, so that a run that is stopped or slowed down learns the same. From any
checkpoint of the constant stretch a run can be ended by a decay, or go on for longer.
"""

from typing import NamedTuple


class Schedule(NamedTuple):
    """A schedule.

    Attributes:
        peak: the learning rate of the constant stretch.
        warm_up: tokens until it is reached.
        decay_from: tokens after which it falls. total: tokens after which it is 0.
    """

    peak: float
    warm_up: int
    decay_from: int
    total: int

    def rate(self, tokens: int) -> float:
        """The learning rate after so many tokens."""
        rising = (tokens + 1) / self.warm_up if tokens < self.warm_up else 1.0
        falling = (self.total - tokens) / max(1, self.total - self.decay_from)
        return self.peak * min(rising, max(0.0, min(1.0, falling)))
