"""The contexts in which the bits of binary data are counted.

Plain ones, the last bytes; sparse ones, some of them; and those of records: tables, bitmaps,
machine code, where the byte *above* is the one at the same place of the record before (as
in PAQ8's and lpaq's record, sparse and image models, Mahoney 2005 and later).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from predictors.mixing.hashing import combine

ORDERS = (1, 2, 3, 4, 6)
"""Lengths of the plain contexts, which are the first kinds."""

ORDER_2 = ORDERS.index(2)
"""The kind of the last two bytes."""

KINDS = 24
FIRST_RECORD_KIND = 14
"""The kinds from here on know the record."""


@njit(cache=True)
def byte_before(data: npt.NDArray[np.uint8], i: int, n: int) -> Any:
    """The byte n places before place i, int64."""
    return np.int64(data[i - n])


@njit(cache=True)
def hash_contexts(
    data: npt.NDArray[np.uint8], i: int, record: int, hashes: npt.NDArray[np.int64]
) -> None:
    """Write the hash of every kind of context of a byte.

    Args:
        data: uint8, known up to i, with at least max(8, 2 * record) bytes before i.
        i: int64, place of the byte.
        record: int64 ≥ 2, length of a record in bytes.
        hashes: [KINDS] int64, written.
    """
    k = 0
    h = np.int64(0)
    for n in range(1, ORDERS[-1] + 1):
        h = combine(h, byte_before(data, i, n) + 1)
        if n == ORDERS[k]:
            hashes[k] = h
            k += 1
    b1 = byte_before(data, i, 1)
    b2 = byte_before(data, i, 2)
    b3 = byte_before(data, i, 3)
    b4 = byte_before(data, i, 4)
    above = byte_before(data, i, record)
    above2 = byte_before(data, i, 2 * record)
    above_left = byte_before(data, i, record + 1)
    above_right = byte_before(data, i, record - 1)
    column = i % record
    # The second arguments that are numbers tell apart kinds with equal bytes.
    hashes[k] = 0
    hashes[k + 1] = combine(b2, 0)
    hashes[k + 2] = combine(b3, 1)
    hashes[k + 3] = combine(b4, 2)
    hashes[k + 4] = combine(combine(b2, b3), 3)
    hashes[k + 5] = combine(combine(b1, b3), 4)
    hashes[k + 6] = combine(combine(b1, b4), 5)
    hashes[k + 7] = combine(combine(b2, b4), 6)
    hashes[k + 8] = combine(combine(b4, byte_before(data, i, 8)), 7)
    hashes[k + 9] = combine(above, column)
    hashes[k + 10] = combine(combine(above, b1), 8)
    hashes[k + 11] = combine(combine(above, above2), column)
    hashes[k + 12] = combine(column, b1)
    hashes[k + 13] = combine(column, combine(b1, b2))
    hashes[k + 14] = combine(combine(above, above_right), combine(above_left, b1))
    hashes[k + 15] = combine(combine(above, above2), combine(b1, 9))
    hashes[k + 16] = combine((above - above2) & 255, combine(column, 11))
    hashes[k + 17] = combine(combine(combine(above, b1), b2), 12)
    hashes[k + 18] = combine(combine(above, above_right), combine(b1, b2))
    for j in range(KINDS):
        hashes[j] = combine(hashes[j], j)
