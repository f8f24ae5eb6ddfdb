"""A block of the original, put together from the parts of its segments as they come."""

from collections.abc import Sequence
from itertools import accumulate

from nacrith.codec.run import Run
from nacrith.format.frame import Kind, Segment


class Assembly:
    """Attributes:
    block: bytearray, the original as far as it is known.
    """

    def __init__(self, segments: Sequence[Segment], parts: dict[Kind, bytes]) -> None:
        """`parts`: of each kind but text, its segments joined."""
        self._segments = segments
        self._ends = list(accumulate(segment.length for segment in segments))
        self.block = bytearray(self._ends[-1] if segments else 0)
        self._text_places: list[tuple[int, int, int]] = []
        positions = dict.fromkeys(Kind, 0)
        for (kind, length), end in zip(segments, self._ends, strict=True):
            position = positions[kind]
            positions[kind] += length
            if kind == Kind.TEXT:
                self._text_places.append((position, end - length, length))
            else:
                self.block[end - length : end] = parts[kind][position : position + length]

    def add_text(self, text: bytearray) -> None:
        """Copy the text, of which not all needs to be known."""
        for position, begin, length in self._text_places:
            self.block[begin : begin + length] = text[position : position + length]

    def known_up_to(self, place: int, known: Sequence[Run]) -> int:
        """The end of what is known without a gap from `place` on, with these parts of the text."""
        for position, begin, length in self._text_places:
            if begin + length <= place:
                continue
            inside = max(place - begin, 0)
            end = next((k.end for k in known if k.begin <= position + inside < k.end), None)
            while end is not None and any(k.begin == end for k in known):
                end = next(k.end for k in known if k.begin == end)
            if end is None or end < position + length:
                return begin + (inside if end is None else end - position)
            place = begin + length
        return len(self.block)
