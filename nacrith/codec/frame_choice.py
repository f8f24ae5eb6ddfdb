"""The smallest of the frames that a block can become, the streams in it left as they are."""

from dataclasses import replace

from nacrith.codec.binary_codec import encode_lzma, holds_strings
from nacrith.codec.block_segments import segments_of
from nacrith.codec.callbacks import FrameCallback, bytes_done, ignore
from nacrith.codec.codec_request import Codec, Opener
from nacrith.codec.kinds import join_kinds, merged
from nacrith.codec.known import Known
from nacrith.codec.model_pays import NO_CHOICE, Choice, choose
from nacrith.codec.run import Run
from nacrith.codec.segment_coding import encode_segments
from nacrith.codec.segments import binary_segments
from nacrith.codec.text_mixing import LONG_INSTEAD_OF_MODEL, TextMixing, may_be_text, mix_text
from nacrith.format.frame import Frame, Kind, Segment
from predictors.text.text_model import TextPast

DOUBTFUL_SHARE = 0.5
"""Text of which the model leaves more than this share may be none. If it leaves more than this
share of what LZMA leaves, context mixing of text, a hundred times as fast, may be better. (Of text
that the model knows well it leaves 0.25 to 0.45 of what LZMA leaves; context mixing does 0.55 to
0.75.)"""

_LEAST_TRIAL = 1 << 13
"""Less text, in bytes, is not worth the half second that context mixing reads its primer for."""

_LEAST_STRINGS = 16
"""Strings that are less than one byte in so many of a block are worth no trial."""


def smallest_frame(
    block: bytes,
    known: Known,
    codec: Codec | Opener | None,
    on_progress: FrameCallback,
    past: TextPast | None,
) -> Frame:
    """Encode a block without looking into its streams.

    Args:
        known: what is known of the block beforehand.
        codec, on_progress, past: see `encode_frame`.

    Raises:
        NacrithError: the model fails.
    """
    unchosen = replace(NO_CHOICE, known=known)
    if codec is None:
        return encode_segments(block, _binary(block, unchosen), None, on_progress, past)
    segments = segments_of(block, known)
    if callable(codec):
        if all(kind != Kind.TEXT for kind, _ in segments):
            as_found = replace(unchosen, segments=segments)
            return encode_segments(block, as_found, None, on_progress, past)
        codec = codec()
    if isinstance(codec, TextMixing):
        return _encode_mixed(block, segments, codec, on_progress, past, unchosen)
    choice = choose(block, segments, codec, codec.least_saving, known)
    frame = encode_segments(block, choice, codec, on_progress, past)
    payload = len(frame.payloads.get(Kind.TEXT, b""))
    if payload and not choice.holds(payload):
        candidates = [encode_segments(block, _binary(block, choice), None, on_progress, past)]
    else:
        candidates = [frame]
        if choice.segments != segments and codec.least_saving == 0:
            # The choice was made by samples.
            whole = replace(choice, segments=segments)
            candidates.append(encode_segments(block, whole, codec, on_progress, past))
        if len(candidates) > 1 or payload > DOUBTFUL_SHARE * frame.size_of(Kind.TEXT):
            candidates.append(encode_segments(block, _binary(block, choice), past=past))
    if codec.least_saving is not None and _mixing_may_be_smaller(block, segments, frame):
        codec = TextMixing(LONG_INSTEAD_OF_MODEL)
        mixed = _with_opaque_text(block, segments, known)
        candidates.append(_as_mixed_text(block, mixed, codec, ignore, past, choice))
    return min(candidates, key=encoded_size)


def _mixing_may_be_smaller(block: bytes, segments: list[Segment], frame: Frame) -> bool:
    """May a frame be smaller if its text gets context mixing of text?"""
    if Kind.TEXT in frame.payloads:
        text = join_kinds(block, frame.segments, {Kind.TEXT})
        payload = len(frame.payloads[Kind.TEXT])
        return len(text) >= _LEAST_TRIAL and payload > DOUBTFUL_SHARE * len(encode_lzma(text))
    return _has_tables_of_strings(block, segments)


def _has_tables_of_strings(block: bytes, segments: list[Segment]) -> bool:
    """Is there binary data that strings may help with, if they are known before it?"""
    text = join_kinds(block, segments, {Kind.TEXT})
    return _LEAST_STRINGS * len(text) > len(block) > len(text) and holds_strings(text)


def _encode_mixed(
    block: bytes,
    segments: list[Segment],
    codec: TextMixing,
    on_progress: FrameCallback,
    past: TextPast | None,
    choice: Choice,
) -> Frame:
    """Encode a block whose text gets context mixing; of `choice` the segments do not count."""
    segments = _with_opaque_text(block, segments, choice.known)
    if all(kind != Kind.MIXED_TEXT for kind, _ in segments):
        return encode_segments(block, _binary(block, choice), None, on_progress, past, b"")
    frame = _as_mixed_text(block, segments, codec, on_progress, past, choice)
    size = frame.size_of(Kind.MIXED_TEXT)
    if 0 < size == len(block) > len(frame.payloads[Kind.MIXED_TEXT]):
        return frame
    # The strings of a program are worth little without the rest.
    whole = encode_segments(block, _binary(block, choice), None, on_progress, past, b"")
    return min(frame, whole, key=encoded_size)


def _as_mixed_text(
    block: bytes,
    segments: list[Segment],
    codec: TextMixing,
    on_progress: FrameCallback,
    past: TextPast | None,
    choice: Choice,
) -> Frame:
    """Encode a block without the model, by segments that `_with_opaque_text` has made and what
    else is known of the choice."""
    text = join_kinds(block, segments, {Kind.MIXED_TEXT})
    payload = mix_text(text, codec.variant, bytes_done(on_progress), past) if text else b""
    chosen = replace(choice, segments=segments)
    return encode_segments(block, chosen, None, on_progress, past, payload)


def _with_opaque_text(block: bytes, segments: list[Segment], known: Known) -> list[Segment]:
    """The segments with text as MIXED_TEXT, words of no language such as base64 among it."""
    result = []
    position = 0
    for kind, length in segments:
        run = Run(position, position + length)
        is_opaque = (
            kind == Kind.MIXED
            # Grey pixels may all be letters.
            and not known.within([run]).media
            and may_be_text(block[run.begin : run.end])
        )
        is_text = kind == Kind.TEXT or is_opaque
        result.append(Segment(Kind.MIXED_TEXT if is_text else kind, length))
        position += length
    return merged(result)


def _binary(block: bytes, choice: Choice) -> Choice:
    """All of a block taken as binary data."""
    return replace(choice, segments=binary_segments(block, choice.known.media))


def encoded_size(frame: Frame) -> int:
    """Bytes that a frame takes in a file, without its length and checksum."""
    return len(frame.to_bytes())
