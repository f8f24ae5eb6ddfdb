"""Decisions of a value of which it is known what it may be near to.

An expected value says much of all digits, but contexts of a whole value can only tell apart small
ones. So here each decision, which is whether the value is beyond some limit, is told apart by how
far the expected value is from this limit.
"""

from collections import namedtuple

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.jpeg.quantizing import fine_level
from predictors.mixing import rate_map
from predictors.mixing.hashing import bucket

_ENTRIES = 1 << 16
_LIMIT = 511
"""Probabilities are means of what followed, of as many as this."""

INPUTS = 2
"""Of the mixer for each expected value."""

UNIT_BITS = 3
"""Expected values are in 1/8."""

Expectations = namedtuple("Expectations", "maps places values contexts is_signed")
Expectations.__doc__ = """State of n expected values.

maps: [n * 2**16] uint32, see `rate_map`. places: [n] int64, entries of the decision. values,
contexts: [n] int64, what is expected, and what else tells. is_signed: [n] int64, 0 = only its
magnitude is expected.
"""


def new_expectations(n: int) -> Expectations:
    """Untrained."""
    return Expectations(
        maps=rate_map.new_entries(np.full(n * _ENTRIES, rate_map.HALF)),
        places=np.zeros(n, dtype=np.int64),
        values=np.zeros(n, dtype=np.int64),
        contexts=np.zeros(n, dtype=np.int64),
        is_signed=np.zeros(n, dtype=np.int64),
    )


@inlined
def look_up(
    e: Expectations, what: int, sign: int, limit: int, inputs: npt.NDArray[np.int32], first: int
) -> None:
    """Write inputs of the mixer, `INPUTS` for each value, from place `first` on.

    Args:
        what: which decision it is.
        sign: of the value, 1 or -1; 1 as long as it is not known.
        limit: what the magnitude must reach, if that is the decision.
    """
    for j in range(len(e.values)):
        x = e.values[j] * sign if e.is_signed[j] else e.values[j]
        x -= np.int64(limit) << UNIT_BITS
        distance = min(fine_level(abs(x)), np.int64(63))
        where = 64 + distance if x >= 0 else 64 - distance
        place = j * _ENTRIES + bucket(e.contexts[j], np.int64(what) << 7 | where, _ENTRIES)
        e.places[j] = place
        p = rate_map.probability(e.maps[place])
        inputs[first + INPUTS * j] = rate_map.log_odds(p)
        inputs[first + INPUTS * j + 1] = rate_map.distance(p)


@inlined
def learn(e: Expectations, bit: int) -> None:
    """Learn the bit that followed."""
    for j in range(len(e.places)):
        rate_map.learn(e.maps, e.places[j], bit, _LIMIT)
