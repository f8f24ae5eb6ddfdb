"""A block of the original ↔ a frame, whatever the block holds."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from nacrith.codec.assembly import Assembly
from nacrith.codec.binary_codec import (
    decode_binary,
    encode_binary,
    encode_lzma,
    holds_strings,
    needs_text,
)
from nacrith.codec.block import rest_of
from nacrith.codec.callbacks import DoneCallback, FrameCallback, TextCallback, ignore
from nacrith.codec.kept_once import KeptOnce
from nacrith.codec.known import Known, Run
from nacrith.codec.media import Media, find_media, media_of
from nacrith.codec.model_pays import NO_CHOICE, Choice, choose
from nacrith.codec.opening import look_inside, take
from nacrith.codec.segments import binary_segments, find_segments
from nacrith.codec.stream_texts import StreamTexts
from nacrith.codec.text_codec import TextCodec, TextPayload
from nacrith.codec.text_mixing import LONG_INSTEAD_OF_MODEL, TextMixing, may_be_text, mix_text
from nacrith.errors import FormatError
from nacrith.format.frame import Frame, Kind, Opened, Segment, check_of
from nacrith.system import signals
from nacrith.transforms.opening.limits import ALL_STREAMS, Expanded, Inside
from predictors.text.text_model import TextPast

Opener = Callable[[], TextCodec]
"""Opens the model's codec, or returns it if it is open."""

_TEXTS = {Kind.TEXT, Kind.MIXED_TEXT}

DOUBTFUL_SHARE = 0.5
"""Text of which the model leaves more than this share may be none. If it leaves more than this
share of what LZMA leaves, context mixing of text, a hundred times as fast, may be better. (Of text
that the model knows well it leaves 0.25 to 0.45 of what LZMA leaves; context mixing does 0.55 to
0.75.)"""

_LEAST_TRIAL = 1 << 13
"""Less text is not worth the half second that context mixing reads its primer for."""

_SMALL_PICTURES = 1 << 15
"""So few bytes with PNG pictures opened are coded with their filters too, to see what is smaller.
(Of larger pictures the pixels are smaller, by up to 45 %.)"""

_LEAST_STRINGS = 16
"""Strings that are less than one byte in so many of a block are worth no trial."""


_kept: KeptOnce[list[Segment]] = KeptOnce()
"""Of the last block that was only looked at."""


def holds_text(block: bytes, least: int, inside: Inside) -> bool:
    """Has a block so many bytes of text, those in streams that are opened included?"""
    if _text_size(_kept.keep(block, find_segments(block, _known(block).media))) >= least:
        return True
    expanded = look_inside(block, inside)
    if expanded is None:
        return False
    segments = find_segments(expanded.data, _known_of(expanded).media)
    return _text_size(_kept.keep(expanded.data, segments)) >= least


def _text_size(segments: list[Segment]) -> int:
    return sum(segment.length for segment in segments if segment.kind == Kind.TEXT)


def _known(block: bytes) -> Known:
    """What is known of a block as it is."""
    return Known(media=tuple(find_media(block, rest_of(block))))


def _known_of(expanded: Expanded) -> Known:
    """What is known of a block with its streams opened."""
    found: list[Media] = []
    end = 0
    for shown in expanded.shown:
        # Headers among pixels are none.
        found += (one.moved(end) for one in find_media(expanded.data[end : shown.begin]))
        end = shown.end
        if picture := media_of(shown.begin, end, shown.rows.row - 1, shown.rows.bits):
            found.append(picture)
    found += (one.moved(end) for one in find_media(expanded.data[end:]))
    return Known(expanded.rows.row if expanded.rows else 0, tuple(found))


