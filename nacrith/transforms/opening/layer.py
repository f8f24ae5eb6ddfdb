"""A layer of opened streams: the bytes around them, then their contents, one behind the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nacrith.errors import FormatError
from nacrith.transforms.deflate.adaptive_numbers import Numbers
from nacrith.transforms.opening.forms import Form
from nacrith.transforms.opening.limits import MAX_EXPANDED, Rows


@dataclass(frozen=True)
class Opening:
    """Where an opened stream was.

    Attributes:
        gap: bytes around between the end of the stream before and this one.
        size: bytes of content.
        pieces: of a stream in pieces, for each piece but the last one its bytes, and the bytes
            between it and the next.
        form: what it is; a checksum is among its bytes.
        rows: of the form PNG.
    """

    gap: int
    size: int
    pieces: tuple[tuple[int, int], ...] = ()
    form: Form = Form.RAW
    rows: Rows | None = None

    @property
    def is_whole(self) -> bool:
        """Can there be so many bytes of this form?"""
        if self.rows is None:
            return True
        if not self.size or self.rows.row < 2:
            return False
        n, left = divmod(self.size, self.rows.row - 1)
        return not left and n * self.rows.row <= MAX_EXPANDED


class Place(NamedTuple):
    """Where a stream is, and what it becomes.

    Attributes:
        pieces: (begin, end) of its bytes, ascending.
        size, form, rows: as of an `Opening`.
    """

    pieces: tuple[tuple[int, int], ...]
    size: int
    form: Form
    rows: Rows | None = None


MOST_STREAMS = 1 << 16
"""In a layer."""

_MOST_PIECES = 1 << 20


def code_openings(numbers: Numbers, given: Sequence[Opening] = ()) -> list[Opening]:
    """Code the openings of a layer, given when encoding.

    Raises:
        FormatError: the file is damaged.
    """
    n = numbers.number("streams", len(given))
    if not 0 < n <= MOST_STREAMS:
        raise FormatError(f"a frame is damaged: it claims {n} opened streams")
    openings = []
    left = _MOST_PIECES
    for i in range(n):
        opening = given[i] if given else Opening(0, 0)
        gap = numbers.number("gap", opening.gap)
        size = numbers.number("content", opening.size)
        n_pieces = numbers.number("pieces", len(opening.pieces))
        left -= n_pieces
        if left < 0:
            raise FormatError("a frame is damaged: an opened stream has too many pieces")
        pieces = []
        last = (0, 0)
        for k in range(n_pieces):
            piece = opening.pieces[k] if given else (0, 0)
            if not numbers.flag("same piece", piece == last):
                piece = (
                    numbers.number("piece", piece[0]),
                    numbers.number("between pieces", piece[1]),
                )
            else:
                piece = last
            last = piece
            pieces.append(piece)
        kind = numbers.number("form", opening.form)
        if kind not in set(Form):
            raise FormatError(f"a frame is damaged: it names form {kind} of a stream")
        form = Form(kind)
        rows = _code_rows(numbers, opening.rows) if form == Form.PNG else None
        openings.append(Opening(gap, size, tuple(pieces), form, rows))
        if not given and not openings[-1].is_whole:
            raise FormatError(f"a frame is damaged: {size} bytes are no picture")
    return openings


def _code_rows(numbers: Numbers, given: Rows | None) -> Rows:
    row, pixel = (given.row, given.pixel) if given else (1, 1)
    row = numbers.number("row", row - 1) + 1
    return Rows(row, numbers.number("pixel", pixel - 1) + 1)


def split(data: bytes, streams: Sequence[Place]) -> tuple[bytes, list[Opening]]:
    """Cut streams out, which are given in their order.

    Returns:
        The bytes around, and the openings.
    """
    around = []
    openings = []
    place = 0
    for pieces, size, form, rows in streams:
        gap = pieces[0][0] - place
        between = []
        for i, (begin, end) in enumerate(pieces):
            around.append(data[place:begin])
            place = end
            if i + 1 < len(pieces):
                between.append((end - begin, pieces[i + 1][0] - end))
        openings.append(Opening(gap, size, tuple(between), form, rows))
    around.append(data[place:])
    return b"".join(around), openings


def join(around: bytes, openings: Sequence[Opening], streams: Sequence[bytes]) -> bytes:
    """Inverse of `split`, given the streams with what stands behind them.

    Raises:
        FormatError: the file is damaged.
    """
    parts = []
    place = 0

    def take(n: int) -> bytes:
        nonlocal place
        if n > len(around) - place:
            raise FormatError("a frame is damaged: an opened stream lies behind the end")
        place += n
        return around[place - n : place]

    for opening, stream in zip(openings, streams, strict=True):
        parts.append(take(opening.gap))
        begin = 0
        for length, gap in opening.pieces:
            if length > len(stream) - begin:
                raise FormatError("a frame is damaged: a piece of a stream is too long")
            parts.append(stream[begin : begin + length])
            begin += length
            parts.append(take(gap))
        parts.append(stream[begin:])
    parts.append(around[place:])
    return b"".join(parts)
