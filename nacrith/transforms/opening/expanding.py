"""A block ↔ its bytes with the streams in it opened, and what closes these again.

Streams in opened streams are opened too: each layer is made from the bytes of the one before.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from coder import Decoder, Encoder
from nacrith.errors import FormatError
from nacrith.transforms.deflate.effort import Effort
from nacrith.transforms.deflate.guess import guess
from nacrith.transforms.deflate.inflate import Deflated, inflate
from nacrith.transforms.deflate.stream import StreamCoding
from nacrith.transforms.jpeg.picture import (
    COEFFICIENTS_OF_BYTE,
    Picture,
    close_picture,
    code_closing,
    coefficients_of,
    open_picture,
)
from nacrith.transforms.opening import lepton
from nacrith.transforms.opening.finding import Found, find_streams
from nacrith.transforms.opening.forms import FIRST_FORMS, Form, checksum
from nacrith.transforms.opening.layer import (
    MOST_STREAMS,
    Opening,
    Place,
    code_openings,
    join,
    split,
)
from nacrith.transforms.opening.limits import (
    EVERYTHING,
    MAX_DEPTH,
    MAX_EXPANDED,
    Expanded,
    Inside,
    Rows,
    Shown,
)
from nacrith.transforms.opening.pictures import MAX_COEFFICIENTS, NextCoefficients, known_of, none
from nacrith.transforms.opening.png_filters import FilterCoding, refilter
from nacrith.transforms.opening.png_pictures import Unfiltered, unfiltered

# Of 7-zip's and zopfli's streams an eighth is left as corrections; what then is saved is more.
_MOST_CORRECTIONS = 4
"""A stream is not opened if one part in so many would have to be coded as corrections."""

_BITS_PER_CORRECTION = 6
"""Measured with streams of 7-zip, libdeflate and zopfli: 4 to 6."""


@dataclass
class _Stream:
    """A stream that is opened.

    Attributes:
        form: what it is.
        inside: what deflate made it of.
        deflated, effort: None of a JPEG picture.
        rows: of a PNG picture.
        unfiltered: of one that is opened to its pixels.
        picture: a JPEG picture.
    """

    form: Form
    inside: bytes
    deflated: Deflated | None = None
    effort: Effort | None = None
    rows: Rows | None = None
    unfiltered: Unfiltered | None = None
    picture: Picture | None = None

    @property
    def content(self) -> bytes:
        """What it becomes."""
        return self.unfiltered.pixels if self.unfiltered else self.inside


@dataclass
class _Layer:
    """Streams, where they were, and the pieces (begin, end) of all of them."""

    openings: list[Opening]
    streams: list[_Stream]
    cut_out: list[tuple[int, int]]


def _nothing() -> None:
    pass


def expand(
    block: bytes,
    check: Callable[[], None] = _nothing,
    inside: Inside = EVERYTHING,
) -> Expanded | None:
    """Open the streams of a block.

    Args:
        check: called now and then; may raise.
        inside: what is opened.

    Returns:
        None if there are none that can be closed again, or none that pay.
    """
    data = block
    layers: list[_Layer] = []
    shown: list[Shown] = []
    begin = 0
    for _ in range(MAX_DEPTH):
        found = _open(data, begin, check, inside)
        if not found:
            break
        data, begin, layer = found
        layers.append(layer)
        shown = _moved(shown, layer.cut_out) + _shown_in(layer, begin)
    if not layers:
        return None
    coder = Encoder()
    coding = StreamCoding(coder, False, check)
    perfect = 0
    pictures = []
    filters = FilterCoding(coder, check)
    coding.numbers.number("layers", len(layers))
    for layer in reversed(layers):
        code_openings(coding.numbers, layer.openings)
        for stream in layer.streams:
            check()
            if stream.picture:
                code_closing(coding.numbers, stream.picture.closing)
                pictures.append(stream.picture)
            if not stream.deflated:
                continue
            if stream.unfiltered and stream.rows:
                filters.code(_values(stream.content), stream.rows, stream.unfiltered.filters)
            coding.code_effort(stream.effort)
            _, corrections = coding.code(_values(stream.inside), coding.effort, stream.deflated)
            perfect += not corrections
    counts = [sum(stream.deflated is not None for stream in layer.streams) for layer in layers]
    n = sum(counts)
    rows = _rows_of(layers, len(data))
    is_new = _is_new(layers)
    expanded = Expanded(
        data, coder.finish(), n, perfect, rows, tuple(shown), is_new, counts[0], tuple(pictures)
    )
    # Never rely on what was not done.
    if restore(data, expanded.payload, len(block), known_of(pictures), check) != block:
        return None
    return expanded


def count_streams(block: bytes, inside: Inside = EVERYTHING) -> tuple[int, int, int]:
    """How many streams of deflate are opened, how many of these need no corrections, and how many
    of those that lie in the block itself stay closed."""
    n = sum(found.form != Form.JPEG for found in find_streams(block, 0, MAX_EXPANDED, inside))
    expanded = expand(block, inside=inside)
    if expanded is None:
        return 0, 0, n
    return expanded.streams, expanded.perfect, n - expanded.outer


def _is_new(layers: Sequence[_Layer]) -> bool:
    """Is there a form that the first programs of this format do not know?"""
    return any(stream.form not in FIRST_FORMS for layer in layers for stream in layer.streams)


def _shown_in(layer: _Layer, begin: int) -> list[Shown]:
    """A layer's pictures; its contents begin at a place."""
    pictures = []
    for stream in layer.streams:
        end = begin + len(stream.content)
        if stream.unfiltered and stream.rows:
            pictures.append(Shown(begin, end, stream.rows))
        begin = end
    return pictures


