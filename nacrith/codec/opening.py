"""The compressed streams of a block are opened once, however often that is asked for."""

from nacrith.codec.kept_once import KeptOnce
from nacrith.system import signals
from nacrith.transforms.opening.finding import may_hold_streams
from nacrith.transforms.opening.limits import MAX_EXPANDED, Expanded, Inside

_kept: KeptOnce[tuple[Inside, Expanded | None]] = KeptOnce()


def look_inside(block: bytes, inside: Inside) -> Expanded | None:
    """The block with its streams opened, None if there are none; kept until it is taken."""
    return _kept.keep(block, (inside, expanded_of(block, inside)))[1]


def expanded_of(block: bytes, inside: Inside) -> Expanded | None:
    """As `look_inside`; nothing is kept any longer."""
    kept = _kept.take(block)
    if kept and kept[0] == inside:
        return kept[1]
    if not may_hold_streams(block, MAX_EXPANDED, inside):
        return None
    # What most files do not need.
    from nacrith.transforms.opening.expanding import expand

    return expand(block, signals.check, inside)
