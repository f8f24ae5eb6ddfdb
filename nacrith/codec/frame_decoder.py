"""A frame → the block of the original that it was made of, in parts as they become known."""

from collections.abc import Iterator

from nacrith.codec.assembly import Assembly
from nacrith.codec.callbacks import FrameCallback, bytes_done, ignore, scaled, tokens_done
from nacrith.codec.kinds import TEXTS
from nacrith.codec.stream_texts import StreamTexts
from nacrith.codec.text_codec import TextCodec, TextPayload
from nacrith.errors import FormatError
from nacrith.format.frame import Frame, Kind, check_of
from nacrith.system import signals
from predictors.text.text_model import TextPast


def decode_frame(
    frame: Frame,
    codec: TextCodec | None,
    wanted: range | None = None,
    on_progress: FrameCallback = ignore,
    past: TextPast | None = None,
) -> Iterator[bytes]:
    """Inverse of `encode_frame`.

    Args:
        codec: may be None if the frame has no text.
        wanted: the bytes of the block to restore; None = all. What is behind them is not
            decoded, but for some text up to the next check.
        past: see `encode_frame`.

    Yields:
        The bytes, in parts: those of text when a check of all that they are made of has
        matched, binary data (which the CRC of the frame's record is of) with the text around
        it, and the last ones when the frame's own check has.

    Raises:
        FormatError: the frame is damaged, or the model's outputs differ from the ones it
            was made with.
    """
    decoded: Iterator[StreamTexts] = iter(())
    if Kind.TEXT in frame.payloads:
        if codec is None:
            raise FormatError("a frame holds text but the header names no model")
        text = text_payload(frame)
        decoded = codec.decode(*text, tokens_done(on_progress, text.size))
    yield from restore_frame(frame, decoded, wanted, on_progress, past)


def text_payload(frame: Frame) -> TextPayload:
    """What `TextCodec` needs of a frame with text."""
    return TextPayload(frame.payloads[Kind.TEXT], frame.n_symbols, frame.size_of(Kind.TEXT))


def restore_frame(
    frame: Frame,
    decoded: Iterator[StreamTexts],
    wanted: range | None = None,
    on_progress: FrameCallback = ignore,
    past: TextPast | None = None,
) -> Iterator[bytes]:
    """The bytes of a frame whose text is being decoded: what `TextCodec.decode` yields."""
    if frame.opened or _needs_text(frame):
        yield _whole(frame, decoded, wanted, on_progress, past)
        return
    place, end = (0, frame.original_size) if wanted is None else (wanted.start, wanted.stop)
    assembly = _assembly(frame, on_progress, past)
    for texts in decoded:
        known = texts.known()
        assembly.add_text(texts.original)
        until = min(assembly.known_up_to(place, known), end)
        if texts.is_whole:
            continue
        if until > place:
            yield bytes(assembly.block[place:until])
            place = until
        if place == end:
            return
    _verify(frame, bytes(assembly.block))
    yield bytes(assembly.block[place:end])


def _needs_text(frame: Frame) -> bool:
    """Must all of the text be known before the binary data?"""
    if not {Kind.MIXED, Kind.TEXT} <= frame.payloads.keys():
        return False
    from nacrith.codec.binary_codec import needs_text

    return needs_text(frame.payloads[Kind.MIXED], frame.size_of(Kind.MIXED))


def _whole(
    frame: Frame,
    decoded: Iterator[StreamTexts],
    wanted: range | None,
    on_progress: FrameCallback,
    past: TextPast | None,
) -> bytes:
    """The bytes of a frame all of which is needed for any of them."""
    from nacrith.transforms.opening.expanding import restore
    from nacrith.transforms.opening.pictures import decoder_of, none

    told = scaled(on_progress, frame.original_size, frame.segments_size)
    text = bytearray()
    for texts in decoded:
        if texts.is_whole:
            texts.known()
            text = texts.original
    block = bytes(_assembly(frame, told, past, text).block)
    if frame.opened:
        opened = frame.opened
        coded = opened.pictures
        pictures = none if coded is None else decoder_of(coded, signals.check)
        block = restore(block, opened.payload, opened.size, pictures, signals.check)
    _verify(frame, block)
    return block if wanted is None else block[wanted.start : wanted.stop]


def _assembly(
    frame: Frame, on_progress: FrameCallback, past: TextPast | None, text: bytearray | None = None
) -> Assembly:
    """What is there of a frame, with the text if that is given."""
    parts: dict[Kind, bytes] = {}
    others = [kind for kind in frame.payloads if kind != Kind.TEXT]
    if others:
        # 20 ms that a frame of text alone need not wait for.
        from nacrith.codec.binary_codec import decode_binary, needs_text

        told = bytes_done(on_progress)
        for kind in sorted(others, key=lambda kind: kind == Kind.MIXED):
            size = frame.size_of(kind)
            known = b""
            if kind == Kind.MIXED and needs_text(frame.payloads[kind], size):
                known = _text_before(frame, parts, text)
            parts[kind] = decode_binary(kind, frame.payloads[kind], size, told, past, known)
    assembly = Assembly(frame.segments, parts)
    if text is not None:
        assembly.add_text(text)
    return assembly


def _text_before(frame: Frame, parts: dict[Kind, bytes], text: bytearray | None) -> bytes:
    """The text of a frame, of either kind, that is known before its binary data."""
    known = parts | ({} if text is None else {Kind.TEXT: bytes(text)})
    places = dict.fromkeys(TEXTS, 0)
    joined = []
    for kind, length in frame.segments:
        if kind in TEXTS and kind in known:
            joined.append(known[kind][places[kind] : places[kind] + length])
            places[kind] += length
    return b"".join(joined)


def _verify(frame: Frame, block: bytes) -> None:
    if check_of(block) != frame.check:
        raise FormatError(
            "the restored data does not match its checksum: the file is damaged, or this "
            "machine computes other model outputs than the one that made it"
        )