def _moved(pictures: Sequence[Shown], cut_out: Sequence[tuple[int, int]]) -> list[Shown]:
    """Where pictures are when pieces (begin, end), ascending, have been cut out.

    A picture that one was cut out of is left out.
    """
    ends = [end for _, end in cut_out]
    bytes_before = [0, *accumulate(end - begin for begin, end in cut_out)]
    left = []
    for begin, end, rows in pictures:
        n = bisect_right(ends, begin)
        if n == len(cut_out) or cut_out[n][0] >= end:
            left.append(Shown(begin - bytes_before[n], end - bytes_before[n], rows))
    return left


def _rows_of(layers: Sequence[_Layer], size: int) -> Rows | None:
    """Of the picture that is more than half of the data, and has its filters."""
    for layer in layers:
        for stream in layer.streams:
            if stream.rows and not stream.unfiltered and 2 * len(stream.content) > size:
                return stream.rows
    return None


def _open(
    data: bytes, begin: int, check: Callable[[], None], inside: Inside
) -> tuple[bytes, int, _Layer] | None:
    """Open the streams that begin at a place or behind it.

    Returns:
        The new bytes, the place where the contents begin in them, and the layer.
    """
    opened: list[tuple[Found, _Stream]] = []
    size = len(data)
    last = Effort()
    # Of the pictures of each layer, those that are not opened too, which may lie in each other.
    allowed = min(MAX_COEFFICIENTS // MAX_DEPTH, COEFFICIENTS_OF_BYTE * size)
    closed: set[int] = set()
    for found in find_streams(data, begin, MAX_EXPANDED, inside, closed):
        check()
        raw = b"".join(data[a:b] for a, b in found.pieces)
        if found.form == Form.JPEG:
            claimed = coefficients_of(raw)
            closed.add(found.end)
            if not 0 < claimed <= allowed:
                continue
            allowed -= claimed
            stream = _taken_apart(raw, check)
        else:
            stream = _opened(raw, found, last, inside.pixels)
        if not stream or size - found.size + len(stream.content) > MAX_EXPANDED:
            continue
        closed.discard(found.end)
        opened.append((found, stream))
        last = stream.effort or last
        size += len(stream.content) - found.size
        if len(opened) == MOST_STREAMS:
            break
    if not opened:
        return None
    places = [
        Place(found.pieces, len(s.content), s.form, s.rows if s.unfiltered else None)
        for found, s in opened
    ]
    around, openings = split(data, places)
    streams = [stream for _, stream in opened]
    contents = b"".join(stream.content for stream in streams)
    cut_out = [piece for place in places for piece in place.pieces]
    return around + contents, len(around), _Layer(openings, streams, cut_out)


def _taken_apart(raw: bytes, check: Callable[[], None]) -> _Stream | None:
    picture = open_picture(raw, check)
    return _Stream(Form.JPEG, picture.content, picture=picture) if picture else None


def _opened(raw: bytes, found: Found, last: Effort, to_pixels: bool) -> _Stream | None:
    """A deflate stream taken apart; None if that can't be done or does not pay."""
    raw = raw[: len(raw) - len(checksum(found.form, found.content))]
    taken = inflate(raw, len(found.content)) if found.content else None
    if not taken or taken[0] != found.content:
        return None
    effort, wrong = guess(_values(found.content), taken[1], last, found.window)
    if _MOST_CORRECTIONS * _BITS_PER_CORRECTION * wrong > 8 * len(raw):
        return None
    pixels = unfiltered(found.content, found.rows) if found.rows and to_pixels else None
    form = Form.PNG if pixels else found.form
    return _Stream(form, found.content, taken[1], effort, found.rows, pixels)


def restore(
    data: bytes,
    payload: bytes,
    size: int,
    next_coefficients: NextCoefficients = none,
    check: Callable[[], None] = _nothing,
) -> bytes:
    """Inverse of `expand`.

    Args:
        size: of the block.
        next_coefficients: those of its JPEG pictures.

    Raises:
        FormatError: the file is damaged. What is made on the way is never much larger than the
            block and its bytes with the streams opened.
        UnsupportedError: a library that it needs is not installed.
    """
    decoder = Decoder(payload)
    coding = StreamCoding(decoder, True, check)
    filters = FilterCoding(decoder, check)
    n_layers = coding.numbers.number("layers")
    if not 0 < n_layers <= MAX_DEPTH:
        raise FormatError(f"a frame is damaged: it claims {n_layers} layers of opened streams")
    for _ in range(n_layers):
        openings = code_openings(coding.numbers)
        has_lepton = any(opening.form == Form.LEPTON for opening in openings)
        made_by = coding.numbers.number("lepton") if has_lepton else 0
        place = len(data) - sum(opening.size for opening in openings)
        if place < 0:
            raise FormatError("a frame is damaged: its opened streams hold too much")
        around = data[:place]
        streams = []
        left = MAX_EXPANDED
        for opening in openings:
            check()
            content = data[place : place + opening.size]
            place += opening.size
            if opening.form == Form.LEPTON:
                stream = lepton.unpack(content, made_by)
            elif opening.form == Form.JPEG:
                closing = code_closing(coding.numbers)
                stream = close_picture(content, closing, next_coefficients(content), left, check)
            else:
                if opening.rows:
                    pixels = _values(content)
                    content = refilter(pixels, filters.code(pixels, opening.rows), opening.rows)
                stream, _ = coding.code(_values(content), coding.code_effort())
                stream += checksum(opening.form, content)
            streams.append(stream)
            left -= len(stream)
            if left < 0:
                raise FormatError("a frame is damaged: its streams are longer than a frame")
        data = join(around, openings, streams)
    if len(data) != size:
        raise FormatError("a frame is damaged: its streams are not as long as they were")
    return data


def _values(content: bytes) -> Any:
    """[n] uint8, writable as kernels want it."""
    return np.frombuffer(content, dtype=np.uint8).copy()
