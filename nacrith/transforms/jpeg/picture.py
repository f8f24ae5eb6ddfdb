"""A JPEG picture ↔ its coefficients, and its other bytes: headers, and what can't be understood.

What is understood is written again and compared before it is believed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nacrith.errors import FormatError
from nacrith.transforms.deflate.adaptive_numbers import Numbers
from nacrith.transforms.jpeg.bit_stream import (
    FAILED,
    FILLER,
    PLACE,
    fill_up,
    reader,
    writer,
)
from nacrith.transforms.jpeg.frame_header import FrameHeader
from nacrith.transforms.jpeg.markers import UNITS, Markers, blocks_of
from nacrith.transforms.jpeg.scan_coding import code_scan
from predictors.jpeg.layout import COEFFICIENTS, MOST, Coefficients, count_blocks

MAX_SCANS = 1 << 10
"""Programs write up to a dozen."""

_MOST_PASSES = 128
"""A picture's scans go through so many times its blocks at most."""

COEFFICIENTS_OF_BYTE = 4 * COEFFICIENTS
"""A picture pays if a byte of its scans has so many at most. Of a white one that libjpeg writes it
has four blocks, of a page with a few lines of text 2.8, of blurred photographs 1.9."""

_VISITS_OF_BYTE = 64
"""And if its scans go through so many blocks for each byte at most. Of a white one they do 24."""


@dataclass(frozen=True)
class Closing:
    """What is to be known besides headers and coefficients.

    Attributes:
        scans: how many of them are left out of the picture's other bytes.
        missing: 0 = all of them are whole; else of the last one the bytes from its end are among
            the other bytes: those of `missing` - 1 MCUs, with the byte that they begin in.
        filler: the bit that fills up bytes.
    """

    scans: int
    missing: int
    filler: int


_NOTHING = Closing(0, 0, 0)


@dataclass(frozen=True)
class Picture:
    """Attributes:
    content: all bytes but those of scans.
    closing: see there.
    frame: what the frame header says.
    quantization: [4, 64] int64, in rows of a block.
    coefficients: see `predictors.jpeg.layout`.
    """

    content: bytes
    closing: Closing
    frame: FrameHeader
    quantization: Any
    coefficients: Coefficients


def _nothing() -> None:
    pass


def open_picture(
    data: bytes, check: Callable[[], None] = _nothing, most_scans: int = MAX_SCANS
) -> Picture | None:
    """Take a picture apart; None if it can't be put together again, or does not pay.

    Args:
        check: called for each scan; may raise.
        most_scans: those behind are left as they are.
    """
    markers = Markers(data)
    values: Any = np.frombuffer(data, dtype=np.uint8).copy()
    coefficients: Any = None
    kept = []
    end = 0
    scans, missing, filler = 0, 0, -1
    work = 0
    while not missing and scans < most_scans and (scan := markers.next_scan()):
        frame = markers.frame
        assert frame
        check()
        work += blocks_of(scan.parameters, frame.components)
        most = min(_MOST_PASSES * count_blocks(frame.components), _VISITS_OF_BYTE * len(data))
        if work > most or not _pays(frame, len(data)):
            break
        if coefficients is None:
            coefficients = frame.new_coefficients()
        stream = reader(values, scan.place, filler)
        state, ends = stream.state, np.zeros(3, dtype=np.int64)
        units = int(scan.parameters[UNITS])
        read = code_scan(
            stream, coefficients, frame.components, scan.parameters, markers.tables, units, ends
        )
        if read == units and not state[FAILED]:
            fill_up(stream)
        if state[FAILED]:
            if frame.progressive:
                # The coefficients as they were before this scan, in the memory of these.
                del coefficients, stream, values
                return open_picture(data, check, scans) if scans else None
            if read == 0:
                break
            missing = units - read + 1
            # The byte in which the next MCU begins is kept whole.
            place = int(ends[0])
            if ends[2]:
                place -= 2 if ends[1] == 0xFF else 1
        else:
            place = int(state[PLACE])
        filler = max(int(state[FILLER]), -1)
        kept.append(data[end : scan.place])
        end = markers.place = place
        scans += 1
    if not scans:
        return None
    assert markers.frame
    kept.append(data[end:])
    closing = Closing(scans, missing, max(filler, 0))
    content = b"".join(kept)
    frame, quantization = read_headers(content)
    assert frame
    if not _pays(frame, len(data) - len(content)):
        return None
    if max(int(coefficients.max()), -int(coefficients.min())) > MOST:
        return None
    picture = Picture(content, closing, frame, quantization, coefficients)
    return picture if _is_closed(picture, data, check) else None


