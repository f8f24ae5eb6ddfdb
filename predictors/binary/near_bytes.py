"""Bits of a byte that is expected to be near another one: a counter, an address, an entry above.

In a context of the byte above, each value above is a context of its own, and what follows one
says nothing of the next. Here a bit's context is how the known bits of the byte compare with the
same bits of the expected one, and the rest of the expected one: steps by 1, 2 or 4 are learned
once for all values, carries included.
"""

from collections import namedtuple

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined
from predictors.mixing import rate_map
from predictors.mixing.hashing import bucket

_ENTRIES = 1 << 16
_LIMIT = 255
"""Probabilities are means of what followed, of as many as this."""

INPUTS = 2
"""Of the mixer, for each map: log-odds, and distance from one half."""

Near = namedtuple("Near", "maps places near_to contexts")
Near.__doc__ = """State of n maps.

maps: [n * 2**16] uint32, see `rate_map`. places: [n] int64, the entries of the decision. near_to:
[n] int64, what the byte may be near to; contexts: [n] int64, hashes of what else tells: both
written by the model.
"""


def new_near(n: int) -> Near:
    """n untrained maps."""
    return Near(
        maps=rate_map.new_entries(np.full(n * _ENTRIES, rate_map.HALF)),
        places=np.zeros(n, dtype=np.int64),
        near_to=np.zeros(n, dtype=np.int64),
        contexts=np.zeros(n, dtype=np.int64),
    )


@inlined
def look_up(
    near: Near, partial: int, shift: int, inputs: npt.NDArray[np.int32], first: int
) -> None:
    """Write inputs of the mixer, `INPUTS` for each map, from place `first` on.

    Args:
        partial: the known bits of the byte behind a leading 1.
        shift: the number of the bit that is coded.
    """
    known = partial - (1 << (7 - shift))
    for j in range(len(near.places)):
        expected = near.near_to[j]
        difference = known - (expected >> (shift + 1))
        rest = expected & ((2 << shift) - 1)
        if difference < -2 or difference > 2:
            rest = np.int64(0)
            difference = min(max(difference, np.int64(-3)), np.int64(3))
        context = (difference + 3) << 12 | shift << 8 | rest
        place = j * _ENTRIES + bucket(near.contexts[j], context, _ENTRIES)
        near.places[j] = place
        p = rate_map.probability(near.maps[place])
        inputs[first + INPUTS * j] = rate_map.log_odds(p)
        inputs[first + INPUTS * j + 1] = rate_map.distance(p)


@inlined
def learn(near: Near, bit: int) -> None:
    """Learn the bit that followed."""
    for j in range(len(near.places)):
        rate_map.learn(near.maps, near.places[j], bit, _LIMIT)
