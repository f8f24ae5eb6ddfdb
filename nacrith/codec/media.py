"""Pictures and sound that are not compressed, found by their headers anywhere in data.

Windows bitmaps (BMP), the binary portable formats (PBM, PGM, PPM), TIFF, WAV and AIFF. What is cut
off by the end of the data counts as far as it goes.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from nacrith.codec.budget import Budget
from nacrith.codec.tiff import find_strips
from predictors.binary.parts import Model, Part, of_picture, of_png, problem
from predictors.binary.sound_samples import BIG_ENDIAN, EIGHT_BITS, LITTLE_ENDIAN

_LEAST = 1 << 10
"""Bytes of a picture or of sound, below which a model of their own does not pay."""

_LOOKED_AT = 1 << 12
"""The first bytes of media, in which text would show."""

_LEAST_OTHERS = 16
"""One in so many of the first bytes must not be a character of ASCII."""

_ASCII = bytes([9, 10, 13, *range(32, 127)])


@dataclass(frozen=True)
class Media:
    """Where pixels or samples are.

    Attributes:
        header: where their header begins.
        begin, end: of the pixels or samples.
        model, numbers: as of a `Part`.
        missing: bytes that it has behind `end`, cut off.
        record: length of the records that it may be coded as instead; 0 = to be estimated.
    """

    header: int
    begin: int
    end: int
    model: Model
    numbers: tuple[int, ...]
    missing: int = 0
    record: int = 0

    def moved(self, distance: int) -> "Media":
        """The same elsewhere."""
        return replace(
            self,
            header=self.header + distance,
            begin=self.begin + distance,
            end=self.end + distance,
        )

    @property
    def unit(self) -> int:
        """Bytes of a pixel, or of a sample of all channels."""
        if self.model == Model.PIXELS:
            return self.numbers[1]
        if self.model == Model.SOUND:
            return _sample_bytes(self.numbers[0]) * self.numbers[1]
        return 1


def find_media(data: bytes, rest: Media | None = None) -> list[Media]:
    """All pictures and sounds, in order; none begins before the one before it ends.

    Args:
        rest: what goes on at the begin of the data.
    """
    found = [rest] if rest else []
    end = rest.end if rest else 0
    budget = Budget(len(data))
    for match in _MAGIC.finditer(data, end):
        if match.start() < end:
            continue
        for media in _read(data, match.start(), match.group()[:2], budget):
            if _is_sound_or_picture(media) and not _is_text(data, media):
                found.append(media)
                end = media.end
    return found


def _read(data: bytes, at: int, magic: bytes, budget: Budget) -> list[Media]:
    """What the header at a place tells of."""
    try:
        if magic in (b"II", b"MM"):
            return [*_tiff(data, at, budget)]
        media = _READERS[magic](data, at, budget)
    except (struct.error, IndexError):
        return []
    return [media] if media else []


def rest_behind(media: Media, size: int, following: int) -> Media | None:
    """What goes on behind the data that a picture or sound was found in.

    Args:
        media: the last one that was found.
        size: bytes of the data.
        following: bytes behind it.

    Returns:
        Its whole pixels or samples among these; None if there are none.
    """
    missing = media.missing - (size - media.end)
    if media.missing <= 0 or missing <= 0:
        return None
    begin = (media.begin - size) % media.unit
    end = min(missing, following)
    if media.model == Model.SOUND:
        end -= (end - begin) % _sample_bytes(media.numbers[0])
    rest = Media(0, begin, end, media.model, media.numbers, missing - end)
    return rest if _is_sound_or_picture(rest) else None


def _is_text(data: bytes, media: Media) -> bool:
    """Is it a text about such files? Few of its bytes are none of ASCII's then."""
    begin = data[media.begin : media.begin + _LOOKED_AT]
    others = begin.translate(None, _ASCII)
    return len(others) * _LEAST_OTHERS < len(begin)


def _is_sound_or_picture(media: Media) -> bool:
    size = media.end - media.begin
    return size >= _LEAST and not problem(Part(media.model, size, media.numbers))


def media_of(begin: int, end: int, stride: int, bits: int) -> Media | None:
    """A PNG picture's pixels, of a row of `stride` bytes and so many bits a pixel."""
    if not (model := of_png(stride, bits)):
        return None
    media = Media(begin, begin, end, *model, record=stride)
    return media if _is_sound_or_picture(media) else None


def _media(
    data: bytes, header: int, begin: int, size: int, model: Model, *numbers: int
) -> Media | None:
    end = min(begin + size, len(data))
    if model == Model.SOUND and end > begin:
        end -= (end - begin) % _sample_bytes(numbers[0])
    if not header <= begin < end:
        return None
    return Media(header, begin, end, model, numbers, begin + size - end)