def encode_frame(
    block: bytes,
    codec: TextCodec | TextMixing | Opener | None,
    on_progress: FrameCallback = ignore,
    past: TextPast | None = None,
    inside: Inside = ALL_STREAMS,
) -> Frame:
    """Encode a block. Without a codec all of it is taken as binary data.

    Args:
        codec: or what opens one, which is done only if there is text for the model.
        past: what text by context mixing begins with; None = the primer.
        inside: which streams in it are opened.

    Raises:
        NacrithError: the model fails.
    """
    expanded = take(block, inside)
    if expanded is None:
        return _encode_as_is(block, _known(block), codec, on_progress, past)
    frame = _encode_opened(block, expanded, codec, on_progress, past)
    pays = _size(frame) < len(encode_lzma(block))
    candidates = [frame]
    is_small = len(expanded.data) <= _SMALL_PICTURES and Kind.TEXT not in frame.payloads
    if expanded.shown and (is_small or not pays):
        filtered = take(block, inside._replace(pixels=False))
        if filtered:
            candidates.append(_encode_opened(block, filtered, codec, ignore, past))
    if not pays:
        # Little was in the streams, or much of them occurs twice.
        candidates.append(_encode_as_is(block, _known(block), codec, on_progress, past))
    return min(candidates, key=_size)


def _encode_opened(
    block: bytes,
    expanded: Expanded,
    codec: TextCodec | TextMixing | Opener | None,
    on_progress: FrameCallback,
    past: TextPast | None,
) -> Frame:
    """Encode a block whose streams are opened."""
    told = _scaled(on_progress, len(block), len(expanded.data))
    frame = _encode_as_is(expanded.data, _known_of(expanded), codec, told, past)
    opened = Opened(len(block), expanded.payload, b"" if expanded.is_new else None)
    return replace(frame, check=check_of(block), opened=opened)


def _encode_as_is(
    block: bytes,
    known: Known,
    codec: TextCodec | TextMixing | Opener | None,
    on_progress: FrameCallback,
    past: TextPast | None,
) -> Frame:
    """Encode a block without looking into its streams."""
    none = replace(NO_CHOICE, known=known)
    if codec is None:
        return _encode(block, _binary(block, none), None, on_progress, past=past)
    segments = _kept.take(block) or find_segments(block, known.media)
    if callable(codec):
        if all(kind != Kind.TEXT for kind, _ in segments):
            return _encode(block, replace(none, segments=segments), None, on_progress, past=past)
        codec = codec()
    if isinstance(codec, TextMixing):
        return _encode_mixed(block, segments, codec, on_progress, past, none)
    choice = choose(block, segments, codec, codec.least_saving, known)
    frame = _encode(block, choice, codec, on_progress, past=past)
    payload = len(frame.payloads.get(Kind.TEXT, b""))
    if payload and not choice.holds(payload):
        candidates = [_encode(block, _binary(block, choice), None, on_progress, past=past)]
    else:
        candidates = [frame]
        if choice.segments != segments and codec.least_saving == 0:
            # The choice was made by samples.
            whole = replace(choice, segments=segments)
            candidates.append(_encode(block, whole, codec, on_progress, past=past))
        if len(candidates) > 1 or payload > DOUBTFUL_SHARE * frame.size_of(Kind.TEXT):
            candidates.append(_encode(block, _binary(block, choice), None, past=past))
    if codec.least_saving is not None and _mixing_may_be_smaller(block, segments, frame):
        codec = TextMixing(LONG_INSTEAD_OF_MODEL)
        mixed = _with_opaque_text(block, segments, known)
        candidates.append(_as_mixed_text(block, mixed, codec, ignore, past, choice))
    return min(candidates, key=_size)


def _mixing_may_be_smaller(block: bytes, segments: list[Segment], frame: Frame) -> bool:
    """May a frame be smaller if its text gets context mixing of text?"""
    if Kind.TEXT in frame.payloads:
        text = _join_kinds(block, frame.segments, {Kind.TEXT})
        payload = len(frame.payloads[Kind.TEXT])
        return len(text) >= _LEAST_TRIAL and payload > DOUBTFUL_SHARE * len(encode_lzma(text))
    return _has_tables_of_strings(block, segments)


