"""container → frames → blocks → bytes."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from nacrith.codec.codec_request import DecompressRequest
from nacrith.errors import FormatError
from nacrith.format.container import DIGEST_SIZE, Member, MemberReader, check_records
from nacrith.format.dictionary import check_dictionary
from nacrith.format.frame import Frame
from nacrith.format.header import Header
from nacrith.pipeline.summary import Summary
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers import Workers, in_this_process, place_for_sole


def decompress_stream(
    source: BinaryIO,
    sink: BinaryIO | None,
    model: Path | None = None,
    progress: Progress = NO_PROGRESS,
    workers: Workers | None = None,
    wanted: range | None = None,
    dictionary: bytes = b"",
    correction: Path | str | None = None,
    admit: Callable[[Header, Frame], None] = lambda header, frame: None,
    only_first: bool = False,
) -> tuple[Summary, Header]:
    """Restore the original from `source`.

    Bytes are written only after they have been checked. What can be checked
    without decoding is checked first, if `source` can be read twice.

    Args:
        sink: where to write; None to only check.
        model: GGUF path; None = find the one that the file names.
        workers: where frames run if there are several, or `InProcess` any; by default in this
            process. Whoever opened them closes them.
        wanted: the bytes of the original to restore, by default all; only frames that
            hold some of them are decoded, and what is behind them only up to the next check.
        dictionary: that the file was made with, if it was; else it does not matter.
        correction: path of that of the model's weights, if the file needs one that is not
            shipped; else it does not matter.
        admit: called before a frame is decoded; what it raises ends the run.
        only_first: restore the first member, and read nothing behind it.

    Returns:
        What was done, and the header of the first member.

    Raises:
        FormatError, UnsupportedError: the file is damaged or not ours.
        ModelNotFoundError, ModelMismatchError: it can't be opened here.
        DictionaryError: it needs a dictionary, or another one.
    """
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
        with in_this_process(workers, progress) as alone:
            for member in reader:
                first = first or member.header
                digest = hashlib.blake2b(digest_size=DIGEST_SIZE)
                selection = _Selection(member, position, wanted, admit)
                request = request_of(member.header, model, dictionary, correction)
                team = alone if workers is None else workers
                if member.sole:
                    size = member.sole.original_size
                    team = place_for_sole(workers, alone, request, size)
                for data in team.decode(request, selection):
                    digest.update(data)
                    if sink and data:
                        sink.write(data)
                        sink.flush()
                    summary.original += len(data)
                summary.tokens += selection.tokens
                position = selection.position
                if wanted is None and member.trailer and member.trailer.digest != digest.digest():
                    raise FormatError("the restored data does not match the hash of the whole file")
                if only_first or (wanted is not None and position >= wanted.stop):
                    break
            summary.compressed = reader.position
    finally:
        progress.end()
    assert first is not None  # an empty input raises
    return summary, first


class _Selection:
    """Those frames of a member that hold wanted bytes, each with the range of these.

    Attributes:
        position: bytes of the original in front of the next frame.
        tokens: of the frames selected.
    """

    def __init__(
        self,
        member: Member,
        position: int,
        wanted: range | None,
        admit: Callable[[Header, Frame], None],
    ) -> None:
        self._member = member
        self._admit = admit
        self._wanted = wanted
        self.position = position
        self.tokens = 0

    def __iter__(self) -> Iterator[tuple[Frame, range]]:
        for frame in self._member.frames():
            start, size = self.position, frame.original_size
            part = range(size)
            if self._wanted is not None:
                if start >= self._wanted.stop:
                    return
                part = range(
                    max(0, self._wanted.start - start), min(size, self._wanted.stop - start)
                )
            self.position += size
            if part or self._wanted is None:
                self._admit(self._member.header, frame)
                self.tokens += frame.n_symbols
                yield frame, part


def request_of(
    header: Header, model: Path | None, dictionary: bytes, correction: Path | str | None
) -> DecompressRequest | None:
    """The codec that a member needs, if it needs any; raises DictionaryError."""
    check_dictionary(header.dictionary, dictionary)
    if header.model is None and not header.dictionary:
        return None
    return DecompressRequest(
        header.model,
        header.parameters,
        model,
        dictionary if header.dictionary else b"",
        correction if header.model and header.model.correction else None,
    )