def _sample_bytes(kind: int) -> int:
    """Of one channel."""
    return 1 if kind == EIGHT_BITS else 2


def _picture(
    data: bytes, header: int, begin: int, stride: int, size: int, bits: int
) -> Media | None:
    """Of a row of `stride` bytes and so many bits a pixel."""
    model = of_picture(stride, bits)
    return _media(data, header, begin, size, model[0], *model[1]) if model else None


def _bmp(data: bytes, at: int, _: Budget) -> Media | None:
    begin, head, width, height = struct.unpack_from("<IIii", data, at + 10)
    planes, bits, compression = struct.unpack_from("<HHI", data, at + 26)
    if planes != 1 or compression not in (0, 3) or not 40 <= head <= 124 or width <= 0:
        return None
    if not head + 14 <= begin <= head + 14 + 1024 + 16:
        return None
    stride = (width * bits + 31) // 32 * 4
    return _picture(data, at, at + begin, stride, stride * abs(height), bits)


_PNM_GAP = rb"(?:\s+|(?=#))(?:#[^\n]{0,255}\n\s*){0,8}"
"""Between two numbers. Each text has only one way to match; comments, which may hold the beginnings
of other headers, are bounded."""

_PNM_HEAD = re.compile(rb"P[456]%b(\d{1,6})%b(\d{1,6})" % (_PNM_GAP, _PNM_GAP))
_PNM_MOST = re.compile(rb"%b255" % _PNM_GAP)


def _pnm(data: bytes, at: int, _: Budget) -> Media | None:
    head = _PNM_HEAD.match(data, at)
    if not head:
        return None
    width, rows = int(head[1]), int(head[2])
    end = head.end()
    if data[at + 1] == ord("4"):
        stride = (width + 7) // 8
        return _picture(data, at, end + 1, stride, stride * rows, 1)
    most = _PNM_MOST.match(data, end)
    if not most:
        return None
    pixel = 3 if data[at + 1] == ord("6") else 1
    stride = width * pixel
    return _picture(data, at, most.end() + 1, stride, stride * rows, 8 * pixel)


_TIFF_HEAD = 8
"""Bytes before which no pixels lie."""


def _tiff(data: bytes, at: int, budget: Budget) -> Iterator[Media]:
    header, end = at, at + _TIFF_HEAD
    for begin, size, stride, bits in find_strips(data, at, budget):
        # Those that reach into each other are none.
        if begin >= end and (media := _picture(data, header, begin, stride, size, bits)):
            yield media
            header = end = media.end


_MOST_CHUNKS = 256
"""Before the samples."""


def _chunks(data: bytes, at: int, order: str, budget: Budget) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and size of the first chunks of an IFF or RIFF file from `at` on."""
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data) or not budget.take(1):
            return
        (size,) = struct.unpack_from(order + "I", data, at + 4)
        yield data[at : at + 4], at + 8, size
        at += 8 + size + size % 2


def _wav(data: bytes, at: int, budget: Budget) -> Media | None:
    kind, channels = -1, 0
    if data[at + 8 : at + 12] != b"WAVE":
        return None
    for name, begin, size in _chunks(data, at + 12, "<", budget):
        if name == b"fmt ":
            coding, channels = struct.unpack_from("<HH", data, begin)
            (bits,) = struct.unpack_from("<H", data, begin + 14)
            if coding in (1, 0xFFFE):
                kind = {8: EIGHT_BITS, 16: LITTLE_ENDIAN}.get(bits, -1)
        elif name == b"data":
            return _media(data, at, begin, size, Model.SOUND, kind, channels)
    return None


def _aiff(data: bytes, at: int, budget: Budget) -> Media | None:
    bits = channels = 0
    if data[at + 8 : at + 12] != b"AIFF":
        return None
    for name, begin, size in _chunks(data, at + 12, ">", budget):
        if name == b"COMM":
            channels, _, bits = struct.unpack_from(">HIH", data, begin)
        elif name == b"SSND" and bits == 16:
            return _media(data, at, begin + 8, size - 8, Model.SOUND, BIG_ENDIAN, channels)
    return None


_READERS: dict[bytes, Callable[[bytes, int, Budget], Media | None]] = {
    b"BM": _bmp,
    b"P4": _pnm,
    b"P5": _pnm,
    b"P6": _pnm,
    b"RI": _wav,
    b"FO": _aiff,
}

_MAGIC = re.compile(rb"BM(?=.{4}\0\0\0\0)|P[456](?=\s)|II\*\0|MM\0\*|RIFF|FORM", re.DOTALL)
