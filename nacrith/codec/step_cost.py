"""What a step of more rows costs, in steps of one token per stream.

Of few rows nearly all of the time goes into reading the weights, which all of them share; how few
these are depends on the processor. So it is measured along the way. The clock decides what is
evaluated together, and so the time that it takes, but not a bit of the result.
"""

import time

import numpy as np
import numpy.typing as npt

_IS_FINE = time.get_clock_info("process_time").resolution < 1e-4

clock = time.process_time if _IS_FINE else time.perf_counter
"""Seconds of all threads if the system counts them finely: what else runs takes nothing of them."""

MAX_ROWS = 32
"""Rows of a step, at most, with guesses."""

_CHEAP_ROWS = 6
"""So many rows are multiplied in one pass over the weights (`exact.tiles.MAX_ROWS`)."""

_CHEAP, _DEAR = 0.055, 0.17
"""What a further row costs up to there and beyond, in steps of one row (measured with a context of
100 and of 900 tokens, on 2 cores with AVX512-VNNI)."""

_RATE, _FACTOR_RATE = 1.01, 1.05
"""By how much the time of a step and the cost of further rows move with each step: what moves up
as often as down is a median."""

_LEAST, _MOST = 0.5, 20.0
"""Limits of how many times as much as by this table further rows cost."""

_FORGETTING = 0.9995
"""With each step without guesses a high cost is trusted less, so that it is tried again. Where a
row takes as long as a step, that is 2 % of all (simulated), and without it what another program has
slowed down once would not be tried any more.
"""


def _table() -> npt.NDArray[np.float64]:
    further = np.arange(MAX_ROWS + 1) - 1.0
    cheap = np.minimum(further, _CHEAP_ROWS - 1)
    return 1 + _CHEAP * cheap + _DEAR * (further - cheap)


_COSTS = _table()


class StepCost:
    """Learns from the steps of one session."""

    def __init__(self, n_streams: int) -> None:
        self._costs = _COSTS[n_streams::n_streams] / _COSTS[n_streams]
        # Of a step without guesses; 0 = there was none.
        self._seconds = 0.0
        self._factor = 1.0

    def costs(self) -> npt.NDArray[np.float64]:
        """[n]: of 1, 2, … tokens per stream, as many as there may be; the first is 1."""
        return 1 + self._factor * (self._costs - 1)

    def took(self, tokens: int, seconds: float) -> None:
        """A step of so many tokens per stream took so long."""
        if tokens == 1:
            if not self._seconds:
                self._seconds = seconds
            self._seconds *= _RATE if seconds > self._seconds else 1 / _RATE
            if self._factor > 1:
                self._factor **= _FORGETTING
        elif self._seconds:
            expected = self._seconds * self.costs()[tokens - 1]
            factor = self._factor * (_FACTOR_RATE if seconds > expected else 1 / _FACTOR_RATE)
            self._factor = min(max(factor, _LEAST), _MOST)
