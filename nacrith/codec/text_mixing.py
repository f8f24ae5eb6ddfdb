"""Text by context mixing, without the language model: the payload of the kind MIXED_TEXT."""

from typing import Any

import numpy as np

from coder import Decoder, Encoder
from nacrith.codec.callbacks import DoneCallback, ignore
from nacrith.codec.payload import can_hold, padded
from nacrith.errors import FormatError, UnsupportedError
from nacrith.format.varint import Reader, to_varint
from predictors.text.text_model import TextPast, code_text, least_cost
from predictors.text.variants import VARIANTS

INSTEAD_OF_MODEL, LONG_INSTEAD_OF_MODEL = 2, 3
"""Numbers of the variants for text that is not worth the model: it may be a few bytes, and the long
primer of the third would take longer than loading the model."""

LONG = 1 << 14
"""From so many bytes on the third is taken."""

# Of data that may be text, so many bytes of 8 are of ASCII without most control characters.
_TEXT_SHARE = 7
_BLANKS = (9, 10, 13)


class TextMixing:
    """A codec for text in place of `TextCodec`, with nothing to load.

    Attributes:
        variant: number of one of `VARIANTS`.
    """

    record = None
    """What a header says of the model: there is none."""

    def __init__(self, variant: int) -> None:
        self.variant = variant

    def close(self) -> None:
        """Nothing is open."""


def mix_text(
    data: bytes, variant: int, on_progress: DoneCallback = ignore, past: TextPast | None = None
) -> bytes:
    """Return the payload of the kind MIXED_TEXT for any data, `past` having been read before."""
    coder = Encoder()
    values: Any = np.frombuffer(data, dtype=np.uint8).copy()
    code_text(coder, values, VARIANTS[variant], on_progress, past=past)
    return to_varint(variant) + padded(coder.finish(), least_cost(len(data)))


def unmix_text(
    payload: bytes, size: int, on_progress: DoneCallback = ignore, past: TextPast | None = None
) -> bytes:
    """Inverse of `mix_text`; `size` is the original's length.

    Raises:
        FormatError: the payload is damaged.
        UnsupportedError: it is of a variant that this version does not know.
    """
    reader = Reader(payload, "text of a frame")
    number = reader.varint()
    coded = reader.rest()
    variant = VARIANTS.get(number)
    if variant is None:
        raise UnsupportedError(
            f"a frame's text was made by variant {number} of context mixing, which this version "
            "does not know; it needs a newer version of nacrith"
        )
    if not can_hold(coded, least_cost(size)):
        raise FormatError(f"a frame is damaged: {size} bytes in {len(payload)}")
    values = np.zeros(size, dtype=np.uint8)
    code_text(Decoder(coded), values, variant, on_progress, past=past)
    return values.tobytes()


def may_be_text(data: bytes) -> bool:
    """Is most of it printable ASCII?"""
    values = np.frombuffer(data, dtype=np.uint8)
    printable = np.count_nonzero((values >= 32) & (values < 127))
    blanks = sum(np.count_nonzero(values == blank) for blank in _BLANKS)
    return 8 * int(printable + blanks) >= _TEXT_SHARE * len(data)
