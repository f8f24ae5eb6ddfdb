"""How the text of a frame is cut into streams, and what of that its payload says."""

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from nacrith.errors import FormatError
from nacrith.format.parameters import MAX_STREAMS

if TYPE_CHECKING:
    from coder import BitCoder

MAX_HEAD = 255
"""Symbols; the head's number has 8 bits."""

# Probabilities in 2**-16.
_EVEN = 1 << 15
_SEVERAL = 1 << 12

# Bits of the number of streams, of the symbols in the head, and of the width of all parts.
_STREAM_BITS = 8
_HEAD_BITS = 8
_WIDTH_BITS = 6

_DAMAGED = "a frame is damaged: its text can't be in such streams"


@dataclass(frozen=True)
class Layout:
    """S streams, which follow each other in the text.

    Attributes:
        symbols: [S] of each.
        sizes: [S] bytes of the original that each stands for.
        head: so many first symbols of the first stream are read before all others.
    """

    symbols: tuple[int, ...]
    sizes: tuple[int, ...]
    head: int = 0

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def bounds(self) -> list[int]:
        """[S + 1] where each stream begins among the symbols of the text, and the end."""
        return [0, *accumulate(self.symbols)]

    @property
    def steps(self) -> int:
        """Steps until the longest stream has ended."""
        return max(n + self.delay(stream) for stream, n in enumerate(self.symbols))

    def codes(self, stream: int, step: int) -> bool:
        """Is a symbol of the stream coded in that step?"""
        return 0 <= step - self.delay(stream) < self.symbols[stream]

    def delay(self, stream: int) -> int:
        """The step in which a stream's first symbol is coded."""
        return self.head if stream else 0


def code_layout(coder: "BitCoder", layout: Layout) -> Layout:
    """Code the layout of a text, of which both directions know how much it is in all.

    Args:
        layout: to encode; when decoding one of any number of streams with these sums.

    Raises:
        FormatError: there is no such layout.
    """
    if not coder.code_bit(_SEVERAL, int(len(layout) > 1)):
        return Layout((sum(layout.symbols),), (sum(layout.sizes),))
    streams = _code_number(coder, len(layout) - 1, _STREAM_BITS) + 1
    if not 1 < streams <= MAX_STREAMS:
        raise FormatError(_DAMAGED)
    head = _code_number(coder, layout.head, _HEAD_BITS)
    symbols = _code_parts(coder, layout.symbols, streams)
    sizes = _code_parts(coder, layout.sizes, streams)
    if min(symbols) < 1 or min(sizes) < 1 or head > symbols[0]:
        raise FormatError(_DAMAGED)
    return Layout(symbols, sizes, head)


def _code_parts(coder: "BitCoder", parts: tuple[int, ...], n: int) -> tuple[int, ...]:
    """Code n > 1 parts of a known sum by how far all but the last are from an equal share."""
    total = sum(parts)
    share = total // n
    offsets = [part - share for part in parts[: n - 1]] if len(parts) == n else [0] * (n - 1)
    # Of the offsets and of -1 - offset, whichever is not negative.
    longest = max(offset if offset >= 0 else ~offset for offset in offsets)
    width = _code_number(coder, longest.bit_length(), _WIDTH_BITS)
    half = 1 << width
    coded = [share + _code_number(coder, offset + half, width + 1) - half for offset in offsets]
    return (*coded, total - sum(coded))


def _code_number(coder: "BitCoder", number: int, bits: int) -> int:
    """Code an unsigned number of so many bits."""
    coded = 0
    for i in reversed(range(bits)):
        coded |= coder.code_bit(_EVEN, number >> i & 1) << i
    return coded
