"""bytes → blocks → frames → container, and back."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from nacrith.backends import BACKENDS
from nacrith.codec_request import CodecRequest, CompressRequest, DecompressRequest
from nacrith.errors import ArgumentError, FormatError
from nacrith.format.container import (
    DIGEST_SIZE,
    Member,
    MemberReader,
    Writer,
    check_records,
    sole_member,
)
from nacrith.format.frame import MAX_ORIGINAL, Frame, Kind
from nacrith.format.header import MAX_THREADS, Header, Metadata
from nacrith.format.parameters import MAX_POSITIONS, Parameters
from nacrith.groups import text_size
from nacrith.presets import DEFAULT, Preset
from nacrith.progress import NO_PROGRESS, Progress
from nacrith.prompts import choose_prompt
from nacrith.reading import read_up_to
from nacrith.resume import check_frame, intact_frames
from nacrith.workers import InProcess, Workers

BLOCK = 1 << 22
"""Bytes of the original in one frame unless the user says otherwise (4 MiB)."""

# Less text than this never pays for the header's record of the model.
_MIN_TEXT_FOR_MODEL = 24
# A block up to this size is compressed without the model too, to see what is smaller.
_SMALL = 1 << 10


@dataclass(frozen=True)
class CompressOptions:
    """What the user chose.

    Attributes:
        model: GGUF path; None = the embedded default.
        backend: one of `backends.BACKENDS`.
        threads: of the model; 0 = all CPUs.
        preset: chooses the number of streams if that is left open, and says how much
            the model must save.
        parameters: with `streams` 0 = by the preset and the input's size.
        metadata: stored in the header if given.
        block_size: bytes of the original in a frame.

    Raises:
        ArgumentError: a value makes no sense.
        TypeError: a value is of another type.
    """

    model: Path | None = None
    backend: str = "auto"
    threads: int = 0
    preset: Preset = DEFAULT
    parameters: Parameters = DEFAULT.parameters
    metadata: Metadata | None = None
    block_size: int = BLOCK

    def __post_init__(self) -> None:
        numbers = {**vars(self.parameters), "threads": self.threads, "block_size": self.block_size}
        for name, value in numbers.items():
            if not isinstance(value, int):
                raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
        if not isinstance(self.backend, str):
            raise TypeError(f"backend must be a string, not {type(self.backend).__name__}")
        problem = self._problem()
        if problem:
            raise ArgumentError(problem)

    def _problem(self) -> str | None:
        if self.backend not in BACKENDS:
            return f"the backend must be one of {', '.join(BACKENDS)}, not {self.backend!r}"
        if not 0 <= self.threads <= MAX_THREADS:
            return f"threads must be from 0 to {MAX_THREADS}, not {self.threads}"
        if not 1 <= self.block_size <= MAX_ORIGINAL:
            return f"the block size must be from 1 to {MAX_ORIGINAL} bytes, not {self.block_size}"
        return self.parameters.problem_of_choice()


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
    workers: Workers | None = None,
    resume: bool = False,
) -> Summary:
    """Compress all of `source` into `sink`.

    Args:
        size: length of the input if it is known; only used to choose the number
            of streams and for the progress display.
        workers: where groups run; by default in this process. They are closed.
        resume: `sink` is open for reading too and holds what an interrupted run with
            the same input and options has written; go on behind its last whole frame.

    Raises:
        NacrithError: no model, one that can't use the parameters, ...
        ResumeError: the interrupted run was of another input or had other options.
    """
    workers = workers or InProcess(progress)
    progress.begin(size)
    try:
        blocks = _blocks(source, options.block_size)
        first = next(blocks, b"")
        second = next(blocks, b"")
        known = size if size is not None else len(first) + len(second)
        parameters = _parameters(options, first, known)
        request = CompressRequest(
            options.model,
            options.backend,
            options.threads,
            parameters,
            options.preset.least_saving,
        )
        if second:
            header = Header(workers.model_record(request), parameters, options.metadata)
            all_blocks = chain([first, second], blocks)
            return _write_frames(all_blocks, sink, header, request, workers, resume)
        header = Header(None, parameters, options.metadata)
        if resume:
            for found, frame, _ in intact_frames(sink):
                check_frame(found, frame, header, first)
            sink.seek(0)
            sink.truncate()
        # A sole group has all threads to itself here.
        workers.close()
        workers = InProcess(progress)
        return _write_sole(first, sink, header, request, workers)
    finally:
        workers.close()
        progress.end()


def _parameters(options: CompressOptions, first: bytes, size: int) -> Parameters:
    """The parameters with all that was left open decided."""
    parameters = options.parameters
    if not parameters.streams:
        streams = options.preset.streams(min(size, options.block_size))
        most = MAX_POSITIONS // parameters.window
        parameters = replace(parameters, streams=min(streams, most))
    if not parameters.prompt:
        parameters = replace(parameters, prompt=choose_prompt(first, size))
    return parameters


def _write_sole(
    block: bytes, sink: BinaryIO, header: Header, request: CodecRequest, workers: Workers
) -> Summary:
    """Write a member of one frame, or of none. `header` names no model."""
    candidates = []
    if text_size(block) >= _MIN_TEXT_FOR_MODEL:
        (frame,) = workers.encode(request, [block])
        if frame.size_of(Kind.TEXT):
            with_model = replace(header, model=workers.model_record(request))
            candidates.append((with_model, frame))
        else:
            candidates.append((header, frame))
    # The record of the model and an untrained predictor may cost more than they save.
    if not candidates or len(block) <= _SMALL:
        candidates += [(header, frame) for frame in workers.encode(None, [block])]
    header, frame = min(candidates, key=lambda candidate: len(sole_member(*candidate)))
    data = sole_member(header, frame)
    sink.write(data)
    streams = header.parameters.streams if frame.n_symbols else 0
    return Summary(len(block), len(data), frame.n_symbols, streams)


def _write_frames(
    blocks: Iterable[bytes],
    sink: BinaryIO,
    header: Header,
    request: CodecRequest,
    workers: Workers,
    resume: bool,
) -> Summary:
    """Write a member of several frames."""
    digest = hashlib.blake2b(digest_size=DIGEST_SIZE)
    tokens = 0

    def hashed() -> Iterator[bytes]:
        for block in blocks:
            digest.update(block)
            yield block

    todo = hashed()
    if resume:
        writer, tokens = _resume(sink, header, todo)
    else:
        writer = Writer(sink, header)
    for frame in workers.encode(request, todo):
        writer.add(frame)
        # What is written may be gone on with.
        sink.flush()
        tokens += frame.n_symbols
    writer.finish(digest.digest())
    return Summary(
        writer.original_size, writer.size, tokens, header.parameters.streams if tokens else 0
    )


def _resume(part: BinaryIO, header: Header, blocks: Iterator[bytes]) -> tuple[Writer, int]:
    """Take the blocks that an interrupted run has written; return the writer, and their tokens."""
    n_frames = size = original_size = tokens = 0
    for found, frame, end in intact_frames(part):
        check_frame(found, frame, header, next(blocks, b""))
        n_frames += 1
        size = end
        original_size += frame.original_size
        tokens += frame.n_symbols
    part.seek(size)
    part.truncate()
    return Writer(part, header, n_frames, size, original_size), tokens


def decompress_stream(
    source: BinaryIO,
    sink: BinaryIO | None,
    model: Path | None = None,
    progress: Progress = NO_PROGRESS,
    workers: Workers | None = None,
    wanted: range | None = None,
) -> tuple[Summary, Header]:
    """Restore the original from `source`.

    Each frame is written only after its bytes have been checked. What can be checked
    without decoding is checked first, if `source` can be read twice.

    Args:
        sink: where to write; None to only check.
        model: GGUF path; None = find the one that the file names.
        workers: where groups run; by default in this process. They are closed.
        wanted: the bytes of the original to restore, by default all; only frames that
            hold some of them are decoded.

    Returns:
        What was done, and the header of the first member.

    Raises:
        FormatError, UnsupportedError: the file is damaged or not ours.
        ModelNotFoundError, ModelMismatchError: it can't be opened here.
    """
    # A sole group has all threads to itself here.
    alone = InProcess(progress)
    workers = workers or alone
    summary = Summary()
    first: Header | None = None
    total = None
    if source.seekable():
        begin = source.tell()
        total = check_records(source)
        source.seek(begin)
    progress.begin(total if wanted is None else None)
    reader = MemberReader(source)
    position = 0
    try:
        for member in reader:
            first = first or member.header
            digest = hashlib.blake2b(digest_size=DIGEST_SIZE)
            selection = _Selection(member, position, wanted)
            several = alone if member.sole else workers
            for data in several.decode(_request_of(member.header, model), selection):
                data = selection.cut(data)
                digest.update(data)
                if sink and data:
                    sink.write(data)
                    sink.flush()
                summary.original += len(data)
            summary.tokens += selection.tokens
            position = selection.position
            if wanted is not None and position >= wanted.stop:
                break
            if wanted is None and member.trailer and member.trailer.digest != digest.digest():
                raise FormatError("the restored data does not match the hash of the whole file")
        summary.compressed = reader.position
    finally:
        alone.close()
        workers.close()
        progress.end()
    assert first is not None  # an empty input raises
    if summary.tokens:
        summary.streams = first.parameters.streams
    return summary, first


class _Selection:
    """Those frames of a member that hold wanted bytes.

    Attributes:
        position: bytes of the original in front of the next frame.
        tokens: of the frames selected.
    """

    def __init__(self, member: Member, position: int, wanted: range | None) -> None:
        self._member = member
        self._wanted = wanted
        self._starts: deque[int] = deque()
        self.position = position
        self.tokens = 0

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._member.frames():
            start = self.position
            if self._wanted is not None and start >= self._wanted.stop:
                return
            self.position += frame.original_size
            if self._wanted is None or self.position > self._wanted.start:
                self._starts.append(start)
                self.tokens += frame.n_symbols
                yield frame

    def cut(self, data: bytes) -> bytes:
        """The wanted bytes of the next restored frame."""
        start = self._starts.popleft()
        if self._wanted is None:
            return data
        return data[max(0, self._wanted.start - start) : max(0, self._wanted.stop - start)]


def _request_of(header: Header, model: Path | None) -> CodecRequest | None:
    if header.model is None:
        return None
    return DecompressRequest(header.model, header.parameters, model)


def _blocks(source: BinaryIO, size: int) -> Iterator[bytes]:
    """Read blocks of `size` bytes, the last one shorter; none if there is nothing."""
    while block := read_up_to(source, size):
        yield block
