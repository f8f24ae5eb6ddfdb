"""The segments of a block by their kinds: where they are, joined, and turned into other kinds."""

from collections.abc import Iterable, Iterator

from nacrith.codec.run import Run
from nacrith.format.frame import Kind, Segment

TEXTS = {Kind.TEXT, Kind.MIXED_TEXT}
"""The kinds that are text."""


def runs_of(segments: Iterable[Segment], kinds: set[Kind]) -> Iterator[Run]:
    """Where the segments of these kinds are."""
    position = 0
    for kind, length in segments:
        if kind in kinds:
            yield Run(position, position + length)
        position += length


def join_kinds(block: bytes, segments: Iterable[Segment], kinds: set[Kind]) -> bytes:
    """The bytes of a block in segments of these kinds."""
    return b"".join(block[begin:end] for begin, end in runs_of(segments, kinds))


def merged(segments: Iterable[Segment]) -> list[Segment]:
    """The segments, with neighbors of one kind as a single one."""
    result: list[Segment] = []
    for segment in segments:
        if result and result[-1].kind == segment.kind:
            segment = Segment(segment.kind, result.pop().length + segment.length)
        result.append(segment)
    return result


def relabelled(segments: Iterable[Segment], kinds: set[Kind], kind: Kind) -> list[Segment]:
    """The segments with those of `kinds` turned into `kind`, merged."""
    return merged(Segment(kind if old in kinds else old, length) for old, length in segments)
