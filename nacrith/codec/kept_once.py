"""What was found out about some bytes before it is needed: found once, taken once."""

from typing import Generic, TypeVar

T = TypeVar("T")


class KeptOnce(Generic[T]):
    """Keeps one thing, with the very bytes that it is about, until it is taken."""

    def __init__(self) -> None:
        self._kept: tuple[bytes, T] | None = None

    def keep(self, data: bytes, found: T) -> T:
        """Keep what was found of `data`, in place of what is kept; return it."""
        self._kept = data, found
        return found

    def take(self, data: bytes) -> T | None:
        """What is kept, if it is of `data`; nothing is kept any longer."""
        kept, self._kept = self._kept, None
        return kept[1] if kept and kept[0] is data else None
