"""What the pipeline tells about how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Told by the pipeline how far it is."""

    def begin(self, total: int | None) -> None:
        """Start; `total` bytes of the original, None if unknown."""
        ...

    def update(self, position: int, tokens: int, payload: int) -> None:
        """Report the position in the original (bytes), and of the current frame the
        tokens done and the payload written so far (bytes)."""
        ...

    def end(self) -> None: ...


class _NoProgress:
    def begin(self, total: int | None) -> None:
        pass

    def update(self, position: int, tokens: int, payload: int) -> None:
        pass

    def end(self) -> None:
        pass


NO_PROGRESS = _NoProgress()
