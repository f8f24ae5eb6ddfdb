"""Into how many streams a text is cut: a choice of the encoder.

Each stream starts without context, which costs some bits (measured: 10 to 45 bytes, nearly
all of them in its first 128 tokens), and saves time. So there are as many as a share of the
payload pays for.
"""

import lzma
from dataclasses import dataclass

# The language model's payload is about this part of what LZMA makes of a text (Canterbury's
# and enwik8: 0.36 to 0.45).
_OF_LZMA = 0.4


@dataclass(frozen=True)
class Cutting:
    """How texts are to be cut.

    Attributes:
        streams: so many; 0 = as many as pay.
        most: no more than this.
        payload: bytes that a stream of its own must have, if they are chosen.
    """

    streams: int = 1
    most: int = 1
    payload: int = 1

    def streams_for(self, text: bytes) -> int:
        """Number of streams for a text in UTF-8."""
        if self.streams or self.most == 1:
            return max(1, self.streams)
        # LZMA never leaves more.
        if len(text) * _OF_LZMA < 2 * self.payload:
            return 1
        size = len(lzma.compress(text, lzma.FORMAT_ALONE, preset=1))
        return max(1, min(self.most, int(size * _OF_LZMA) // self.payload))


ONE_STREAM = Cutting()
