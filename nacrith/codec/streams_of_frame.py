"""How many streams a frame's text has, read from the head of its payload, without the model."""

from nacrith.codec.bit_decoder import BitDecoder
from nacrith.codec.layout import Layout, code_layout
from nacrith.errors import NacrithError
from nacrith.format.frame import Frame, Kind
from nacrith.transforms.transforms_made import code_transforms


def streams_of(frame: Frame) -> int:
    """The streams of a frame; 0 if it has no text for the model.

    Raises:
        FormatError: the payload is damaged.
        UnsupportedError: it names what this version does not know.
    """
    payload = frame.payloads.get(Kind.TEXT)
    if not payload:
        return 0
    coder = BitDecoder(payload)
    code_transforms(coder)
    return len(code_layout(coder, Layout((frame.n_symbols,), (frame.size_of(Kind.TEXT),))))


def streams_told(frame: Frame) -> int:
    """The same; 0, too, if it can't be read: whoever restores it tells what is wrong."""
    try:
        return streams_of(frame)
    except NacrithError:
        return 0
