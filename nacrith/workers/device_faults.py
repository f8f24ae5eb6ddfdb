"""What goes wrong on a GPU, told apart from what is wrong with the input."""

from collections.abc import Iterator
from contextlib import contextmanager

from coder.messages import say_once
from nacrith.codec.codec_slot import CodecSlot
from nacrith.codec.loaded_models import first_line
from nacrith.errors import DeviceError, FormatError, NacrithError
from nacrith.system.devices import CPU


@contextmanager
def device_faults(device: str) -> Iterator[None]:
    """Raise DeviceError for all that the processor may do better; nothing changes on it.

    That is whatever PyTorch or a backend raises, and a frame that seems damaged: only the
    processor's word is taken for that.
    """
    try:
        yield
    except Exception as error:
        if device == CPU or isinstance(error, DeviceError) or _is_the_input(error):
            raise
        raise DeviceError(_told(error)) from error


def go_on_on_processor(slot: CodecSlot, error: DeviceError) -> None:
    """The GPU has failed; its models are opened again on the processor, and the user is told."""
    say_once(f"the GPU failed ({error}); the processor goes on")
    slot.move(CPU)


def _is_the_input(error: Exception) -> bool:
    """Errors of a backend are translated to NacrithError itself."""
    if isinstance(error, FormatError):
        return False
    return isinstance(error, NacrithError) and type(error) is not NacrithError


def _told(error: Exception) -> str:
    if isinstance(error, FormatError):
        return f"what it decoded does not fit: {error}"
    if "out of memory" in str(error).lower() or isinstance(error, MemoryError):
        return "out of memory"
    return first_line(error)