def _has_tables_of_strings(block: bytes, segments: list[Segment]) -> bool:
    """Is there binary data that strings may help with, if they are known before it?"""
    text = _join_kinds(block, segments, {Kind.TEXT})
    return _LEAST_STRINGS * len(text) > len(block) > len(text) and holds_strings(text)


def _encode_mixed(
    block: bytes,
    segments: list[Segment],
    codec: TextMixing,
    on_progress: FrameCallback,
    past: TextPast | None,
    none: Choice,
) -> Frame:
    """Encode a block whose text gets context mixing; `none`: nothing is chosen yet."""
    segments = _with_opaque_text(block, segments, none.known)
    if all(kind != Kind.MIXED_TEXT for kind, _ in segments):
        return _encode(block, _binary(block, none), None, on_progress, {}, past)
    frame = _as_mixed_text(block, segments, codec, on_progress, past, none)
    size = frame.size_of(Kind.MIXED_TEXT)
    if 0 < size == len(block) > len(frame.payloads[Kind.MIXED_TEXT]):
        return frame
    # The strings of a program are worth little without the rest.
    whole = _encode(block, _binary(block, none), None, on_progress, {}, past)
    return min(frame, whole, key=_size)


def _as_mixed_text(
    block: bytes,
    segments: list[Segment],
    codec: TextMixing,
    on_progress: FrameCallback,
    past: TextPast | None,
    none: Choice,
) -> Frame:
    """Encode a block by segments that `_with_opaque_text` has made, without the model."""
    known = {}
    if text := _join_kinds(block, segments, {Kind.MIXED_TEXT}):
        known[Kind.MIXED_TEXT] = mix_text(text, codec.variant, _of_bytes(on_progress), past)
    return _encode(block, replace(none, segments=segments), None, on_progress, known, past)


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
    return _relabelled(result, set(), Kind.MIXED_TEXT)


def _binary(block: bytes, choice: Choice) -> Choice:
    """All of a block taken as binary data."""
    return replace(choice, segments=binary_segments(block, choice.known.media))


