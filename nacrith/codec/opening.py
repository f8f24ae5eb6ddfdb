"""The compressed streams of a block are opened once, however often that is asked for."""

from nacrith.system import signals
from nacrith.transforms.opening.finding import may_hold_streams
from nacrith.transforms.opening.limits import MAX_EXPANDED, Expanded, Inside

# The last block that was only looked into, and what was found.
_kept: list[tuple[bytes, Inside, Expanded | None]] = []


def look_inside(block: bytes, inside: Inside) -> Expanded | None:
    """The block with its streams opened, None if there are none; kept until it is taken."""
    found = take(block, inside)
    _kept.append((block, inside, found))
    return found


def take(block: bytes, inside: Inside) -> Expanded | None:
    """As `look_inside`; nothing is kept any longer."""
    kept = _kept.pop() if _kept else None
    if kept and kept[0] is block and kept[1] == inside:
        return kept[2]
    if not may_hold_streams(block, MAX_EXPANDED, inside):
        return None
    # What most files do not need.
    from nacrith.transforms.opening.expanding import expand

    return expand(block, signals.check, inside)
