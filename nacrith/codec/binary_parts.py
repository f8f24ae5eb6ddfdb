"""Which parts of binary data are pictures or sound, and the numbers that their models need.

Of what looks like a picture by its bytes alone, a sample is coded both ways.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nacrith.codec.known import Known
from nacrith.codec.media import Media, find_media
from predictors.binary.bilevel_model import MAX_WIDTH, MIN_WIDTH
from predictors.binary.parts import Model, Part, coded_size
from predictors.binary.record_length import MAX_RECORD, MIN_RECORD, record_length

Bytes = npt.NDArray[np.uint8]

MAX_PARTS = 64
"""Each begins with new tables, which take a tenth of a second to make."""

_SAMPLE = 1 << 13
"""Bytes that are coded both ways where a header says what they are."""

_LONG_SAMPLE = 1 << 15
"""Bytes that are coded both ways where none does: a table takes long to learn."""

_LARGE = 1 << 17
"""Of a picture of so many bytes a larger sample is coded."""

_PLACES, _LEAST_ROWS = 4, 2
"""Places of a picture that a sample is from, and rows at each."""

_MOST_OF_BYTES = 7 / 8
"""A picture without a header must cost less than this part of what it costs as bytes. (A fax: 0.70;
a spreadsheet whose rows differ little: 0.85 of 8 KB, 1.00 of 32, 1.10 of 64.)"""

_LEAST = 1 << 10
"""Bytes of a picture without a header."""

# A pixel of a picture of one bit mostly equals the one above: so many bits of a hundred differ at
# most. Half of what is not such a picture do, but for long runs.
_MOST_CHANGES = 20


_MOST_MEDIA = MAX_PARTS // 2 - 1
"""Pictures and sounds that are parts of their own; between them there are others."""


def find_parts(data: Bytes, known: Known | None = None) -> list[Part]:
    """Cut [n] uint8 into parts, one or more, that add up to it.

    Args:
        known: a record length that is out of range is estimated. None = the pictures and sounds
            are to be found.
    """
    if known is None:
        known = Known(media=tuple(find_media(data.tobytes())))
    parts = []
    end = 0
    for media in _largest(_joined(known.media)):
        if media.begin > end:
            parts.append(_other_part(data[end : media.begin], known.record))
        parts.append(_part_of(data[media.begin : media.end], media))
        end = media.end
    if end < len(data) or not parts:
        parts.append(_other_part(data[end:], known.record))
    return parts


def _joined(media: Sequence[Media]) -> list[Media]:
    """Pictures alike that follow each other, as icons in an archive do, are one."""
    joined: list[Media] = []
    for one in media:
        last = joined[-1] if joined else None
        if (
            last
            and replace(one, header=last.header, begin=last.begin) == replace(last, end=one.end)
            and last.end == one.header == one.begin
        ):
            one = replace(last, end=one.end)
            joined.pop()
        joined.append(one)
    return joined


def _largest(media: list[Media]) -> list[Media]:
    """As many as there can be, in their order."""
    largest = sorted(media, key=lambda one: one.begin - one.end)[:_MOST_MEDIA]
    return sorted(largest, key=lambda one: one.begin)


def _part_of(data: Bytes, media: Media) -> Part:
    """A picture or sound as such, or as bytes if a sample is smaller so."""
    part = Part(media.model, len(data), media.numbers)
    whole = Part(Model.BYTES, len(data), (media.record or record_length(data),))
    sample = _rows(data, media.record) if media.record else _middle(data, _SAMPLE)
    return min(part, whole, key=lambda part: coded_size(sample, part))


def _rows(data: Bytes, stride: int) -> Bytes:
    """Rows of a picture, from several places: much of a screen is empty."""
    rows = data.reshape(-1, stride)
    size = _LONG_SAMPLE // 2 if len(data) >= _LARGE else _SAMPLE
    n = min(max(size // stride, _LEAST_ROWS), len(rows))
    places = max(min(_PLACES, n // _LEAST_ROWS), 1)
    n //= places
    begins = (len(rows) - n) * (2 * np.arange(places) + 1) // (2 * places)
    return rows[np.unique(begins[:, None] + np.arange(n))].reshape(-1)


def _other_part(data: Bytes, record: int) -> Part:
    """What no header says anything of."""
    if not MIN_RECORD <= record <= MAX_RECORD:
        record = record_length(data)
    whole = Part(Model.BYTES, len(data), (record,))
    if MIN_WIDTH <= record <= MAX_WIDTH and len(data) >= _LEAST and _may_be_bilevel(data, record):
        picture = Part(Model.BILEVEL, len(data), (record,))
        as_picture, as_bytes = (_sample_size(data, p, _LONG_SAMPLE) for p in (picture, whole))
        return picture if as_picture < _MOST_OF_BYTES * as_bytes else whole
    return whole


def _may_be_bilevel(data: Bytes, width: int) -> bool:
    """Do the bits of most bytes equal those of the row above?"""
    rows = _middle(data, _SAMPLE + width)
    if len(rows) < 2 * width:
        return False
    changes = int(np.bitwise_count(rows[width:] ^ rows[:-width]).sum())
    return 100 * changes <= _MOST_CHANGES * 8 * (len(rows) - width)


def _sample_size(data: Bytes, part: Part, n: int) -> int:
    """What n bytes of the middle of the data cost as such a part, in bytes."""
    return coded_size(_middle(data, n), part)


def _middle(data: Bytes, n: int) -> Bytes:
    # At an even place: a sample of sound has two bytes.
    begin = max(0, (len(data) - n) // 4 * 2)
    return data[begin : begin + n]
