"""The compressed streams of a block are opened once, however often that is asked for."""

from nacrith.system import signals
from nacrith.transforms.opening.finding import may_hold_streams
from nacrith.transforms.opening.limits import MAX_EXPANDED, Expanded

# The last block that was only looked into, and what was found.
_kept: list[tuple[bytes, Expanded | None]] = []


def look_inside(block: bytes) -> Expanded | None:
    """The block with its streams opened, None if there are none; kept until it is taken."""
    found = take(block)
    _kept.append((block, found))
    return found


def take(block: bytes) -> Expanded | None:
    """As `look_inside`; nothing is kept any longer."""
    kept = _kept.pop() if _kept else None
    if kept and kept[0] is block:
        return kept[1]
    if not may_hold_streams(block, MAX_EXPANDED):
        return None
    # What most files do not need.
    from nacrith.transforms.opening.expanding import expand

    return expand(block, signals.check)
