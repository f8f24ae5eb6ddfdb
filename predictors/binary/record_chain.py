"""Data that is a chain of records of any lengths: type, length, content.

The streams of older spreadsheets are such chains: Excel's BIFF, versions 2 to 8 (Microsoft,
"Excel 97-2007 Binary File Format"; also OpenOffice's documentation of it by Rentz). Two bytes are
the type, two the length of what follows, least significant first; a cell's content begins with row
and column. A chain is found by a record that opens a sheet, and lost at one that can't be.

So the byte above has two meanings here: the one at the same place of the last record of the same
type and length (SAME), and of the record that followed the one above the last (ABOVE).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import inlined

# Places in the numbers that are kept: is there a chain? type and length of the record, and the
# place in it; where the two records above begin, 0 = there is none; the column of the cell; types
# with lengths of the three records before.
IN_STEP, TYPE, LENGTH, PLACE, SAME, ABOVE, COLUMN, HEADS = range(8)
NUMBERS = 10

HEAD = 4
"""Bytes of type and length."""

_MAX_TYPE, _MAX_LENGTH = 0xFFF, 8224
_OPENS = 9
"""The low byte of the types of records that open a sheet; the high byte tells the version."""

_BY_HEAD = 1 << 12
_BY_COLUMN = 1 << 16
MEMORY = _BY_HEAD + _BY_COLUMN
"""Numbers of memory: where the last record of a type and length began, and one past where the
last of a column did."""


@inlined
def _pair(data: npt.NDArray[np.uint8], i: int) -> Any:
    return np.int64(data[i]) | np.int64(data[i + 1]) << 8


@inlined
def append(
    n: npt.NDArray[np.int64],
    memory: npt.NDArray[np.int64],
    first: int,
    data: npt.NDArray[np.uint8],
    end: int,
) -> None:
    """Take note of the byte before place `end`.

    Args:
        n: the numbers, changed.
        memory: from place `first` on `MEMORY` numbers, changed.
        data: known up to `end`, with 4 bytes or more before it.
    """
    if n[IN_STEP]:
        n[PLACE] += 1
        if n[PLACE] == HEAD:
            n[TYPE] = _pair(data, end - 4)
            n[LENGTH] = _pair(data, end - 2)
            if n[TYPE] > _MAX_TYPE or n[LENGTH] > _MAX_LENGTH:
                n[IN_STEP] = 0
            else:
                at = first + ((n[TYPE] ^ n[LENGTH] << 6) & (_BY_HEAD - 1))
                n[SAME] = memory[at]
                memory[at] = end - 4
        if n[PLACE] == HEAD + 4:
            n[COLUMN] = _pair(data, end - 2)
        if n[PLACE] >= HEAD and n[PLACE] == n[LENGTH] + HEAD:
            _end_record(n, memory, first, data, end)
    elif (
        data[end - 1] == 0
        and data[end - 4] == _OPENS
        and data[end - 3] in (0, 2, 4, 8)
        and data[end - 2] in (4, 6, 8, 16)
    ):
        n[IN_STEP] = 1
        n[PLACE] = HEAD
        n[TYPE] = _pair(data, end - 4)
        n[LENGTH] = _pair(data, end - 2)
        n[SAME] = 0
        n[ABOVE] = 0


@inlined
def _end_record(
    n: npt.NDArray[np.int64],
    memory: npt.NDArray[np.int64],
    first: int,
    data: npt.NDArray[np.uint8],
    end: int,
) -> None:
    """A record ends before place `end`: arguments as for `append`."""
    n[HEADS + 2] = n[HEADS + 1]
    n[HEADS + 1] = n[HEADS]
    n[HEADS] = n[TYPE] << 16 | n[LENGTH]
    n[ABOVE] = 0
    if n[LENGTH] >= HEAD:
        at = first + _BY_HEAD + n[COLUMN]
        above = memory[at] - 1
        memory[at] = end - n[LENGTH] - HEAD + 1
        if above > 0:
            n[ABOVE] = above + HEAD + _pair(data, above + 2)
    n[PLACE] = 0
    n[TYPE] = 0
    n[LENGTH] = 0
    n[SAME] = 0
