"""bytes → segments → frames → container, and back."""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from nacrith import signals
from nacrith.binary_codec import decode_binary, encode_binary
from nacrith.container import Frame, MemberReader, Writer, read_last_trailer
from nacrith.errors import FormatError, NacrithError
from nacrith.header import Header, Metadata
from nacrith.parameters import Parameters
from nacrith.presets import DEFAULT, Preset
from nacrith.progress import NO_PROGRESS, Progress
from nacrith.prompts import choose_prompt
from nacrith.segments import Segment, find_segments
from nacrith.text_codec import TextCodec

BLOCK = 1 << 22
"""Bytes of the original in one frame, at most, as this writer cuts them (4 MiB)."""

# Less text than this never pays for the header's record of the model.
_MIN_TEXT_FOR_MODEL = 24


@dataclass(frozen=True)
class CompressOptions:
    """What the user chose.

    Attributes:
        model: GGUF path; None = the embedded default.
        backend: one of `text_codec.BACKENDS`.
        threads: of the model; 0 = all CPUs.
        preset: chooses the number of streams if that is left open.
        parameters: with `streams` 0 = by the preset and the input's size.
        metadata: stored in the header if given.
    """

    model: Path | None = None
    backend: str = "auto"
    threads: int = 0
    preset: Preset = DEFAULT
    parameters: Parameters = DEFAULT.parameters
    metadata: Metadata | None = None


@dataclass
class Summary:
    """What was done: sizes in bytes, tokens of text, streams used (0 = no text)."""

    original: int = 0
    compressed: int = 0
    tokens: int = 0
    streams: int = 0

    @property
    def bpb(self) -> float:
        """Bits per byte of the original, with every byte of the file counted."""
        return 8 * self.compressed / self.original if self.original else 0.0


def compress_stream(
    source: BinaryIO,
    sink: BinaryIO,
    options: CompressOptions = CompressOptions(),
    size: int | None = None,
    progress: Progress = NO_PROGRESS,
) -> Summary:
    """Compress all of `source` into `sink`.

    Args:
        size: length of the input if it is known; only used to choose the number
            of streams and for the progress display.

    Raises:
        NacrithError: no model, unusable parameters, ...
    """
    block = _read_block(source)
    following = _read_block(source)
    parameters = options.parameters
    known = size if size is not None else len(block) + len(following)
    if not parameters.streams:
        parameters = replace(parameters, streams=options.preset.streams(known))
    if not parameters.prompt:
        parameters = replace(parameters, prompt=choose_prompt(block, known))
    problem = parameters.problem()
    if problem:
        raise NacrithError(problem)

    digest = hashlib.blake2b(digest_size=16)
    summary = Summary()
    progress.begin(size)
    codec: TextCodec | None = None
    writer: Writer | None = None
    try:
        while block:
            signals.check()
            digest.update(block)
            segments = find_segments(block)
            alone = writer is None and not following
            text_size = sum(s.length for s in segments if s.is_text)
            if codec is None and (text_size >= _MIN_TEXT_FOR_MODEL or not alone):
                codec = TextCodec.for_compression(
                    options.model, options.backend, options.threads, parameters
                )
            header = Header(codec.record if codec else None, parameters, options.metadata)
            frame = _encode_frame(block, segments, codec, progress, summary.original)
            if alone and codec and _model_does_not_pay(frame, header):
                header = replace(header, model=None)
                frame = _encode_frame(
                    block, [Segment(False, len(block))], None, progress, summary.original
                )
            if writer is None:
                writer = Writer(sink, header)
            writer.add(frame)
            summary.original += len(block)
            summary.tokens += frame.n_symbols
            summary.streams = parameters.streams if summary.tokens else 0
            block, following = following, _read_block(source)
        if writer is None:
            writer = Writer(sink, Header(metadata=options.metadata))
        writer.finish(digest.digest())
    finally:
        if codec:
            codec.close()
    summary.compressed = writer.size
    progress.end()
    return summary


