"""One frame after the other, in this process."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from nacrith.codec.codec_request import CodecRequest, MixingRequest, inside_of, known_record
from nacrith.codec.codec_slot import CodecSlot
from nacrith.codec.frame_decoder import decode_frame
from nacrith.errors import DeviceError, FormatError
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import ModelRecord
from nacrith.system import signals
from nacrith.system.progress import NO_PROGRESS, Progress
from nacrith.workers.base import Workers
from nacrith.workers.device_faults import device_faults, go_on_on_processor


class InProcess:
    """Workers that are this thread. Reports progress within a frame.

    If its GPU fails, the processor goes on.
    """

    def __init__(self, progress: Progress = NO_PROGRESS, slot: CodecSlot | None = None) -> None:
        """`slot`: keeps what is opened; by default one codec."""
        self._progress = progress
        self._slot = slot or CodecSlot()
        self._position = 0
        self._stopped: Exception | None = None

    def takes_alone(self, request: CodecRequest | None, size: int) -> bool:
        return True

    def model_record(self, request: CodecRequest) -> ModelRecord | None:
        if record := known_record(request):
            return record
        self._tell_of_loading(request)
        try:
            with device_faults(self._slot.device):
                codec = self._slot.open(request)
        except DeviceError as error:
            self._leave_device(error)
            return self.model_record(request)
        assert codec is not None
        return codec.record

    def encode(self, request: CodecRequest | None, blocks: Iterable[bytes]) -> Iterator[Frame]:
        for block in blocks:
            signals.check()
            yield self._encode(request, block)
            self._position += len(block)

    def _encode(self, request: CodecRequest | None, block: bytes) -> Frame:
        # Restoring does not wait for it.
        from nacrith.codec.frame_encoder import encode_frame

        try:
            with device_faults(self._slot.device):
                codec = self._slot.opener(request, self._tell_of_loading)
                past = self._slot.past(request)
                return encode_frame(block, codec, self._tell, past, inside_of(request))
        except DeviceError as error:
            self._leave_device(error)
        return self._encode(request, block)

    def decode(
        self, request: CodecRequest | None, frames: Iterable[tuple[Frame, range]]
    ) -> Iterator[bytes]:
        for frame, wanted in frames:
            signals.check()
            yield from self._decode(request, frame, wanted)
            self._position += frame.original_size

    def _decode(self, request: CodecRequest | None, frame: Frame, wanted: range) -> Iterator[bytes]:
        done = 0
        if Kind.TEXT in frame.payloads:
            self._tell_of_loading(request)
        try:
            with device_faults(self._slot.device):
                codec = self._slot.open_for(request, frame)
                past = self._slot.past(request)
                for data in decode_frame(frame, codec, wanted, self._tell, past):
                    done += len(data)
                    yield data
            return
        except DeviceError as error:
            device, is_doubtful = self._slot.device, isinstance(error.__cause__, FormatError)
            self._leave_device(error)
        # What is out already was checked.
        try:
            yield from self._decode(request, frame, wanted[done:])
        except FormatError:
            if is_doubtful:
                # The processor says so too: nothing is wrong with the GPU.
                self._slot.move(device)
            raise

    def _leave_device(self, error: DeviceError) -> None:
        if self._stopped:
            # It was not the GPU.
            raise self._stopped
        go_on_on_processor(self._slot, error)

    def close(self) -> None:
        self._slot.close()

    def _tell_of_loading(self, request: CodecRequest | None) -> None:
        needs_model = request is not None and not isinstance(request, MixingRequest)
        if needs_model and not self._slot.has(request):
            self._progress.stage("loading the model")

    def _tell(self, done: int, tokens: int, payload: int) -> None:
        try:
            self._progress.update(self._position + done, tokens, payload)
        except Exception as error:
            self._stopped = error
            raise


@contextmanager
def in_this_process(workers: Workers | None, progress: Progress) -> Iterator[InProcess]:
    """`workers` themselves if they are this thread, else others, which are closed afterwards."""
    if isinstance(workers, InProcess):
        yield workers
    else:
        with closing(InProcess(progress)) as alone:
            yield alone


def place_for_sole(
    workers: Workers | None, alone: InProcess, request: CodecRequest | None, size: int
) -> Workers:
    """Where the sole frame of a file runs: it has all threads to itself in this process."""
    return workers if workers is not None and workers.takes_alone(request, size) else alone