def coefficients_of(data: bytes) -> int:
    """How many a picture claims; 0 if it is none that would be opened, by its headers."""
    frame, _ = read_headers(data)
    if not frame or not _pays(frame, len(data)):
        return 0
    return COEFFICIENTS * count_blocks(frame.components)


def _pays(frame: FrameHeader, size: int) -> bool:
    """Are so many bytes of scans enough for its coefficients?"""
    return COEFFICIENTS * count_blocks(frame.components) <= COEFFICIENTS_OF_BYTE * size


def code_closing(numbers: Numbers, given: Closing = _NOTHING) -> Closing:
    """Code what closes a picture, given when encoding.

    Raises:
        FormatError: the file is damaged.
    """
    scans = numbers.number("scans", given.scans)
    if not 0 < scans <= MAX_SCANS:
        raise FormatError(f"a frame is damaged: it claims {scans} scans of a JPEG picture")
    missing = numbers.number("missing", given.missing)
    return Closing(scans, missing, int(numbers.flag("filler", bool(given.filler))))


def _is_closed(picture: Picture, data: bytes, check: Callable[[], None]) -> bool:
    try:
        again = close_picture(
            picture.content, picture.closing, picture.coefficients, len(data), check
        )
    except FormatError:
        return False
    return again == data


def read_headers(content: bytes) -> tuple[FrameHeader | None, Any]:
    """The frame header and the quantization tables of a picture up to its first scan."""
    markers = Markers(content)
    scan = markers.next_scan()
    return markers.frame if scan else None, markers.quantization


def close_picture(
    content: bytes,
    closing: Closing,
    coefficients: Coefficients,
    most: int,
    check: Callable[[], None] = _nothing,
) -> bytes:
    """Inverse of `open_picture`.

    Args:
        most: bytes that there may be.
        check: called for each scan; may raise.

    Raises:
        FormatError: there are more, or it is no such picture.
    """
    markers = Markers(content)
    parts: list[bytes] = []
    begin = 0
    work = 0
    for i in range(closing.scans):
        scan = markers.next_scan()
        if scan is None or not markers.frame:
            raise FormatError("a frame is damaged: a JPEG picture has fewer scans than it claims")
        check()
        work += blocks_of(scan.parameters, markers.frame.components)
        if work > _MOST_PASSES * count_blocks(markers.frame.components):
            raise FormatError("a frame is damaged: the scans of a JPEG picture are too long")
        is_last = i == closing.scans - 1
        units = int(scan.parameters[UNITS])
        if is_last and closing.missing:
            units -= closing.missing - 1
        room = most - sum(map(len, parts)) + 8
        stream = writer(max(room, 8), closing.filler)
        ends = np.zeros(3, dtype=np.int64)
        components = markers.frame.components
        code_scan(
            stream, coefficients, components, scan.parameters, markers.tables, max(units, 0), ends
        )
        if not (is_last and closing.missing):
            fill_up(stream)
        if stream.state[FAILED] or units < 0:
            raise FormatError("a frame is damaged: a JPEG picture can't be put together")
        parts += [content[begin : scan.place], stream.data[: stream.state[PLACE]].tobytes()]
        begin = scan.place
    parts.append(content[begin:])
    return b"".join(parts)
