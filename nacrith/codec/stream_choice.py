"""Into how many streams a text is cut: a choice of the encoder.

Each stream starts with little context, which costs some bits, and saves time. So there are as
many as a share of the payload pays for. What a stream costs depends on how much the text repeats
itself, which a fresh context does not know: 17 bytes behind the head in prose, 30 to 35 in
articles, 50 in source code, XML and HTML (texts of 100,000 bytes of the training corpus). How
much LZMA leaves of a text tells these apart.
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
        size = len(lzma.compress(text, lzma.FORMAT_ALONE, preset=1))
        less = max(0, _PLAIN - 1000 * size // len(text))
        percent = min(100 + less, _MOST_PERCENT)
        return min(self.most, 1 + int(100 * size * _OF_LZMA) // (self.payload * percent))

    def most_for(self, size: int) -> int:
        """The most streams that a text of so many bytes can get."""
        if self.streams or self.most == 1:
            return max(1, self.streams)
        return min(self.most, 1 + int(size * _OF_LZMA) // self.payload)


ONE_STREAM = Cutting()
