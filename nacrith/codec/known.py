"""What is known of binary data before its bytes are looked at."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from nacrith.codec.media import Media
from nacrith.codec.run import Run


@dataclass(frozen=True)
class Known:
    """Attributes:
    record: length of the records of what no header says anything of; 0 = not known.
    media: pictures and sound, in order.
    """

    record: int = 0
    media: tuple[Media, ...] = ()

    def within(self, runs: Iterable[Run]) -> "Known":
        """The same of some runs, ascending, that are joined. What lies in none is left out."""
        left = list(reversed(self.media))
        found = []
        place = 0
        for begin, end in runs:
            while left and left[-1].begin < begin:
                left.pop()
            while left and left[-1].end <= end:
                media = left.pop()
                found.append(media.moved(place - begin))
            place += end - begin
        return replace(self, media=tuple(found))


NOTHING_KNOWN = Known()
