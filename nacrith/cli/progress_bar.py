"""A progress bar: speed, bits per byte so far, time left."""

import time

from nacrith.cli.display import printable


class BarProgress:
    """A rich progress bar on stderr."""

    _INTERVAL = 0.2

    def __init__(self, label: str, decoding: bool = False) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            # Names are no markup.
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(printable(label), total=None, speed="")
        self._decoding = decoding
        self._last = 0.0
        self._started = 0.0
        self._tokens = self._frame_tokens = 0
        self._frame_start = 0

    def begin(self, total: int | None) -> None:
        self._bar.update(self._task, total=total)
        self._bar.start()
        self._started = time.monotonic()

    def update(self, position: int, tokens: int, payload: int) -> None:
        now = time.monotonic()
        if tokens < self._frame_tokens:
            self._tokens += self._frame_tokens
            self._frame_start = position
        self._frame_tokens = tokens
        if now - self._last < self._INTERVAL:
            return
        self._last = now
        done = self._tokens + tokens
        speed = f"{done / max(now - self._started, 1e-9):.0f} tokens/s"
        covered = position - self._frame_start
        if not self._decoding and covered > 0:
            speed += f", {8 * payload / covered:.3f} bpb"
        self._bar.update(self._task, completed=position, speed=speed)

    def end(self) -> None:
        self._bar.stop()
