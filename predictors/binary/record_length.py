"""The record length of binary data: rows of a table or a bitmap, entries of a list."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit

MIN_RECORD, MAX_RECORD = 2, 1 << 18
"""In bytes. With records of one byte, the byte above and to the right would be the one coded."""

MAX_FOUND = 2048
"""Longer records are known from elsewhere, such as the rows of a PNG picture."""

DEFAULT_RECORD = 4
"""Where nothing repeats: the size of a machine word."""

_SAMPLE = 1 << 17
"""Bytes from the middle of the data that are looked at."""

# A repetition must stand out this much, in parts of the bytes.
_LEAST = 0.02
# A divisor of the best length is better, if it is nearly as good.
_NEARLY = 0.9


@njit(cache=True)
def _repeats(data: npt.NDArray[np.uint8], distance: int) -> Any:
    """How many bytes are equal to the one `distance` before while the next is not so."""
    count = 0
    for i in range(distance, len(data) - 1):
        count += (data[i] == data[i - distance]) & (data[i + 1] != data[i])
    return count


def record_length(data: npt.NDArray[np.uint8]) -> int:
    """Estimate the record length of [n] uint8, `MIN_RECORD` to `MAX_FOUND`.

    It is where most bytes equal the one above them, runs of equal bytes not counted.
    Takes the middle of long data; the time does not depend on n.
    """
    begin = max(0, (len(data) - _SAMPLE) // 2)
    sample = data[begin : begin + _SAMPLE]
    lengths = range(MIN_RECORD, min(MAX_FOUND, len(sample) // 4) + 1)
    scores = [_repeats(sample, n) / len(sample) for n in lengths]
    best = max(scores, default=0.0)
    if best < _LEAST:
        return DEFAULT_RECORD
    return next(n for n, s in zip(lengths, scores, strict=True) if s >= _NEARLY * best)


NEAR = 2048
"""So many bytes before a place tell what the records are there; up to a fourth of it long."""

MAX_NEAR_RECORD = NEAR // 4


@njit(cache=True, counted=False)
def near_record(data: npt.NDArray[np.uint8], i: int) -> Any:
    """The record length of the bytes just before place i ≥ NEAR + MAX_NEAR_RECORD, int64.

    Found as in `record_length`; a longer one must be 1/16 better.
    """
    best = np.int64(DEFAULT_RECORD)
    most = np.int64(NEAR // 8)
    for n in range(MIN_RECORD, MAX_NEAR_RECORD + 1):
        count = np.int64(0)
        for j in range(i - NEAR, i):
            count += np.int64(data[j] == data[j - n]) & np.int64(data[j] != data[j - 1])
        if count > most:
            most = count + (count >> 4)
            best = np.int64(n)
    return best
