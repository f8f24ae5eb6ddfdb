"""Context mixing for text: bytes as eight decisions, without a language model.

Every decision is predicted by bit histories in many contexts (`text_contexts`) and a match
model, mixed and corrected (`decision`). Integer arithmetic throughout.

The model reads a *primer* before the data (`primer`), which costs time but no bits.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from coder import Coder, Encoder
from predictors.mixing.logistic import MIN_PROBABILITY
from predictors.snapshot import copied, put_back
from predictors.text.decision import Tables, code_block, new_tables
from predictors.text.text_contexts import FRONT
from predictors.text.variants import Variant

_MIN_SLOT_BITS, _MAX_SLOT_BITS = 14, 22
"""A table of slots takes from 256 KiB to 64 MiB."""

MAX_DICTIONARY = 1 << 17
"""Bytes of a dictionary that are read, the last ones: some half a second for variant 2."""

_SHORT = 8
"""Below so many times the length of what is read first, what that has taught is kept for the next
text: it takes most of the time of a small one. In memory it is 40 to 100 MB."""

_BLOCK = 1 << 12
"""Bytes coded between two calls of the progress call-back."""


def slot_bits(size: int, kinds: int) -> int:
    """Binary logarithm of the number of slots for `size` bytes in so many kinds of context."""
    wanted = (size * kinds).bit_length()
    return min(max(wanted, _MIN_SLOT_BITS), _MAX_SLOT_BITS)


def least_cost(size: int) -> int:
    """A lower bound of what `size` bytes cost, in 2**-24 bit: see `Ensemble.least_cost`."""
    return 8 * size * MIN_PROBABILITY


class TextPast:
    """What a model has read before the data: the variant's primer, then perhaps a dictionary.

    Tables that have read it are kept from the second use on, if they are for short data.
    """

    def __init__(self, dictionary: bytes = b"") -> None:
        """`dictionary`: its last `MAX_DICTIONARY` bytes are read."""
        self._dictionary = dictionary[-MAX_DICTIONARY:]
        # As they were, and those that are handed out: to allocate them takes longer than to copy.
        self._kept: dict[tuple[Variant, int], tuple[Tables, Tables] | None] = {}

    def text(self, variant: Variant) -> npt.NDArray[np.uint8]:
        """What is read, [n] uint8, with `FRONT` zeros in front."""
        return _front(variant.primer() + self._dictionary)

    def tables(self, size: int, variant: Variant) -> Tables:
        """Tables for `size` bytes of data, that have read what is before them.

        They may be used until the next call.
        """
        text = self.text(variant)
        bits = slot_bits(len(text) + size, len(variant.kinds))
        is_short = size < _SHORT * len(text)
        key = variant, bits
        kept = self._kept.get(key)
        if kept:
            put_back(kept[1], kept[0])
            return kept[1]
        tables = new_tables(bits, variant)
        if is_short and not self._dictionary:
            put_back(tables, _primed(bits, variant))
        else:
            _read(tables, variant, text)
        self._kept[key] = (copied(tables), tables) if is_short and key in self._kept else None
        return tables


def _front(read: bytes) -> npt.NDArray[np.uint8]:
    return np.concatenate([np.zeros(FRONT, dtype=np.uint8), np.frombuffer(read, dtype=np.uint8)])


def _read(tables: Tables, variant: Variant, text: npt.NDArray[np.uint8]) -> None:
    """Let untrained tables learn a text, [n] uint8 with `FRONT` zeros in front."""
    # To learn is to encode, for nobody.
    state, buffer = Encoder().kernel_state(8 * len(text))
    code_block(state, buffer, tables, variant.kinds, variant.inputs, text, FRONT, len(text))


@lru_cache(maxsize=1)
def _primed(bits: int, variant: Variant) -> Tables:
    """Tables that have learned the primer: not to be changed."""
    tables = new_tables(bits, variant)
    _read(tables, variant, _front(variant.primer()))
    return tables


def code_text(
    coder: Coder,
    data: npt.NDArray[np.uint8],
    variant: Variant,
    on_progress: Callable[[int], None] = lambda done: None,
    every: int = _BLOCK,
    past: TextPast | None = None,
) -> None:
    """Code text.

    Args:
        coder: an encoder or a decoder.
        data: [n] uint8. Read when encoding, filled in when decoding. Any bytes will do.
        variant: how much is modeled.
        on_progress: called after each `every` bytes with the number of bytes done.
        every: ≥ 1; changes nothing else.
        past: what has been read before; None = the primer.
    """
    past = past or TextPast()
    before = past.text(variant)
    padded = np.concatenate([before, data])
    begin = len(before)
    tables = past.tables(len(data), variant)
    for first in range(begin, len(padded), every):
        end = min(first + every, len(padded))
        state, buffer = coder.kernel_state(8 * (end - first))
        code_block(state, buffer, tables, variant.kinds, variant.inputs, padded, first, end)
        on_progress(end - begin)
    data[:] = padded[begin:]