def decompress_stream(
    source: BinaryIO,
    sink: BinaryIO | None,
    model: Path | None = None,
    progress: Progress = NO_PROGRESS,
) -> tuple[Summary, Header]:
    """Restore the original from `source`.

    Each frame is written only after its bytes have been checked.

    Args:
        sink: where to write; None to only check.
        model: GGUF path; None = find the one that the file names.

    Returns:
        What was done, and the header of the first member.

    Raises:
        FormatError, UnsupportedError: the file is damaged or not ours.
        ModelNotFoundError, ModelMismatchError: it can't be opened here.
    """
    if source.seekable():
        _check_both_ends(source)
    members = MemberReader(source)
    summary = Summary()
    first: Header | None = None
    progress.begin(None)
    for member in members:
        first = first or member.header
        digest = hashlib.blake2b(digest_size=16)
        codec: TextCodec | None = None
        try:
            for frame in member.frames():
                signals.check()
                if frame.text_size and codec is None:
                    if member.header.model is None:
                        raise FormatError("a frame holds text but the header names no model")
                    codec = TextCodec.for_file(member.header.model, member.header.parameters, model)
                    summary.streams = member.header.parameters.streams
                data = _decode_frame(frame, codec, progress, summary.original)
                digest.update(data)
                if sink:
                    sink.write(data)
                summary.original += len(data)
                summary.tokens += frame.n_symbols
        finally:
            if codec:
                codec.close()
        expected = member.trailer.digest
        if digest.digest()[: len(expected)] != expected:
            raise FormatError("the restored data does not match the hash of the whole file")
    assert first is not None  # an empty input raises
    summary.compressed = members.position
    progress.end()
    return summary, first


def _check_both_ends(source: BinaryIO) -> None:
    """Raise what is wrong with the first header or the last trailer, if anything."""
    begin = source.tell()
    next(iter(MemberReader(source)))
    source.seek(begin)
    read_last_trailer(source)


def _encode_frame(
    block: bytes,
    segments: list[Segment],
    codec: TextCodec | None,
    progress: Progress,
    offset: int,
) -> Frame:
    if codec is None:
        segments = [Segment(False, len(block))]
    text, binary = _split(block, segments)
    n_symbols, payload = 0, b""
    if text:
        assert codec is not None
        n_symbols, payload = codec.encode(text, _reporter(progress, offset, len(text)))
        if smaller := _binary_is_smaller(block, payload):
            segments = [Segment(False, len(block))]
            return Frame(segments, zlib.crc32(block), 0, b"", *smaller)
    method, packed = encode_binary(binary, _check_signals) if binary else (0, b"")
    return Frame(segments, zlib.crc32(block), n_symbols, payload, method, packed)


def _binary_is_smaller(block: bytes, payload: bytes) -> tuple[int, bytes] | None:
    """The whole block as binary data, if the model did so badly that this is smaller."""
    if 2 * len(payload) <= len(block):
        return None
    method, packed = encode_binary(block, _check_signals)
    return (method, packed) if len(packed) <= len(payload) else None


def _decode_frame(frame: Frame, codec: TextCodec | None, progress: Progress, offset: int) -> bytes:
    text = binary = b""
    if frame.text_size:
        assert codec is not None
        text = codec.decode(
            frame.text,
            frame.n_symbols,
            frame.text_size,
            _reporter(progress, offset, frame.text_size),
        )
    if frame.binary_size:
        binary = decode_binary(frame.method, frame.binary, frame.binary_size, _check_signals)
    data = _join(frame.segments, text, binary)
    if zlib.crc32(data) != frame.original_crc:
        raise FormatError(
            "the restored data does not match its checksum: the file is damaged, or this "
            "machine computes other model outputs than the one that made it"
        )
    return data


def _model_does_not_pay(frame: Frame, header: Header) -> bool:
    """Is the only frame smaller without the model and its record in the header?"""
    if not frame.text_size:
        return True
    record = len(header.to_bytes()) - len(replace(header, model=None).to_bytes())
    # Stored: one byte of method instead of two lengths and the payload.
    return frame.original_size + 1 < len(frame.text) + len(frame.binary) + record


def _split(block: bytes, segments: list[Segment]) -> tuple[bytes, bytes]:
    """The text segments joined, and the binary segments joined."""
    parts: tuple[list[bytes], list[bytes]] = ([], [])
    position = 0
    for is_text, length in segments:
        parts[not is_text].append(block[position : position + length])
        position += length
    return b"".join(parts[0]), b"".join(parts[1])


def _join(segments: list[Segment], text: bytes, binary: bytes) -> bytes:
    """Inverse of `_split`."""
    data = [text, binary]
    positions = [0, 0]
    parts = []
    for is_text, length in segments:
        begin = positions[not is_text]
        parts.append(data[not is_text][begin : begin + length])
        positions[not is_text] += length
    return b"".join(parts)


def _read_block(source: BinaryIO) -> bytes:
    """Read up to `BLOCK` bytes, fewer only at the end of the input."""
    parts = []
    left = BLOCK
    while left:
        part = source.read(left)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _check_signals(done: int) -> None:
    signals.check()


def _reporter(progress: Progress, offset: int, size: int) -> Callable[[int, int, int], None]:
    """Progress in bytes of the original, estimated from the share of tokens."""

    def report(done: int, total: int, payload: int) -> None:
        signals.check()
        progress.update(offset + size * done // total, done, payload)

    return report
