"""Into how many streams a text is cut: a choice of the encoder.

Each stream starts with little context, which costs some bits, and saves time. So there are as
many as a share of the payload pays for. What a stream costs depends on how much the text repeats
itself, which a fresh context does not know: 17 bytes behind the head in prose, 30 to 35 in
articles, 50 in source code, XML and HTML (texts of 100,000 bytes of the training corpus). How
much LZMA leaves of a text tells these apart.

Where a text is a collection of unlike texts, what is coded side by side is unlike, too, and what
the predictors share serves none of it well. What that costs grows little with the number of
streams: in 2,000,000 bytes of source code of seven projects, five cost 2.4 % and 18 of them 3.9 %
as long as all was shared; now eight cost 1.0 %. How much more LZMA leaves of the text in the order
of coding tells it.
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

_TURN = 2_000
"""Bytes of a stream in its turn, when LZMA is asked what it leaves in the order of coding, and"""

_LZMA = {"id": lzma.FILTER_LZMA1, "preset": 1, "dict_size": 1 << 18}
"""how it is asked. Turns of 1,000 to 4,000 bytes and windows of 256 KiB to 4 MiB tell to 0.14 to
0.18 % what streams cost (18 cuts of texts of 320,000 to 4,000,000 bytes of prose, source code,
markup and data, from 2 to 64 streams). These are on the safe side most often."""

_OF_INTERLEAVED = 0.108
"""That what is coded side by side is unlike costs this part of what it costs LZMA, and"""

_COLD_COST = 15.5
"""bytes are what the cold start of a further stream of prose costs behind the head of a text. With
both, those of the cuts that cost more than 1 % are found, but for two that cost 1.01 and 1.03 %."""

_STEP = 5
"""If streams cost too much, a part in so many less of them is tried, one at least, until they do
not."""

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
        # In bytes of LZMA's.
        cold = _COLD_COST / _OF_LZMA * percent / 100
        may_grow = max(_GROWTH, _PLAIN_COST / self.payload) * size
        while streams > 1:
            unlike = _OF_INTERLEAVED * (_size_by_lzma(_in_order_of_coding(text, streams)) - size)
            if unlike + cold * (streams - 1) <= may_grow:
                break
            streams -= max(1, streams // _STEP)
        return streams

    def most_for(self, size: int) -> int:
        """The most streams that a text of so many bytes can get."""
        if self.streams or self.most == 1:
            return max(1, self.streams)
        return min(self.most, 1 + int(size * _OF_LZMA) // self.payload)


def _in_order_of_coding(text: bytes, streams: int) -> bytes:
    """A text as its streams say it in turn."""
    length = -(-len(text) // streams)
    parts = [text[i : i + length] for i in range(0, len(text), length)]
    return b"".join(part[i : i + _TURN] for i in range(0, length, _TURN) for part in parts)


def _size_by_lzma(text: bytes) -> int:
    return len(lzma.compress(text, lzma.FORMAT_ALONE, filters=[_LZMA]))


ONE_STREAM = Cutting()
