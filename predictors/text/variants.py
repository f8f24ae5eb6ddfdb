"""How much is modeled of a text: the more, the smaller and slower."""

from collections.abc import Callable
from typing import NamedTuple

from predictors.text.long_primer import long_primer
from predictors.text.primer import PRIMER
from predictors.text.text_contexts import KINDS


class Variant(NamedTuple):
    """Attributes:
    kinds: the kinds of context (`text_contexts`) in the order of the mixer's inputs.
    selectors: so many of the weight sets' selectors (`decision`), the first ones.
    inputs: numbers of those that a context gives the mixer: see `decision`; the first ones.
    primer: returns what is read before the data.
    """

    kinds: tuple[int, ...]
    selectors: int
    inputs: tuple[int, ...] = (0, 1)
    primer: Callable[[], bytes] = lambda: PRIMER


# Frozen: files name them by number. Append only.
VARIANTS: dict[int, Variant] = {
    1: Variant((1, 2, 3, 4, 6, 7, 8, 11, 13, 15, 18, 20), 4),
    2: Variant(tuple(range(KINDS)), 6),
    3: Variant(tuple(range(KINDS)), 9, (0, 1, 2), long_primer),
}
