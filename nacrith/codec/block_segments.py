"""The segments of a block are found once, though how much text it has is asked before."""

from nacrith.codec.kept_once import KeptOnce
from nacrith.codec.known import Known, known_of, known_of_opened
from nacrith.codec.opening import look_inside
from nacrith.codec.segments import find_segments
from nacrith.format.frame import Kind, Segment
from nacrith.transforms.opening.limits import Inside

_kept: KeptOnce[list[Segment]] = KeptOnce()
"""Of the last block that was only looked at."""


def segments_of(block: bytes, known: Known) -> list[Segment]:
    """The segments of a block, cut as `find_segments` does; they are not kept any longer."""
    return _kept.take(block) or find_segments(block, known.media)


def holds_text(block: bytes, least: int, inside: Inside) -> bool:
    """Has a block so many bytes of text, those in streams that are opened included?"""
    if _text_size(_kept.keep(block, find_segments(block, known_of(block).media))) >= least:
        return True
    expanded = look_inside(block, inside)
    if expanded is None:
        return False
    segments = find_segments(expanded.data, known_of_opened(expanded).media)
    return _text_size(_kept.keep(expanded.data, segments)) >= least


def _text_size(segments: list[Segment]) -> int:
    return sum(segment.length for segment in segments if segment.kind == Kind.TEXT)
