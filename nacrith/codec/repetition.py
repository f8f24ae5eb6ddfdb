"""Is data the same again and again?"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.mixing.hashing import bucket, combine

# At most one byte in so many is new.
_REPEATED = 64
_CONTEXT = 16


def is_repeated(data: bytes) -> bool:
    """Is nearly every byte what followed the same 16 bytes before? Linear in the size."""
    return _REPEATED * (len(data) - _expected(np.frombuffer(data, dtype=np.uint8))) < len(data)


@njit(cache=True)
def _expected(data: npt.NDArray[np.uint8]) -> Any:
    """How many bytes are what followed the last 16 bytes of the same hash."""
    places = np.zeros(1 << 16, dtype=np.int64)
    count = 0
    for i in range(_CONTEXT, len(data)):
        word = np.int64(0)
        for j in range(i - _CONTEXT, i):
            word = combine(word, data[j])
        slot = bucket(word, np.int64(0), len(places))
        same = places[slot] > 0
        for j in range(_CONTEXT + 1):
            same = same and data[places[slot] - j] == data[i - j]
        count += same
        places[slot] = i
    return count
