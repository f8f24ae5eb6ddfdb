"""A block of the original → a frame, whatever the block holds."""

from dataclasses import replace

from nacrith.codec.binary_codec import encode_lzma
from nacrith.codec.callbacks import FrameCallback, ignore, scaled
from nacrith.codec.codec_request import Codec, Opener
from nacrith.codec.frame_choice import encoded_size, smallest_frame
from nacrith.codec.known import known_of, known_of_opened
from nacrith.codec.opening import expanded_of
from nacrith.format.frame import Frame, Kind, Opened, check_of
from nacrith.system import signals
from nacrith.transforms.opening.limits import EVERYTHING, Expanded, Inside
from predictors.text.text_model import TextPast

_SMALL_PICTURES = 1 << 15
"""So few bytes with PNG pictures opened are coded with their filters too, to see what is smaller.
(Of larger pictures the pixels are smaller, by up to 45 %.)"""

_BYTES_OF_BLOCK = 8
"""As how many bytes a block of 64 coefficients counts, as far as progress is concerned."""


def encode_frame(
    block: bytes,
    codec: Codec | Opener | None,
    on_progress: FrameCallback = ignore,
    past: TextPast | None = None,
    inside: Inside = EVERYTHING,
) -> Frame:
    """Encode a block. Without a codec all of it is taken as binary data.

    Args:
        codec: or what opens one, which is done only if there is text for the model.
        past: what text by context mixing begins with; None = the primer.
        inside: which streams in it are opened.

    Raises:
        NacrithError: the model fails.
    """
    expanded = expanded_of(block, inside)
    if expanded is None:
        return smallest_frame(block, known_of(block), codec, on_progress, past)
    frame = _encode_opened(block, expanded, codec, on_progress, past)
    pays = encoded_size(frame) < len(encode_lzma(block))
    candidates = [frame]
    is_small = len(expanded.data) <= _SMALL_PICTURES and Kind.TEXT not in frame.payloads
    if expanded.shown and (is_small or not pays):
        filtered = expanded_of(block, inside._replace(pixels=False))
        if filtered:
            candidates.append(_encode_opened(block, filtered, codec, ignore, past))
    if not pays:
        # Little was in the streams, or much of them occurs twice.
        candidates.append(smallest_frame(block, known_of(block), codec, on_progress, past))
    return min(candidates, key=encoded_size)


def _encode_opened(
    block: bytes,
    expanded: Expanded,
    codec: Codec | Opener | None,
    on_progress: FrameCallback,
    past: TextPast | None,
) -> Frame:
    """Encode a block whose streams are opened."""
    coded = len(expanded.data)
    told = scaled(on_progress, len(block), coded + _weight(expanded))
    frame = smallest_frame(expanded.data, known_of_opened(expanded), codec, told, past)
    opened = Opened(len(block), expanded.payload, _coded_pictures(expanded, told, coded))
    return replace(frame, check=check_of(block), opened=opened)


def _weight(expanded: Expanded) -> int:
    """As how many bytes the coefficients of pictures count."""
    if not expanded.pictures:
        return 0
    from nacrith.transforms.opening.pictures import blocks_of

    return _BYTES_OF_BLOCK * blocks_of(expanded.pictures)


def _coded_pictures(expanded: Expanded, on_progress: FrameCallback, before: int) -> bytes | None:
    """The coefficients of the JPEG pictures in a block; None = older programs can do without.

    Args:
        before: bytes that are done.
    """
    if not expanded.pictures:
        return b"" if expanded.is_new else None
    from nacrith.transforms.opening.pictures import encode_pictures

    def told(done: int) -> None:
        signals.check()
        on_progress(before + _BYTES_OF_BLOCK * done, 0, 0)

    return encode_pictures(expanded.pictures, told)
