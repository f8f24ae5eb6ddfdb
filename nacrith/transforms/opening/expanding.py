"""A block ↔ its bytes with the streams in it opened, and what closes these again.

Streams in opened streams are opened too: each layer is made from the bytes of the one before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coder import Decoder, Encoder
from nacrith.errors import FormatError
from nacrith.transforms.deflate.effort import Effort
from nacrith.transforms.deflate.guess import guess
from nacrith.transforms.deflate.inflate import Deflated, inflate
from nacrith.transforms.deflate.stream import StreamCoding
from nacrith.transforms.opening.finding import Found, find_streams
from nacrith.transforms.opening.layer import MOST_STREAMS, Opening, code_openings, join, split
from nacrith.transforms.opening.limits import MAX_EXPANDED, Expanded
from nacrith.transforms.opening.trailer import trailer_bytes

MAX_DEPTH = 3
"""Layers: streams in streams in streams."""

# Of 7-zip's and zopfli's streams an eighth is left as corrections; what then is saved is more.
_MOST_CORRECTIONS = 4
"""A stream is not opened if one part in so many would have to be coded as corrections."""

_BITS_PER_CORRECTION = 6
"""Measured with streams of 7-zip, libdeflate and zopfli: 4 to 6."""


@dataclass
class _Layer:
    """Attributes:
    openings: where the streams were.
    contents, deflated, efforts: of each stream.
    """

    openings: list[Opening]
    contents: list[bytes]
    deflated: list[Deflated]
    efforts: list[Effort]


def _nothing() -> None:
    pass


def expand(block: bytes, check: Callable[[], None] = _nothing) -> Expanded | None:
    """Open the streams of a block.

    Args:
        check: called now and then; may raise.

    Returns:
        None if there are none that can be closed again, or none that pay.
    """
    data = block
    layers: list[_Layer] = []
    begin = 0
    for _ in range(MAX_DEPTH):
        found = _open(data, begin, check)
        if not found:
            break
        data, begin, layer = found
        layers.append(layer)
    if not layers:
        return None
    coder = Encoder()
    coding = StreamCoding(coder, decodes=False)
    perfect = 0
    coding.numbers.number("layers", len(layers))
    for layer in reversed(layers):
        code_openings(coding.numbers, layer.openings)
        for content, given, effort in zip(
            layer.contents, layer.deflated, layer.efforts, strict=True
        ):
            check()
            coding.code_effort(effort)
            _, corrections = coding.code(_values(content), effort, given)
            perfect += not corrections
    expanded = Expanded(data, coder.finish(), sum(len(x.contents) for x in layers), perfect)
    # Never rely on what was not done.
    if restore(data, expanded.payload, len(block), check) != block:
        return None
    return expanded


def _open(data: bytes, begin: int, check: Callable[[], None]) -> tuple[bytes, int, _Layer] | None:
    """Open the streams that begin at a place or behind it.

    Returns:
        The new bytes, the place where the contents begin in them, and the layer.
    """
    opened: list[tuple[Found, Deflated, Effort]] = []
    size = len(data)
    last = Effort()
    for found in find_streams(data, begin, MAX_EXPANDED):
        check()
        raw = b"".join(data[a:b] for a, b in found.pieces)
        raw = raw[: len(raw) - len(trailer_bytes(found.trailer, found.content))]
        if size - found.size + len(found.content) > MAX_EXPANDED or not found.content:
            continue
        taken = inflate(raw, len(found.content))
        if not taken or taken[0] != found.content:
            continue
        effort, wrong = guess(_values(found.content), taken[1], last, found.window)
        if _MOST_CORRECTIONS * _BITS_PER_CORRECTION * wrong > 8 * len(raw):
            continue
        opened.append((found, taken[1], effort))
        last = effort
        size += len(found.content) - found.size
        if len(opened) == MOST_STREAMS:
            break
    if not opened:
        return None
    around, openings = split(
        data, [(found.pieces, len(found.content), found.trailer) for found, _, _ in opened]
    )
    contents = [found.content for found, _, _ in opened]
    layer = _Layer(openings, contents, [d for _, d, _ in opened], [e for _, _, e in opened])
    return around + b"".join(contents), len(around), layer


def restore(data: bytes, payload: bytes, size: int, check: Callable[[], None] = _nothing) -> bytes:
    """Inverse of `expand`; `size` is that of the block.

    Raises:
        FormatError: the file is damaged. What is made on the way is never much larger than the
            block and its bytes with the streams opened.
    """
    coding = StreamCoding(Decoder(payload), decodes=True)
    n_layers = coding.numbers.number("layers")
    if not 0 < n_layers <= MAX_DEPTH:
        raise FormatError(f"a frame is damaged: it claims {n_layers} layers of opened streams")
    for _ in range(n_layers):
        openings = code_openings(coding.numbers)
        place = len(data) - sum(opening.size for opening in openings)
        if place < 0:
            raise FormatError("a frame is damaged: its opened streams hold too much")
        around = data[:place]
        streams = []
        for opening in openings:
            check()
            content = data[place : place + opening.size]
            place += opening.size
            effort = coding.code_effort()
            stream, _ = coding.code(_values(content), effort)
            streams.append(stream + trailer_bytes(opening.trailer, content))
        data = join(around, openings, streams)
    if len(data) != size:
        raise FormatError("a frame is damaged: its streams are not as long as they were")
    return data


def _values(content: bytes) -> Any:
    """[n] uint8, writable as kernels want it."""
    return np.frombuffer(content, dtype=np.uint8).copy()
