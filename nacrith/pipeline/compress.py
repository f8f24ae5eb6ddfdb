"""bytes → blocks → frames → container."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import BinaryIO

from nacrith.codec.block_segments import holds_text
from nacrith.codec.codec_request import CodecRequest, CompressRequest, MixingRequest
from nacrith.codec.text_mixing import INSTEAD_OF_MODEL
from nacrith.format.container import DIGEST_SIZE, Writer, sole_member
from nacrith.format.dictionary import dictionary_id
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import Header
from nacrith.format.parameters import Parameters
from nacrith.pipeline.blocks import read_blocks
from nacrith.pipeline.chosen_parameters import may_be_unlike, window_of
from nacrith.pipeline.options import DEFAULT_OPTIONS, CompressOptions
from nacrith.pipeline.resume import check_frame, intact_frames
from nacrith.pipeline.summary import Summary
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.transforms.prompts import choose_prompt
from nacrith.workers import Workers, in_this_process, place_for_sole

# Less text than this never pays for the header's record of the model.
_MIN_TEXT_FOR_MODEL = 24
SMALL_BLOCK = 1 << 10
"""Bytes; a block up to this size is compressed without the model too, to see what is smaller."""


def compress_stream(
    source: BinaryIO,
    sink: BinaryIO,
    options: CompressOptions = DEFAULT_OPTIONS,
    size: int | None = None,
    progress: Progress = NO_PROGRESS,
    workers: Workers | None = None,
    resume: bool = False,
) -> Summary:
    """Compress all of `source` into `sink`.

    Args:
        size: length of the input if it is known; only used to choose the prompt and for the
            progress display.
        workers: where frames run if there are several, or `InProcess` any; by default in this
            process. Whoever opened them closes them.
        resume: `sink` is open for reading too and holds what an interrupted run with
            the same input and options has written; go on behind its last whole frame.

    Raises:
        NacrithError: no model, one that can't use the parameters, ...
        ResumeError: the interrupted run was of another input or had other options.
    """
    progress.begin(size)
    try:
        with in_this_process(workers, progress) as alone:
            blocks = read_blocks(source, options.block_size, options.inside)
            first = next(blocks, b"")
            second = next(blocks, b"")
            known = size if size is not None else len(first) + len(second)
            parameters = parameters_for(options, first, known)
            if resume:
                # Another version, or memory limit, may have chosen otherwise.
                for found, _, _ in islice(intact_frames(sink), 1):
                    parameters = replace(parameters, unlike=found.parameters.unlike)
            request = _request_of(options, parameters)
            named = dictionary_id(options.dictionary)
            header = Header(None, parameters, options.metadata, named)
            if second:
                team = workers or alone
                header = replace(header, model=team.model_record(request))
                all_blocks = chain([first, second], blocks)
                return _write_frames(all_blocks, sink, header, request, team, resume, progress)
            if resume:
                for found, frame, _ in intact_frames(sink):
                    check_frame(found, frame, header, first)
                sink.seek(0)
                sink.truncate()
            team = place_for_sole(workers, alone, request, len(first))
            return _write_sole(first, sink, header, request, team)
    finally:
        progress.end()


def _request_of(
    options: CompressOptions, parameters: Parameters
) -> CompressRequest | MixingRequest:
    """The codec for text. `parameters` are decided."""
    if options.preset.mixing is not None:
        return MixingRequest(options.preset.mixing, options.dictionary, options.inside)
    return CompressRequest(
        options.model,
        options.backend,
        options.threads,
        parameters,
        options.cutting,
        options.preset.least_saving,
        options.dictionary,
        options.correction,
        options.inside,
    )


def parameters_for(options: CompressOptions, first: bytes, size: int) -> Parameters:
    """The parameters with all that was left open decided.

    Args:
        first: block of the input. size: of all of it, in bytes.
    """
    unlike = options.parameters.unlike or int(may_be_unlike(options, size))
    parameters = replace(options.parameters, window=window_of(options, size), unlike=unlike)
    # A dictionary is a better prompt.
    if not parameters.prompt and not options.dictionary:
        parameters = replace(parameters, prompt=choose_prompt(first, size))
    return parameters


def _write_sole(
    block: bytes,
    sink: BinaryIO,
    header: Header,
    request: CompressRequest | MixingRequest,
    workers: Workers,
) -> Summary:
    """Write a member of one frame, or of none. `header` names no model."""
    candidates = []
    if isinstance(request, MixingRequest) or holds_text(block, _MIN_TEXT_FOR_MODEL, request.inside):
        (frame,) = workers.encode(request, [block])
        if frame.size_of(Kind.TEXT):
            with_model = replace(header, model=workers.model_record(request))
            candidates.append((with_model, frame))
        else:
            candidates.append((_without_model(header, frame), frame))
    # The record of the model and an untrained predictor may cost more than they save.
    may_mix = isinstance(request, CompressRequest) and request.least_saving is not None
    if not candidates or (len(block) <= SMALL_BLOCK and may_mix):
        without = MixingRequest(INSTEAD_OF_MODEL, request.dictionary, request.inside)
        for frame in workers.encode(without, [block]):
            candidates.append((_without_model(header, frame), frame))
    header, frame = min(candidates, key=lambda candidate: len(sole_member(*candidate)))
    data = sole_member(header, frame)
    sink.write(data)
    return Summary(len(block), len(data), frame.n_symbols)


def _without_model(header: Header, frame: Frame) -> Header:
    """The header of a sole frame without text for the model: does it need the dictionary?"""
    return header if frame.size_of(Kind.MIXED_TEXT) else replace(header, dictionary=b"")


def _write_frames(
    blocks: Iterable[bytes],
    sink: BinaryIO,
    header: Header,
    request: CodecRequest,
    workers: Workers,
    resume: bool,
    progress: Progress,
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
        progress.skip(writer.original_size)
    else:
        writer = Writer(sink, header)
    for frame in workers.encode(request, todo):
        writer.add(frame)
        # What is written may be gone on with.
        sink.flush()
        tokens += frame.n_symbols
    writer.finish(digest.digest())
    return Summary(writer.original_size, writer.size, tokens)


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
