"""One frame after the other, in this process."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from nacrith.codec.codec_request import CodecRequest, CodecSlot, MixingRequest, inside_of
from nacrith.codec.frame_codec import decode_frame, encode_frame
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import ModelRecord
from nacrith.system import signals
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers.base import Workers


class InProcess:
    """Workers that are this thread. Reports progress within a frame."""

    def __init__(self, progress: Progress = NO_PROGRESS, slot: CodecSlot | None = None) -> None:
        """`slot`: keeps what is opened; by default one codec."""
        self._progress = progress
        self._slot = slot or CodecSlot()
        self._position = 0

    def model_record(self, request: CodecRequest) -> ModelRecord | None:
        self._tell_of_loading(request)
        codec = self._slot.open(request)
        assert codec is not None
        return codec.record

    def encode(self, request: CodecRequest | None, blocks: Iterable[bytes]) -> Iterator[Frame]:
        for block in blocks:
            signals.check()
            self._tell_of_loading(request)
            codec = self._slot.open(request)
            past = self._slot.past(request)
            yield encode_frame(block, codec, self._tell, past, inside_of(request))
            self._position += len(block)

    def decode(
        self, request: CodecRequest | None, frames: Iterable[tuple[Frame, range]]
    ) -> Iterator[bytes]:
        for frame, wanted in frames:
            signals.check()
            if Kind.TEXT in frame.payloads:
                self._tell_of_loading(request)
            codec = self._slot.open_for(request, frame)
            yield from decode_frame(frame, codec, wanted, self._tell, self._slot.past(request))
            self._position += frame.original_size

    def close(self) -> None:
        self._slot.close()

    def _tell_of_loading(self, request: CodecRequest | None) -> None:
        needs_model = request is not None and not isinstance(request, MixingRequest)
        if needs_model and not self._slot.has(request):
            self._progress.stage("loading the model")

    def _tell(self, done: int, tokens: int, payload: int) -> None:
        self._progress.update(self._position + done, tokens, payload)


@contextmanager
def in_this_process(workers: Workers | None, progress: Progress) -> Iterator[InProcess]:
    """`workers` themselves if they are this thread, else others, which are closed afterwards."""
    if isinstance(workers, InProcess):
        yield workers
    else:
        with closing(InProcess(progress)) as alone:
            yield alone
