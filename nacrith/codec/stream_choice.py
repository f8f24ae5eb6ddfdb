"""Into how many streams a text is cut: a choice of the encoder.

Each stream starts with little context, which costs some bits, and saves time. So there are as
many as a share of the payload pays for. What a stream costs depends on how much the text repeats
itself, which a fresh context does not know: 17 bytes behind the head in prose, 30 to 35 in
articles, 50 in source code, XML and HTML (texts of 100,000 bytes of the training corpus). How
much LZMA leaves of a text tells these apart.

Where a text is a collection of unlike texts, what is coded side by side is unlike, too, and the
predictors serve none of it well: 310 bytes a stream in 2,000,000 bytes of source code of seven
projects in as many languages, 420 in as much of all kinds of markup. How much more LZMA leaves
of the text in the order of coding tells that.
"""

import lzma
from dataclasses import dataclass

# The payload is about this part of what LZMA's fastest preset makes of a text (ten texts of prose,
# code, logs and markup: 0.32 to 0.50).
_OF_LZMA = 0.33

# Of a text that LZMA leaves this many thousandths of, or more, a further stream costs least. For
# each thousandth less it needs one percent more payload: at 250, where source code is, 2.5 times
# as much; at most three times.
_PLAIN = 400
_MOST_PERCENT = 300

_TURN = 8_000
"""Bytes of a stream in its turn, when LZMA is asked what it leaves in the order of coding."""

_OF_INTERLEAVED = 0.7
"""A stream's cost is about this part of what it adds to the payload by LZMA's measure (ten texts
of 80,000 to 2,000,000 bytes: 0.3 to 0.9, and 1.6 where it is small)."""

_PLAIN_COST, _GROWTH = 26, 0.01
"""Bytes that a further stream of prose costs at most: with a payload of 2,600 for each the text
grows by 1 %. It may by that, and by as much as prose does with a smaller payload."""


@dataclass(frozen=True)
class Cutting:
    """How texts are to be cut.

    Attributes:
        streams: so many; 0 = as many as pay.
        most: no more than this.
        payload: bytes that there must be for each further stream of prose, if they are chosen.
    """

    streams: int = 1
    most: int = 1
    payload: int = 1

    def streams_for(self, text: bytes) -> int:
        """Number of streams for a text in UTF-8."""
        if self.streams or self.most == 1:
            return max(1, self.streams)
        # LZMA never leaves more.
        if len(text) * _OF_LZMA < self.payload:
            return 1
        size = _size_by_lzma(text)
        less = max(0, _PLAIN - 1000 * size // len(text))
        percent = min(100 + less, _MOST_PERCENT)
        streams = min(self.most, 1 + int(100 * size * _OF_LZMA) // (self.payload * percent))
        return self._as_many_as_pay(text, size, streams) if streams > 1 else 1

    def _as_many_as_pay(self, text: bytes, size: int, streams: int) -> int:
        """Fewer streams, if so many would cost too much for being unlike.

        Args:
            size: what LZMA leaves of the text.
        """
        length = -(-len(text) // streams)
        parts = [text[i : i + length] for i in range(0, len(text), length)]
        turns = (part[i : i + _TURN] for i in range(0, length, _TURN) for part in parts)
        grows = _OF_INTERLEAVED * (_size_by_lzma(b"".join(turns)) - size)
        may_grow = max(_GROWTH, _PLAIN_COST / self.payload) * size
        return streams if grows <= may_grow else 1 + round((streams - 1) * may_grow / grows)

    def most_for(self, size: int) -> int:
        """The most streams that a text of so many bytes can get."""
        if self.streams or self.most == 1:
            return max(1, self.streams)
        return min(self.most, 1 + int(size * _OF_LZMA) // self.payload)


def _size_by_lzma(text: bytes) -> int:
    return len(lzma.compress(text, lzma.FORMAT_ALONE, preset=1))


ONE_STREAM = Cutting()
