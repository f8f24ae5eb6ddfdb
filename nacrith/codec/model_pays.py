"""Which text of a block is worth the language model, and which context mixing does as well.

The model takes a hundred times as long as context mixing, by token. On prose or code it leaves
half of what context mixing leaves; on hexadecimal, reads of a sequencer or many a table of
numbers, where a digit or letter is a token, next to nothing is saved. The strings of a program
are text indeed, but a small part of it. So:

1. Text is looked at in pieces. A piece of many bytes a token needs no trial; the others are
   *doubtful*.
2. Doubtful pieces are coded by context mixing, all in one go, which tells what each costs. Of
   those alike a sample is coded by the model and by context mixing, each from nothing; the
   second half tells the share that the model saves.
3. Where there is much binary data beside the text, all of it goes through context mixing: what
   the model saves on the text must be a share of both. So does text that says the same again and
   again: a share of next to nothing is not worth the time either.
4. When the text has been coded by the model, its size is compared with what context mixing took.

Only an encoder decides. All is computed with integers, so it decides the same everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from nacrith.codec.binary_codec import mix
from nacrith.codec.known import NOTHING_KNOWN, Known
from nacrith.codec.repetition import is_repeated
from nacrith.codec.run import Run
from nacrith.codec.text_codec import TextCodec
from nacrith.format.frame import Kind, Segment
from nacrith.system import signals
from nacrith.transforms.charset import utf16_order

PIECE_BYTES = 1 << 14
"""Looked at together, up to the end of a line; the last piece may be half as large again."""

# Text of at least so many bytes a token is not doubtful (as a ratio). English has 4, source
# code 3, most logs and the Canterbury corpus' tables 2; hexadecimal and numbers 1 to 1.4.
_PLAIN = (7, 4)
# Pieces are alike if their tokens a byte and their costs a byte, which fall while context
# mixing learns, differ by at most these parts.
_ALIKE_TOKENS, _ALIKE_SIZE = 4, 2
# Of the sample, the half that counts has half of these. With 1,024 the share that is saved of
# a table or a hex dump comes out 10 % too high: context mixing has to learn it first.
_SAMPLE_TOKENS = 2048
# Binary data counts if it is at least this part of the text.
_LEAST_BINARY = 4
# No text has been seen of which the model saves more, in percent.
_MOST_SAVED = 65
# Less than one byte saved by so many tokens (0.1 s) is not worth it, whatever share that is.
_TOKENS_PER_BYTE = 64


@dataclass
class _Piece:
    """A part of a block.

    Attributes:
        begin, length: in bytes.
        kind: changes when it is decided.
        tokens: of text.
        size: bytes that context mixing makes of it, together with the others.
    """

    begin: int
    length: int
    kind: Kind
    tokens: int = 0
    size: int = 0

    @property
    def doubtful(self) -> bool:
        return self.length * _PLAIN[1] < self.tokens * _PLAIN[0]


@dataclass(frozen=True)
class Choice:
    """What is worth the model.

    Attributes:
        segments: of the block, as they are to be coded.
        least_saving: percent that the model must have saved in the end. What a sample spoke
            for is thrown away only if it is clearly wrong.
        text_size: bytes that context mixing makes of the text among them; None = not tried.
        around: bytes that it makes of the binary data that counts.
        mixed: data that was tried, and what context mixing makes of it.
        known: what is known of the block beforehand.
    """

    segments: list[Segment]
    least_saving: int
    text_size: int | None = None
    around: int = 0
    mixed: tuple[bytes, bytes] = (b"", b"")
    known: Known = NOTHING_KNOWN

    def payload_of(self, data: bytes) -> bytes | None:
        """What context mixing makes of this data, if that is known."""
        return self.mixed[1] if data and data == self.mixed[0] else None

    def holds(self, payload: int) -> bool:
        """Was it right to code the text with the model, which made `payload` bytes of it?"""
        if self.text_size is None:
            return True
        saved = self.text_size - payload
        return 100 * saved >= self.least_saving * (self.text_size + self.around)


NO_CHOICE = Choice([], 0)


def choose(
    block: bytes,
    segments: list[Segment],
    codec: TextCodec,
    least_saving: int | None,
    known: Known = NOTHING_KNOWN,
) -> Choice:
    """Turn text into MIXED where the model does not pay.

    Args:
        segments: as `find_segments` returns them.
        least_saving: in percent of what context mixing makes of the text. With 0 all that
            is saved is worth it, and the binary data around does not count. None = all text
            is for the model.
        known: what is known of the block beforehand.

    Raises:
        NacrithError: the model fails.
    """
    # UTF-16 can't be cut anywhere, and is text for people.
    if least_saving is None or utf16_order(block):
        return Choice(segments, 0, known=known)
    pieces = _pieces(block, segments, codec)
    text = [piece for piece in pieces if piece.kind == Kind.TEXT]
    binary = [piece for piece in pieces if piece.kind == Kind.MIXED]
    doubtful = [piece for piece in text if piece.doubtful]
    among_binary = bool(least_saving) and _LEAST_BINARY * _length(binary) >= _length(text) > 0
    repeated = bool(least_saving) and is_repeated(_joined(block, text))
    tried = text if among_binary or repeated else doubtful
    if not tried:
        return Choice(segments, least_saving, known=known)
    mixed = _find_sizes(
        block,
        sorted(tried + (binary if among_binary else []), key=lambda piece: piece.begin),
        known,
    )
    around = _size(binary) if among_binary else 0
    if tried == text and not _may_pay(text, least_saving, around):
        _mix(text)
        return Choice(_segments(pieces), least_saving, mixed=mixed, known=known)
    if doubtful == text and _tokens(text) <= _SAMPLE_TOKENS:
        # A sample would be all of it.
        return Choice(segments, least_saving, _size(text), around, mixed, known)
    for alike in _sorted_by_likeness(doubtful):
        if not _pays(block, alike, codec, least_saving, 0):
            _mix(alike)
    left = [piece for piece in text if piece.kind == Kind.TEXT]
    if among_binary and left and not _pays(block, left, codec, least_saving, around):
        _mix(left)
    is_known = tried == text or all(piece.doubtful for piece in left)
    size = _size(left) if is_known else None
    return Choice(_segments(pieces), least_saving // 2, size, around, mixed, known)


def _mix(pieces: list[_Piece]) -> None:
    for piece in pieces:
        piece.kind = Kind.MIXED


def _pieces(block: bytes, segments: Sequence[Segment], codec: TextCodec) -> list[_Piece]:
    """The segments, those of text cut at ends of lines."""
    pieces = []
    begin = 0
    for kind, length in segments:
        end = begin + length
        while begin < end:
            cut = end
            if kind == Kind.TEXT and end - begin > PIECE_BYTES + PIECE_BYTES // 2:
                line = block.rfind(b"\n", begin, begin + PIECE_BYTES) + 1
                cut = line or begin + PIECE_BYTES
            piece = _Piece(begin, cut - begin, kind)
            if kind == Kind.TEXT:
                signals.check()
                piece.tokens = codec.count_tokens(block[begin:cut])
            pieces.append(piece)
            begin = cut
    return pieces


def _find_sizes(block: bytes, pieces: list[_Piece], known: Known) -> tuple[bytes, bytes]:
    """Find the size of each piece when they are coded by context mixing in this order.

    Returns:
        The pieces joined, and what context mixing makes of them.
    """
    ends = np.cumsum([piece.length for piece in pieces])
    data = _joined(block, pieces)
    of_pieces = known.within(Run(piece.begin, piece.begin + piece.length) for piece in pieces)
    payload, sizes = mix(data, ends.tolist(), _check, of_pieces)
    for piece, size in zip(pieces, np.diff(sizes, prepend=0).tolist(), strict=True):
        piece.size = size
    return data, payload


def _sorted_by_likeness(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Lists of pieces that are like the first of them."""
    lists: list[list[_Piece]] = []
    for piece in pieces:
        for found in lists:
            if _are_alike(found[0], piece):
                found.append(piece)
                break
        else:
            lists.append([piece])
    return lists


