"""A block's header, coded as what differs from the one that zlib would write."""

from typing import Any

import numpy as np
import numpy.typing as npt

from coder.kernels import njit
from coder.range_coder import Coder
from nacrith.transforms.deflate.adaptive_numbers import (
    code_choice,
    code_flag,
    new_table,
)
from nacrith.transforms.deflate.alphabet import (
    DYNAMIC,
    FIXED,
    MOST_LITERALS,
    N_CODES,
    N_DISTANCES,
    N_LENGTHS,
    N_LITERALS,
)
from nacrith.transforms.deflate.block_header import (
    CODE,
    DISTANCES,
    FIRST,
    HEADER,
    LITERALS,
    MANY_ZEROS,
    OPERATION_EXTRA,
    OPERATIONS,
    SHOWN,
    TYPE,
    choose_code,
    lengths_of,
    predict_header,
    shown_of,
    spell,
)

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

# Contexts: flags, then numbers of codes, lengths by the one predicted, operations and their extra
# bits, code lengths of code lengths.
_FIXED, _SPELLED, _CODED, _SHOWN = range(4)
_IS_OTHER = 4
_N_LITERALS = _IS_OTHER + 4
_N_DISTANCES = _N_LITERALS + 32
_LENGTHS = _N_DISTANCES + 32
_N_OPERATIONS = _LENGTHS + 16 * 16
_SYMBOLS = _N_OPERATIONS + 512
_EXTRA = _SYMBOLS + 32 * 32
_WIDTHS = _EXTRA + 3 * 128
_N_SHOWN = _WIDTHS + N_LENGTHS * 8
_N_CONTEXTS = _N_SHOWN + 16

_CODE_BITS = 64 + N_CODES * 17 + N_LENGTHS * 3
"""A header takes at most so many coded bits."""


@njit(cache=True, counted=False)
def _code_lengths(coder: Any, table: Any, guess: Bytes, header: Ints, lengths: Bytes) -> None:
    """Code lengths[...] where they differ from those predicted; filled in when decoding."""
    history = np.int64(0)
    for i in range(N_CODES):
        is_there = i < header[LITERALS]
        if i >= N_LITERALS:
            is_there = i < N_LITERALS + header[DISTANCES]
        if not is_there:
            lengths[i] = 0
            continue
        is_other = code_flag(coder, table, _IS_OTHER + history, lengths[i] != guess[i])
        history = (history << 1 | is_other) & 3
        if is_other:
            context = _LENGTHS + 16 * np.int64(guess[i])
            lengths[i] = code_choice(coder, table, context, 4, lengths[i])
        else:
            lengths[i] = guess[i]


@njit(cache=True, counted=False)
def _code_operations(coder: Any, table: Any, header: Ints) -> Any:
    """Code the operations; filled in when decoding. Are they operations?"""
    n = code_choice(coder, table, _N_OPERATIONS, 9, header[OPERATIONS])
    if n > N_CODES:
        return False
    header[OPERATIONS] = n
    previous = np.int64(0)
    for i in range(n):
        operation = header[FIRST + i]
        symbol = code_choice(coder, table, _SYMBOLS + 32 * previous, 5, operation & 31)
        if symbol > MANY_ZEROS:
            return False
        extra = np.int64(0)
        if OPERATION_EXTRA[symbol]:
            context = _EXTRA + 128 * (symbol - 16)
            extra = code_choice(coder, table, context, OPERATION_EXTRA[symbol], operation >> 8)
        header[FIRST + i] = symbol | extra << 8
        previous = symbol
    return True


@njit(cache=True)
def _same(a: Ints, b: Ints, begin: int, end: int) -> Any:
    others = 0
    for i in range(begin, end):
        others += a[i] != b[i]
    return others == 0


