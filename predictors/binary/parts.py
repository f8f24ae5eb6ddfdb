"""Binary data in parts, each with the model that is made for it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from coder import Coder
from predictors.binary import engine
from predictors.binary.bilevel_model import MAX_WIDTH, MIN_WIDTH, code_bilevel
from predictors.binary.byte_model import code_bytes
from predictors.binary.record_length import MAX_RECORD, MIN_RECORD


class Model(IntEnum):
    """What a part is, as files number it."""

    BYTES = 0
    BILEVEL = 1


@dataclass(frozen=True)
class Part:
    """Bytes in a row.

    Attributes:
        model: what they are.
        size: how many.
        numbers: what the model must know: of BYTES the length of a record, of BILEVEL the
            bytes of a row.
    """

    model: Model
    size: int
    numbers: tuple[int, ...]


NUMBERS = {Model.BYTES: 1, Model.BILEVEL: 1}
"""How many each model must know."""


def problem(part: Part) -> str:
    """Why there can't be such a part; empty if there can."""
    number = part.numbers[0]
    if part.model == Model.BYTES and not MIN_RECORD <= number <= MAX_RECORD:
        return f"records of {number} bytes"
    if part.model == Model.BILEVEL and not MIN_WIDTH <= number <= MAX_WIDTH:
        return f"rows of {number} bytes"
    return ""


def code_part(
    coder: Coder,
    data: npt.NDArray[np.uint8],
    part: Part,
    on_progress: Callable[[int], None] = lambda done: None,
    every: int = engine.BLOCK,
) -> None:
    """Code a part that has no `problem`; other arguments as for `code_bytes`."""
    if part.model == Model.BILEVEL:
        code_bilevel(coder, data, *part.numbers, on_progress, every)
    else:
        code_bytes(coder, data, *part.numbers, on_progress, every)
