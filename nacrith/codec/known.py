"""What is known of binary data before its bytes are looked at."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from nacrith.codec.block import rest_of
from nacrith.codec.media import Media, find_media, media_of
from nacrith.codec.run import Run
from nacrith.transforms.opening.limits import Expanded


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


def known_of(block: bytes) -> Known:
    """What is known of a block as it is."""
    return Known(media=tuple(find_media(block, rest_of(block))))


def known_of_opened(expanded: Expanded) -> Known:
    """What is known of a block with its streams opened."""
    found: list[Media] = []
    end = 0
    for shown in expanded.shown:
        # Headers among pixels are none.
        found += (one.moved(end) for one in find_media(expanded.data[end : shown.begin]))
        end = shown.end
        if picture := media_of(shown.begin, end, shown.rows.row - 1, shown.rows.bits):
            found.append(picture)
    found += (one.moved(end) for one in find_media(expanded.data[end:]))
    return Known(expanded.rows.row if expanded.rows else 0, tuple(found))