def _scaled(on_progress: FrameCallback, size: int, expanded: int) -> FrameCallback:
    """Report bytes of a block of `size` when those of its `expanded` bytes are known."""

    def scaled(done: int, tokens: int, payload: int) -> None:
        on_progress(size * done // expanded, tokens, payload)

    return scaled


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
        decoded = codec.decode(*text, _of_text(on_progress, text.size))
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
    mixed = frame.payloads.get(Kind.MIXED)
    return (
        mixed is not None
        and Kind.TEXT in frame.payloads
        and needs_text(mixed, frame.size_of(Kind.MIXED))
    )


def _whole(
    frame: Frame,
    decoded: Iterator[StreamTexts],
    wanted: range | None,
    on_progress: FrameCallback,
    past: TextPast | None,
) -> bytes:
    """The bytes of a frame all of which is needed for any of them."""
    from nacrith.transforms.opening.expanding import restore

    told = _scaled(on_progress, frame.original_size, frame.segments_size)
    text = bytearray()
    for texts in decoded:
        if texts.is_whole:
            texts.known()
            text = texts.original
    block = bytes(_assembly(frame, told, past, text).block)
    if frame.opened:
        block = restore(block, frame.opened.payload, frame.opened.size, signals.check)
    _verify(frame, block)
    return block if wanted is None else block[wanted.start : wanted.stop]


def _assembly(
    frame: Frame, on_progress: FrameCallback, past: TextPast | None, text: bytearray | None = None
) -> Assembly:
    """What is there of a frame, with the text if that is given."""
    parts: dict[Kind, bytes] = {}
    told = _of_bytes(on_progress)
    for kind in sorted(frame.payloads, key=lambda kind: kind == Kind.MIXED):
        if kind != Kind.TEXT:
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
    places = dict.fromkeys(_TEXTS, 0)
    joined = []
    for kind, length in frame.segments:
        if kind in _TEXTS and kind in known:
            joined.append(known[kind][places[kind] : places[kind] + length])
            places[kind] += length
    return b"".join(joined)


def _verify(frame: Frame, block: bytes) -> None:
    if check_of(block) != frame.check:
        raise FormatError(
            "the restored data does not match its checksum: the file is damaged, or this "
            "machine computes other model outputs than the one that made it"
        )


def _encode(
    block: bytes,
    choice: Choice,
    codec: TextCodec | None,
    on_progress: FrameCallback = ignore,
    known: dict[Kind, bytes] | None = None,
    past: TextPast | None = None,
) -> Frame:
    """Encode a block as was chosen; `known` are payloads that are there already."""
    segments = choice.segments
    payloads = dict(known or {})
    n_symbols = 0
    text = _join_kinds(block, segments, {Kind.TEXT})
    if text:
        assert codec is not None
        n_symbols, payloads[Kind.TEXT] = codec.encode(text, _of_text(on_progress, len(text)))
    segments, binary = _encode_binary(block, choice, on_progress, known is None, past)
    return Frame(segments, check_of(block), payloads | binary, n_symbols)


def _encode_binary(
    block: bytes, choice: Choice, on_progress: FrameCallback, as_text: bool, past: TextPast | None
) -> tuple[list[Segment], dict[Kind, bytes]]:
    """Choose the kinds of the binary segments; return all segments, and their payloads."""
    segments = choice.segments
    random = _join_kinds(block, segments, {Kind.STORED})
    mixed = _join_kinds(block, segments, {Kind.MIXED})
    whole = _join_kinds(block, segments, {Kind.STORED, Kind.MIXED})
    chosen, payloads = segments, {}
    if random:
        payloads[Kind.STORED] = random
    if mixed:
        text = _join_kinds(block, segments, _TEXTS)
        # What was tried before did not know the text.
        tried = None if holds_strings(text) else choice.payload_of(mixed)
        known = choice.known.within(_runs(segments, {Kind.MIXED}))
        kind, payload = encode_binary(
            mixed, _of_bytes(on_progress), tried, as_text, past, known, text
        )
        chosen = _relabelled(segments, {Kind.MIXED}, kind)
        payloads[kind] = whole if kind == Kind.STORED else payload
    if random:
        # What looks random may repeat itself far away.
        packed = encode_lzma(whole)
        if len(packed) < sum(map(len, payloads.values())):
            chosen = _relabelled(segments, {Kind.STORED, Kind.MIXED}, Kind.LZMA)
            payloads = {Kind.LZMA: packed}
    return chosen, payloads


def _relabelled(segments: list[Segment], kinds: set[Kind], kind: Kind) -> list[Segment]:
    """The segments with those of `kinds` turned into `kind`; equal neighbors are joined."""
    result: list[Segment] = []
    for segment in segments:
        new = kind if segment.kind in kinds else segment.kind
        if result and result[-1].kind == new:
            result[-1] = Segment(new, result[-1].length + segment.length)
        else:
            result.append(Segment(new, segment.length))
    return result


def _join_kinds(block: bytes, segments: list[Segment], kinds: set[Kind]) -> bytes:
    """The segments of these kinds, joined."""
    return b"".join(block[begin:end] for begin, end in _runs(segments, kinds))


def _runs(segments: list[Segment], kinds: set[Kind]) -> Iterator[Run]:
    """Where the segments of these kinds are."""
    position = 0
    for kind, length in segments:
        if kind in kinds:
            yield Run(position, position + length)
        position += length


def _size(frame: Frame) -> int:
    return len(frame.to_bytes())


def _of_bytes(on_progress: FrameCallback) -> DoneCallback:
    """Report the bytes of binary data that are done."""

    def of_bytes(done: int) -> None:
        signals.check()
        on_progress(done, 0, 0)

    return of_bytes


def _of_text(on_progress: FrameCallback, size: int) -> TextCallback:
    """Report the bytes of text that are done, by the share of its tokens."""

    def of_text(done: int, total: int, payload: int) -> None:
        signals.check()
        on_progress(size * done // total, done, payload)

    return of_text