def _are_alike(a: _Piece, b: _Piece) -> bool:
    return all(
        part * abs(x * b.length - y * a.length) <= x * b.length
        for part, x, y in ((_ALIKE_TOKENS, a.tokens, b.tokens), (_ALIKE_SIZE, a.size, b.size))
    )


def _pays(
    block: bytes, pieces: list[_Piece], codec: TextCodec, least_saving: int, around: int
) -> bool:
    """Does the model save enough of these pieces and `around` bytes, by a sample?"""
    if not _may_pay(pieces, least_saving, around):
        return False
    size = _size(pieces)
    text = _joined(block, pieces)
    sample = _middle(text, len(text) * _SAMPLE_TOKENS // _tokens(pieces))
    _, (half, end) = mix(sample, [(len(sample) + 1) // 2, len(sample)])
    by_mixing = max(1, end - half)
    saved = size * (by_mixing - codec.second_half_size(sample, _check)) // by_mixing
    worth = not least_saving or _TOKENS_PER_BYTE * saved >= _tokens(pieces)
    return worth and 100 * saved >= least_saving * (size + around)


def _may_pay(pieces: list[_Piece], least_saving: int, around: int) -> bool:
    """Could the model save enough, if it saved as much as it ever does?"""
    if not least_saving:
        return True
    most = _size(pieces) * _MOST_SAVED // 100
    return 100 * most >= least_saving * (
        _size(pieces) + around
    ) and _TOKENS_PER_BYTE * most >= _tokens(pieces)


def _check(*_: int) -> None:
    signals.check()


def _middle(text: bytes, length: int) -> bytes:
    """So many bytes from the middle of a text, from the start of a line if one is near."""
    if length >= len(text):
        return text
    begin = (len(text) - length) // 2
    line = text.find(b"\n", begin, begin + length // 8) + 1
    begin = line or begin
    return text[begin : begin + length]


def _segments(pieces: list[_Piece]) -> list[Segment]:
    """The segments that the pieces are parts of."""
    return [
        Segment(kind, sum(piece.length for piece in run))
        for kind, run in groupby(pieces, key=lambda piece: piece.kind)
    ]


def _joined(block: bytes, pieces: Sequence[_Piece]) -> bytes:
    return b"".join(block[piece.begin : piece.begin + piece.length] for piece in pieces)


def _length(pieces: Sequence[_Piece]) -> int:
    return sum(piece.length for piece in pieces)


def _tokens(pieces: Sequence[_Piece]) -> int:
    return sum(piece.tokens for piece in pieces)


def _size(pieces: Sequence[_Piece]) -> int:
    return sum(piece.size for piece in pieces)
