"""Binary data in parts, each with the model that is made for it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from coder import Coder, Encoder
from predictors.binary import engine
from predictors.binary.bilevel_model import MAX_WIDTH, MIN_WIDTH, code_bilevel
from predictors.binary.byte_model import NO_TEXT, code_bytes
from predictors.binary.pixel_model import MAX_STRIDE, MIN_STRIDE, PIXELS, code_pixels
from predictors.binary.record_length import MAX_RECORD, MIN_RECORD
from predictors.binary.sound_model import code_sound
from predictors.binary.sound_samples import BIG_ENDIAN, EIGHT_BITS, LITTLE_ENDIAN, MAX_CHANNELS


class Model(IntEnum):
    """What a part is, as files number it."""

    BYTES = 0
    BILEVEL = 1
    PIXELS = 2
    SOUND = 3
    BYTES_AFTER_TEXT = 4


@dataclass(frozen=True)
class Part:
    """Bytes in a row.

    Attributes:
        model: what they are.
        size: how many.
        numbers: what the model must know: of both kinds of BYTES the length of a record; of
            BILEVEL the bytes of a row; of PIXELS those of a row and of a pixel; of SOUND the
            format of a sample, and how many channels there are.
    """

    model: Model
    size: int
    numbers: tuple[int, ...]


OF_BYTES = (Model.BYTES, Model.BYTES_AFTER_TEXT)
"""Without a model of their own. AFTER_TEXT: the strings that tables of them point to are known."""

NUMBERS = {
    Model.BYTES: 1,
    Model.BILEVEL: 1,
    Model.PIXELS: 2,
    Model.SOUND: 2,
    Model.BYTES_AFTER_TEXT: 1,
}
"""How many each model must know."""


def of_picture(stride: int, bits: int) -> tuple[Model, tuple[int, ...]] | None:
    """The model, and its numbers, of a picture of so many bits a pixel; None if there is none.

    Args:
        stride: bytes of a row.
    """
    if bits == 1 and MIN_WIDTH <= stride <= MAX_WIDTH:
        return Model.BILEVEL, (stride,)
    if bits in _PIXEL_BITS:
        return Model.PIXELS, (stride, bits // 8)
    return None


def of_png(stride: int, bits: int) -> tuple[Model, tuple[int, ...]] | None:
    """The same of a PNG picture, whose pixels may have 2, 6 or 8 bytes: taken as if they had four.

    High and low bytes stay apart so. With pixels of four bytes the ones 2, 6 and 8 places before
    are looked at too.
    """
    return of_picture(stride, _FOUR_BYTES if bits % _TWO_BYTES == 0 else bits)


_TWO_BYTES, _FOUR_BYTES = 16, 32
_PIXEL_BITS = tuple(8 * n for n in PIXELS)


def problem(part: Part) -> str:
    """Why there can't be such a part; empty if there can."""
    number = part.numbers[0]
    if part.model in OF_BYTES and not MIN_RECORD <= number <= MAX_RECORD:
        return f"records of {number} bytes"
    if part.model == Model.BILEVEL and not MIN_WIDTH <= number <= MAX_WIDTH:
        return f"rows of {number} bytes"
    if part.model == Model.PIXELS and not (
        max(MIN_STRIDE, 3 * part.numbers[1]) <= number <= MAX_STRIDE and part.numbers[1] in PIXELS
    ):
        return f"rows of {number} bytes, pixels of {part.numbers[1]}"
    if part.model == Model.SOUND and not _is_sound(part.size, *part.numbers):
        return f"{part.size} bytes of sound of format {number} in {part.numbers[1]} channels"
    return ""


def _is_sound(size: int, kind: int, channels: int) -> bool:
    is_whole = kind == EIGHT_BITS or size % 2 == 0
    return (
        is_whole
        and kind in (EIGHT_BITS, LITTLE_ENDIAN, BIG_ENDIAN)
        and 1 <= channels <= MAX_CHANNELS
    )


def code_part(
    coder: Coder,
    data: npt.NDArray[np.uint8],
    part: Part,
    on_progress: Callable[[int], None] = lambda done: None,
    every: int = engine.BLOCK,
    text: npt.NDArray[np.uint8] = NO_TEXT,
) -> None:
    """Code a part that has no `problem`; other arguments as for `code_bytes`.

    `text` is for BYTES_AFTER_TEXT alone.
    """
    if part.model == Model.BYTES_AFTER_TEXT:
        code_bytes(coder, data, part.numbers[0], on_progress, every, text)
    else:
        _CODE[part.model](coder, data, *part.numbers, on_progress, every)


def coded_size(data: npt.NDArray[np.uint8], part: Part) -> int:
    """What [n] uint8 cost as such a part, whatever its size is, in bytes."""
    coder = Encoder()
    code_part(coder, data.copy(), replace(part, size=len(data)))
    return len(coder.finish())


_CODE: dict[Model, Callable[..., None]] = {
    Model.BYTES: code_bytes,
    Model.BILEVEL: code_bilevel,
    Model.PIXELS: code_pixels,
    Model.SOUND: code_sound,
}
