"""The texts of a frame's streams while they are coded: checks, line breaks, restored bytes.

After some steps (`StreamTexts.after_step`), both directions code what is settled of the line
breaks and a check of the transforms, the layout, and all symbols and line breaks so far. So damage
or another model's output is found early, and what a decoder has restored up to there can be used
before the frame ends.
"""

import zlib

import numpy as np
import numpy.typing as npt

from coder import Coder
from nacrith.codec.layout import Layout
from nacrith.codec.run import Run
from nacrith.errors import FormatError
from nacrith.format.frame import MAX_GROWTH
from nacrith.transforms.line_breaks import LineBreaks, last_word_end
from nacrith.transforms.prepare import Piece, restore
from nacrith.transforms.transforms_made import Transforms
from predictors.base import IntArray
from predictors.language_models.vocabulary import Vocabulary

# A check comes when so many bytes of payload are settled, then four times as many, at the latest
# `_MOST` after the last; and after so many symbols, where they cost next to nothing. Checks take
# 0.1 % of a long payload, and at most half a percent of a short one.
_FIRST = 192
_MOST = 2048
_SYMBOLS = 1 << 15
# Bits of a check, and of the first one, where more would be felt.
_BITS, _FEW_BITS = 16, 8

_EVEN = 1 << 15


class StreamTexts:
    """What has been coded of each stream, in either direction.

    Attributes:
        original: the bytes of the original, as far as they are restored; only when decoding.
    """

    def __init__(
        self,
        coder: Coder,
        vocabulary: Vocabulary,
        symbols: IntArray,
        layout: Layout,
        made: Transforms,
        pieces: list[Piece] | None,
    ) -> None:
        """
        Args:
            coder: an encoder or a decoder.
            vocabulary: of the model.
            symbols: [n] int32, of all streams; filled in by somebody else when decoding.
            layout: of the streams.
            made: the transforms.
            pieces: the streams' texts when encoding; None when decoding.
        """
        self._coder = coder
        self._vocabulary = vocabulary
        self._symbols = symbols
        self._layout = layout
        self._made = made
        self._decodes = pieces is None
        self._lines = LineBreaks(len(layout))
        self._texts: list[npt.NDArray[np.uint8]]
        if pieces is None:
            self._texts = [np.zeros(0, dtype=np.uint8) for _ in layout.symbols]
            self._breaks = [np.zeros(0, dtype=np.uint8) for _ in layout.symbols]
        else:
            self._texts = [np.frombuffer(piece.text, dtype=np.uint8) for piece in pieces]
            self._breaks = [piece.breaks for piece in pieces]
        # Of each stream: symbols taken notice of, and the bytes that they spell.
        self._taken = [0] * len(layout)
        self._spelled = [0] * len(layout)
        self._next_size = _FIRST
        self._next_done = _SYMBOLS
        self._checked = False
        front = [*made, len(layout), layout.head, *layout.symbols, *layout.sizes]
        self._crc = zlib.crc32(np.array(front, dtype="<u4").tobytes())
        self._starts = [0, *np.cumsum(layout.sizes).tolist()]
        self.original = bytearray(self._starts[-1] if self._decodes else 0)
        self._known = [0] * len(layout)

    def after_step(self, step: int, done: int) -> bool:
        """Code a check if it is time for one; return whether it was.

        Args:
            step: the step that was coded last.
            done: symbols coded so far, of all streams.

        Raises:
            FormatError: what was decoded is not what was encoded.
        """
        size = self._coder.size
        is_due = size >= self._next_size or done >= self._next_done
        if not is_due or done == len(self._symbols):
            return False
        bits = _BITS if self._checked else _FEW_BITS
        self._checked = True
        self._next_size = max(_FIRST, min(4 * size, size + _MOST))
        self._next_done = done + _SYMBOLS
        for stream, n in enumerate(self._layout.symbols):
            coded = min(n, max(0, step + 1 - self._layout.delay(stream)))
            self._take(stream, coded)
        check = 0
        for i in reversed(range(bits)):
            check |= self._coder.code_bit(_EVEN, self._crc >> i & 1) << i
        if check != self._crc & ((1 << bits) - 1):
            raise FormatError(
                "what was restored does not match its check: the file is damaged, or this "
                "machine computes other model outputs than the one that made it"
            )
        return True

    def finish(self) -> None:
        """All symbols are coded: code the line breaks that are left."""
        for stream, n in enumerate(self._layout.symbols):
            self._take(stream, n)

    @property
    def is_whole(self) -> bool:
        """Has all text been coded?"""
        return sum(self._taken) == len(self._symbols)

    def known(self) -> list[Run]:
        """The parts of `original` that are restored, ascending; brings them up to date.

        Raises:
            FormatError: the text can't be right.
        """
        for stream in range(len(self._layout)):
            self._restore(stream)
        return [
            Run(begin, begin + n) for begin, n in zip(self._starts, self._known, strict=False) if n
        ]

    def _is_whole(self, stream: int) -> bool:
        return self._taken[stream] == self._layout.symbols[stream]

    def _take(self, stream: int, coded: int) -> None:
        """Take notice of a stream's symbols up to this number."""
        first = self._layout.bounds[stream]
        new = self._symbols[first + self._taken[stream] : first + coded]
        if not len(new):
            return
        self._taken[stream] = coded
        self._spelled[stream] += int(self._vocabulary.lengths[new].sum())
        if self._decodes and self._spelled[stream] > MAX_GROWTH * self._layout.sizes[stream]:
            raise FormatError("a frame is damaged: its text has another length than recorded")
        self._crc = zlib.crc32(new.astype("<i4").tobytes(), self._crc)
        if self._decodes:
            spelled = np.frombuffer(self._vocabulary.decode(new), dtype=np.uint8)
            self._texts[stream] = np.concatenate([self._texts[stream], spelled])
            fresh = np.zeros(len(spelled), dtype=np.uint8)
            self._breaks[stream] = np.concatenate([self._breaks[stream], fresh])
        if self._made.wrapped:
            self._code_breaks(stream)

    def _code_breaks(self, stream: int) -> None:
        text = self._texts[stream][: self._spelled[stream]]
        end = len(text) if self._is_whole(stream) else last_word_end(text)
        begin = self._lines.place(stream)
        self._lines.code(self._coder, stream, text, self._breaks[stream], end)
        coded = self._breaks[stream][begin : max(begin, end)]
        self._crc = zlib.crc32(coded.tobytes(), self._crc)

    def _restore(self, stream: int) -> None:
        text = self._texts[stream]
        size = self._layout.sizes[stream]
        end = len(text)
        if not self._is_whole(stream):
            end = self._lines.place(stream) if self._made.wrapped else _whole_characters(text)
        restored = restore(
            text[:end].tobytes(), self._breaks[stream], self._made, MAX_GROWTH * size
        )
        # Symbols that are left stand for at least a byte.
        is_right = len(restored) == size if self._is_whole(stream) else len(restored) < size
        if not is_right:
            raise FormatError("a frame is damaged: its text has another length than recorded")
        begin = self._starts[stream]
        self.original[begin : begin + len(restored)] = restored
        self._known[stream] = len(restored)


def _whole_characters(text: npt.NDArray[np.uint8]) -> int:
    """Bytes of a text without what may be the beginning of a character of UTF-8."""
    end = len(text)
    for back in range(1, min(4, end) + 1):
        byte = int(text[end - back])
        if byte < 0x80:
            break
        if byte >= 0xC0:
            return end - back
    return end
