"""Into how many streams a text is cut: a choice of the encoder.

Each stream starts with little context, which costs some bits (measured on ten texts of prose,
code, logs and markup: 15 to 45 bytes behind the head), and saves time. So there are as many as
a share of the payload pays for.
"""

import lzma
from dataclasses import dataclass

# The payload is about this part of what LZMA's fastest preset makes of a text (the same ten:
# 0.24 to 0.50).
_OF_LZMA = 0.33


@dataclass(frozen=True)
class Cutting:
    """How texts are to be cut.

    Attributes:
        streams: so many; 0 = as many as pay.
        most: no more than this.
        payload: bytes that there must be for each further stream, if they are chosen.
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
        return min(self.most, 1 + int(size * _OF_LZMA) // self.payload)


ONE_STREAM = Cutting()
