"""Segments whose kinds have been chosen → a frame with their payloads."""

from nacrith.codec.binary_codec import encode_binary, encode_lzma, holds_strings
from nacrith.codec.callbacks import FrameCallback, bytes_done, ignore, tokens_done
from nacrith.codec.kinds import TEXTS, join_kinds, relabelled, runs_of
from nacrith.codec.model_pays import Choice
from nacrith.codec.text_codec import TextCodec
from nacrith.format.frame import Frame, Kind, Segment, check_of
from predictors.text.text_model import TextPast


def encode_segments(
    block: bytes,
    choice: Choice,
    codec: TextCodec | None = None,
    on_progress: FrameCallback = ignore,
    past: TextPast | None = None,
    mixed_text: bytes | None = None,
) -> Frame:
    """Encode a block as was chosen.

    Args:
        codec: may be None if no segment is text for the model.
        past: what text by context mixing begins with; None = the primer.
        mixed_text: the payload of the segments that are MIXED_TEXT, empty if there are none;
            None = binary data that may be text can become MIXED_TEXT here.

    Raises:
        NacrithError: the model fails.
    """
    segments = choice.segments
    payloads = {Kind.MIXED_TEXT: mixed_text} if mixed_text else {}
    n_symbols = 0
    text = join_kinds(block, segments, {Kind.TEXT})
    if text:
        assert codec is not None
        n_symbols, payloads[Kind.TEXT] = codec.encode(text, tokens_done(on_progress, len(text)))
    segments, binary = _encode_binary(block, choice, on_progress, mixed_text is None, past)
    return Frame(segments, check_of(block), payloads | binary, n_symbols)


def _encode_binary(
    block: bytes, choice: Choice, on_progress: FrameCallback, as_text: bool, past: TextPast | None
) -> tuple[list[Segment], dict[Kind, bytes]]:
    """Choose the kinds of the binary segments; return all segments, and their payloads."""
    segments = choice.segments
    random = join_kinds(block, segments, {Kind.STORED})
    mixed = join_kinds(block, segments, {Kind.MIXED})
    whole = join_kinds(block, segments, {Kind.STORED, Kind.MIXED})
    chosen, payloads = segments, {}
    if random:
        payloads[Kind.STORED] = random
    if mixed:
        text = join_kinds(block, segments, TEXTS)
        # What was tried before did not know the text.
        tried = None if holds_strings(text) else choice.payload_of(mixed)
        known = choice.known.within(runs_of(segments, {Kind.MIXED}))
        kind, payload = encode_binary(
            mixed, bytes_done(on_progress), tried, as_text, past, known, text
        )
        chosen = relabelled(segments, {Kind.MIXED}, kind)
        payloads[kind] = whole if kind == Kind.STORED else payload
    if random:
        # What looks random may repeat itself far away.
        packed = encode_lzma(whole)
        if len(packed) < sum(map(len, payloads.values())):
            chosen = relabelled(segments, {Kind.STORED, Kind.MIXED}, Kind.LZMA)
            payloads = {Kind.LZMA: packed}
    return chosen, payloads
