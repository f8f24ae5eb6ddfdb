"""What runs in a worker process, whoever started it."""

import threading
from collections.abc import Callable
from typing import Any

from nacrith.codec.callbacks import FrameCallback, ignore
from nacrith.codec.codec_request import CodecRequest, inside_of, known_record
from nacrith.codec.codec_slot import CodecSlot
from nacrith.codec.frame_decoder import decode_frame
from nacrith.format.frame import Frame
from nacrith.format.header import ModelRecord
from nacrith.system.devices import CPU
from nacrith.workers.device_faults import device_faults

# One frame at a time, even where a cluster runs tasks in several threads of a process.
_lock = threading.RLock()
_slot = CodecSlot()

on_progress: FrameCallback = ignore
"""Who starts the process may put something else here."""


class SumOfBytes:
    """A `FrameCallback` that tells the bytes done in all frames so far."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._before = self._frame = 0

    def __call__(self, done: int, tokens: int, payload: int) -> None:
        if done < self._frame:
            self._before += self._frame
        self._frame = done
        self._tell(self._before + done)


def model_record(request: CodecRequest) -> ModelRecord | None:
    """What a header says of the model."""
    if record := known_record(request):
        return record
    with _lock, device_faults(_slot.device):
        codec = _slot.open(request)
        assert codec is not None
        return codec.record


def encode(request: CodecRequest | None, block: bytes) -> Frame:
    """See `encode_frame`."""
    # Restoring does not wait for it.
    from nacrith.codec.frame_encoder import encode_frame

    with _lock, device_faults(_slot.device):
        codec, past = _slot.opener(request), _slot.past(request)
        return encode_frame(block, codec, on_progress, past, inside_of(request))


def decode(request: CodecRequest | None, frame: Frame, wanted: range) -> bytes:
    """See `decode_frame`. The codec is only opened for a frame with text."""
    with _lock, device_faults(_slot.device):
        codec = _slot.open_for(request, frame)
        return b"".join(decode_frame(frame, codec, wanted, on_progress, _slot.past(request)))


def use_device(device: str) -> None:
    """Where models run from now on: see `load_model`. Lets go of one that is elsewhere."""
    with _lock:
        if device != _slot.device:
            _slot.move(device)


def on_processor(function: Callable[..., Any], *args: Any) -> Any:
    """Run one of the above on the processor, though there may be a GPU here."""
    with _lock:
        before = _slot.device
        use_device(CPU)
        try:
            return function(*args)
        finally:
            use_device(before)
