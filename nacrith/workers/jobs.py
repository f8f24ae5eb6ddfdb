"""What runs in a worker process, whoever started it."""

import threading
from collections.abc import Callable

from nacrith.codec_request import CodecRequest, CodecSlot
from nacrith.format.frame import Frame
from nacrith.format.header import ModelRecord
from nacrith.groups import Report, decode_group, encode_group, no_report

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
    """See `encode_group`."""
    with _lock:
        return encode_group(block, _slot.open(request), report)


def decode(request: CodecRequest | None, frame: Frame) -> bytes:
    """See `decode_group`. The codec is only opened for a frame with text."""
    with _lock:
        return decode_group(frame, _slot.open_for(request, frame), report)
