"""The coefficients of the JPEG pictures of a frame, one picture after the other."""

from collections.abc import Callable, Iterator, Sequence

from coder import Decoder, Encoder
from nacrith.errors import FormatError
from nacrith.transforms.jpeg.picture import Picture, read_headers
from predictors.jpeg.coefficient_model import JpegModel
from predictors.jpeg.layout import COEFFICIENTS, Coefficients, count_blocks

MAX_COEFFICIENTS = 1 << 29
"""Of all pictures of a frame. That so many are 0 takes minutes to be read."""

NextCoefficients = Callable[[bytes], Coefficients]
"""Returns those of the next picture, given its other bytes."""


def encode_pictures(pictures: Sequence[Picture], on_progress: Callable[[int], None]) -> bytes:
    """Code the coefficients of pictures; `on_progress` is told how many blocks are done."""
    coder = Encoder()
    model = JpegModel()
    done = 0
    for picture in pictures:
        begin = done
        components = picture.frame.components

        def told(blocks: int, begin: int = begin) -> None:
            on_progress(begin + blocks)

        model.code(coder, picture.coefficients, components, picture.quantization, told)
        done += count_blocks(components)
    return coder.finish()


def blocks_of(pictures: Sequence[Picture]) -> int:
    """Of all components of all pictures."""
    return sum(count_blocks(picture.frame.components) for picture in pictures)


def decoder_of(payload: bytes, check: Callable[[], None]) -> NextCoefficients:
    """Inverse of `encode_pictures`.

    Args:
        check: called now and then; may raise.
    """
    coder = Decoder(payload)
    model: JpegModel | None = None
    left = MAX_COEFFICIENTS

    def decode(content: bytes) -> Coefficients:
        nonlocal left, model
        frame, quantization = read_headers(content)
        if frame is None:
            raise FormatError("a frame is damaged: a JPEG picture has no header that is known")
        left -= COEFFICIENTS * count_blocks(frame.components)
        if left < 0:
            raise FormatError("a frame is damaged: its JPEG pictures are too large")
        model = model or JpegModel()
        coefficients = frame.new_coefficients()
        model.code(coder, coefficients, frame.components, quantization, lambda done: check())
        return coefficients

    return decode


def none(content: bytes) -> Coefficients:
    """Where there are no pictures; raises FormatError."""
    raise FormatError("a frame is damaged: it has JPEG pictures without coefficients")


def known_of(pictures: Sequence[Picture]) -> NextCoefficients:
    """Of pictures that are known: to see whether all else is restored."""
    left: Iterator[Picture] = iter(pictures)
    return lambda content: next(left).coefficients
