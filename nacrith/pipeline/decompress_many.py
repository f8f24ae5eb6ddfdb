"""Many small files at once: those that the model decodes side by side, and all others."""

import io
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from nacrith.codec.codec_request import DecompressRequest
from nacrith.codec.codec_slot import CodecShelf
from nacrith.codec.frame_decoder import restore_frame, text_payload
from nacrith.codec.stream_texts import StreamTexts
from nacrith.codec.text_codec import TextCodec
from nacrith.errors import DeviceError, FormatError, NacrithError
from nacrith.format.container import MemberReader
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import Header
from nacrith.pipeline.decompress import decompress_stream, request_of
from nacrith.system.devices import CPU
from nacrith.workers import InProcess
from nacrith.workers.device_faults import device_faults, go_on_on_processor
from predictors.text.text_model import TextPast


def decompress_many(
    files: Sequence[bytes],
    shelf: CodecShelf,
    model: Path | None,
    dictionary: bytes = b"",
    correction: Path | str | None = None,
) -> list[bytes | NacrithError]:
    """Restore files; return the original of each, or what is wrong with it.

    Args:
        files: whole NC06 files. Those of one frame with text go through the model together, if
            they ask for the same; any other one goes alone.
        shelf: keeps models.
        model: GGUF path; None = find the one that a file names.
        dictionary: for the files that need it.
        correction: of the model's weights, likewise.
    """
    found: dict[int, bytes | NacrithError] = {}
    together: dict[DecompressRequest, list[tuple[int, Frame]]] = defaultdict(list)
    for i, data in enumerate(files):
        try:
            sole = _sole_text(data)
            request = request_of(sole[0], model, dictionary, correction) if sole else None
        except NacrithError as error:
            found[i] = error
            continue
        if sole and request:
            together[request].append((i, sole[1]))
        else:
            found[i] = _alone(data, shelf, model, dictionary, correction)
    for request, frames in together.items():
        restored = _together(request, [frame for _, frame in frames], shelf)
        found |= zip([i for i, _ in frames], restored, strict=True)
    return [found[i] for i in range(len(files))]


def _sole_text(data: bytes) -> tuple[Header, Frame] | None:
    """The header and frame of a file that is nothing but one frame with text for the model.

    Raises:
        NacrithError: the file is damaged.
    """
    members = [(member, list(member.frames())) for member in MemberReader(io.BytesIO(data))]
    (member, frames), *more = members
    if more or not member.sole or not member.header.model or Kind.TEXT not in frames[0].payloads:
        return None
    return member.header, frames[0]


def _alone(
    data: bytes,
    shelf: CodecShelf,
    model: Path | None,
    dictionary: bytes,
    correction: Path | str | None,
) -> bytes | NacrithError:
    sink, workers = io.BytesIO(), InProcess(slot=shelf)
    try:
        decompress_stream(
            io.BytesIO(data),
            sink,
            model,
            workers=workers,
            dictionary=dictionary,
            correction=correction,
        )
    except NacrithError as error:
        return error
    return sink.getvalue()


def _together(
    request: DecompressRequest, frames: Sequence[Frame], shelf: CodecShelf
) -> list[bytes | NacrithError]:
    try:
        with device_faults(shelf.device):
            codec = shelf.open(request)
            assert isinstance(codec, TextCodec)
            texts = codec.decode_many([text_payload(frame) for frame in frames])
    except DeviceError as error:
        go_on_on_processor(shelf, error)
        return _together(request, frames, shelf)
    except NacrithError as error:
        return [error] * len(frames)
    past = shelf.past(request)
    results = [_restored(*pair, past) for pair in zip(frames, texts, strict=True)]
    wrong = [i for i, result in enumerate(results) if isinstance(result, FormatError)]
    if wrong and shelf.device != CPU:
        # Only the processor's word is taken for damage.
        device = shelf.device
        shelf.move(CPU)
        try:
            again = _together(request, [frames[i] for i in wrong], shelf)
        finally:
            shelf.move(device)
        for i, result in zip(wrong, again, strict=True):
            results[i] = result
    return results


def _restored(
    frame: Frame, text: StreamTexts | NacrithError, past: TextPast | None
) -> bytes | NacrithError:
    if isinstance(text, NacrithError):
        return text
    try:
        return b"".join(restore_frame(frame, iter([text]), past=past))
    except NacrithError as error:
        return error
