"""A progress bar: speed, bits per byte so far, time left."""

import time

from nacrith.cli.display import printable

_NARROW = 72
"""Columns of a terminal below which only the bar, the share and the time are shown."""


def shortened(name: str, width: int) -> str:
    """A name with its middle left out, if it is wider."""
    if len(name) <= width:
        return name
    kept = width - 1
    return name[: kept // 2] + "…" + name[len(name) - (kept - kept // 2) :]


class BarProgress:
    """A rich progress bar on stderr. Until the first bytes are done it says that it begins."""

    _INTERVAL = 0.2

    def __init__(self, label: str, decoding: bool = False) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            ProgressColumn,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        is_narrow = console.width < _NARROW
        wide: list[ProgressColumn] = [DownloadColumn(), TextColumn("{task.fields[speed]}")]
        self._bar = Progress(
            # Names are no markup.
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=max(4, console.width // 6)),
            *([TaskProgressColumn()] if is_narrow else wide),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        name = shortened(printable(label), max(8, console.width // 3))
        self._task = self._bar.add_task(name, total=None, speed="starting")
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
        speed = self._speed(position, self._tokens + tokens, now - self._started)
        covered = position - self._frame_start
        if not self._decoding and covered > 0 and payload:
            speed += f", {8 * payload / covered:.3f} bpb"
        self._bar.update(self._task, completed=position, speed=speed)

    def end(self) -> None:
        self._bar.stop()

    def _speed(self, position: int, tokens: int, seconds: float) -> str:
        """Since the beginning; workers do not tell of tokens."""
        rate = position / max(seconds, 1e-9) / 1000
        text = f"{rate:.1f} kB/s" if rate < 100 else f"{rate:.0f} kB/s"
        return f"{text}, {tokens / max(seconds, 1e-9):.0f} tokens/s" if tokens else text