@njit(cache=True)
def _code(
    coder: Any,
    table: Any,
    predicted: Ints,
    guess: Bytes,
    header: Ints,
    lengths: Bytes,
) -> Any:
    """Code a header that is not the one predicted; is it well formed?

    Args:
        predicted, guess: header and lengths by `predict_header`.
        header, lengths: filled in when decoding.
    """
    is_fixed = code_flag(coder, table, _FIXED, header[TYPE] == FIXED)
    header[TYPE] = FIXED if is_fixed else DYNAMIC
    if is_fixed:
        return lengths_of(header, lengths)
    header[LITERALS] = 257 + code_choice(coder, table, _N_LITERALS, 5, header[LITERALS] - 257)
    header[DISTANCES] = 1 + code_choice(coder, table, _N_DISTANCES, 5, header[DISTANCES] - 1)
    if header[LITERALS] > MOST_LITERALS or header[DISTANCES] > N_DISTANCES:
        return False
    _code_lengths(coder, table, guess, header, lengths)
    scratch = header.copy()
    spell(lengths, scratch)
    end = FIRST + header[OPERATIONS]
    is_same = header[OPERATIONS] == scratch[OPERATIONS] and _same(header, scratch, FIRST, end)
    if code_flag(coder, table, _SPELLED, is_same):
        header[:] = scratch
    elif not _code_operations(coder, table, header):
        return False
    # What the operations say counts.
    if not lengths_of(header, lengths):
        return False
    scratch[:] = header
    choose_code(scratch)
    if code_flag(coder, table, _CODED, _same(header, scratch, CODE, FIRST)):
        header[CODE:FIRST] = scratch[CODE:FIRST]
    else:
        for i in range(N_LENGTHS):
            width = code_choice(coder, table, _WIDTHS + 8 * i, 3, header[CODE + i])
            header[CODE + i] = width
            scratch[CODE + i] = width
        shown_of(scratch)
    if code_flag(coder, table, _SHOWN, header[SHOWN] == scratch[SHOWN]):
        header[SHOWN] = scratch[SHOWN]
    else:
        header[SHOWN] = 4 + code_choice(coder, table, _N_SHOWN, 4, header[SHOWN] - 4)
    return header[SHOWN] <= N_LENGTHS


class HeaderCoding:
    """Codes the headers of blocks that are not stored."""

    def __init__(self, coder: Coder) -> None:
        self._coder = coder
        self._table = new_table(_N_CONTEXTS)
        self._context_table = new_table(1)

    def code(
        self, frequencies: Ints, only_fixed: bool, given: Ints | None
    ) -> tuple[Ints, Bytes, bool] | None:
        """Code a header.

        Args:
            frequencies: [318] int64, of the block's symbols.
            only_fixed: does the compressor make fixed blocks only?
            given: the header when encoding.

        Returns:
            The header, the code lengths, and whether it was predicted; None if it is not well
            formed.
        """
        predicted = np.zeros(HEADER, dtype=np.int64)
        guess = np.zeros(N_CODES, dtype=np.uint8)
        predict_header(frequencies, only_fixed, predicted, guess)
        header = np.zeros(HEADER, dtype=np.int64) if given is None else given.copy()
        lengths = np.zeros(N_CODES, dtype=np.uint8)
        if given is not None:
            lengths_of(header, lengths)
        as_predicted = given is not None and _is_equal(given, predicted)
        state = self._coder.kernel_state(1)
        if code_flag(state, self._context_table, 0, int(as_predicted)):
            lengths_of(predicted, lengths)
            return predicted, lengths, True
        state = self._coder.kernel_state(_CODE_BITS)
        if not _code(state, self._table, predicted, guess, header, lengths):
            return None
        return header, lengths, False


def _is_equal(a: Ints, b: Ints) -> bool:
    if a[TYPE] != b[TYPE] or a[TYPE] == FIXED:
        return bool(a[TYPE] == b[TYPE])
    return bool(
        a[SHOWN] == b[SHOWN]
        and a[OPERATIONS] == b[OPERATIONS]
        and a[LITERALS] == b[LITERALS]
        and np.array_equal(a[CODE : FIRST + a[OPERATIONS]], b[CODE : FIRST + b[OPERATIONS]])
    )
