"""One group after the other, in this process."""

from collections.abc import Iterable, Iterator

from nacrith import signals
from nacrith.frame import Frame, Kind
from nacrith.groups import decode_group, encode_group
from nacrith.header import ModelRecord
from nacrith.progress import NO_PROGRESS, Progress
from nacrith.text_codec import TextCodec
from nacrith.workers.base import OpenCodec


class InProcess:
    """Workers that are this thread. Reports progress within a group."""

    def __init__(self, progress: Progress = NO_PROGRESS) -> None:
        self._progress = progress
        self._open_codec: OpenCodec | None = None
        self._codec: TextCodec | None = None
        self._position = 0

    def record(self, open_codec: OpenCodec) -> ModelRecord:
        return self._opened(open_codec).record

    def encode(self, open_codec: OpenCodec | None, blocks: Iterable[bytes]) -> Iterator[Frame]:
        for block in blocks:
            signals.check()
            codec = self._opened(open_codec) if open_codec else None
            yield encode_group(block, codec, self._report)
            self._position += len(block)

    def decode(self, open_codec: OpenCodec | None, frames: Iterable[Frame]) -> Iterator[bytes]:
        for frame in frames:
            signals.check()
            wanted = open_codec if frame.size_of(Kind.TEXT) else None
            codec = self._opened(wanted) if wanted else None
            yield decode_group(frame, codec, self._report)
            self._position += frame.original_size

    def close(self) -> None:
        if self._codec:
            self._codec.close()
        self._codec = self._open_codec = None

    def _opened(self, open_codec: OpenCodec) -> TextCodec:
        """The codec, opened if it is not the one that is open already."""
        if self._codec is None or self._open_codec != open_codec:
            self.close()
            self._codec = open_codec()
            self._open_codec = open_codec
        return self._codec

    def _report(self, done: int, tokens: int, payload: int) -> None:
        self._progress.update(self._position + done, tokens, payload)
