"""What runs in a worker process, whoever started it."""

import threading
from collections.abc import Callable

from nacrith.codec.codec_request import CodecRequest, CodecSlot
from nacrith.codec.frame_codec import Report, decode_frame, encode_frame, no_report
from nacrith.format.frame import Frame
from nacrith.format.header import ModelRecord

# One group at a time, even where a cluster runs tasks in several threads of a process.
_lock = threading.Lock()
_slot = CodecSlot()

report: Report = no_report
"""Who starts the process may put something else here."""


class SumOfBytes:
    """A `Report` that tells the bytes done in all groups so far."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._before = self._group = 0

    def __call__(self, done: int, tokens: int, payload: int) -> None:
        if done < self._group:
            self._before += self._group
        self._group = done
        self._tell(self._before + done)


def model_record(request: CodecRequest) -> ModelRecord:
    """What a header says of the model."""
    with _lock:
        codec = _slot.open(request)
        assert codec is not None
        return codec.record


def encode(request: CodecRequest | None, block: bytes) -> Frame:
    """See `encode_frame`."""
    with _lock:
        return encode_frame(block, _slot.open(request), report)


def decode(request: CodecRequest | None, frame: Frame) -> bytes:
    """See `decode_frame`. The codec is only opened for a frame with text."""
    with _lock:
        return decode_frame(frame, _slot.open_for(request, frame), report)
