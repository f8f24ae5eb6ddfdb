"""What the pipeline tells about how far it is."""


class Progress:
    """Told by the pipeline how far it is. This one does nothing; others override what they need."""

    def begin(self, total: int | None) -> None:
        """Start; `total` bytes of the original, None if unknown."""

    def stage(self, what: str) -> None:
        """Before the first bytes, or between some: what takes time now, such as loading the
        model."""

    def skip(self, done: int) -> None:
        """So many bytes of the original were done before, by an interrupted run; positions do not
        count them."""

    def update(self, position: int, tokens: int, payload: int) -> None:
        """Report the position in the original (bytes), and of the current frame the
        tokens done and the payload written so far (bytes)."""

    def end(self) -> None:
        """All is done, or nothing more will be."""


NO_PROGRESS = Progress()
