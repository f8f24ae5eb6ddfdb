"""A progress bar: speed, bits per byte so far, time left; a second one for all of several files."""

import time

from nacrith.cli.display import printable
from nacrith.cli.units import duration
from nacrith.cli.whole_run import ONE_FILE, WholeRun
from nacrith.system.progress import Progress

_NARROW = 72
"""Columns of a terminal below which only the bar, the share and the time are shown."""

_TINY = 32
"""Columns below which the time is not shown either."""

_GAPS = 4
"""Columns between the parts of a line, and one more."""


def shortened(name: str, width: int) -> str:
    """A name with its middle left out, if it is wider."""
    if len(name) <= width:
        return name
    kept = width - 1
    return name[: kept // 2] + "…" + name[len(name) - (kept - kept // 2) :]


class BarProgress(Progress):
    """A rich progress bar on stderr. Until the first bytes are done it says what takes the time."""

    _INTERVAL = 0.2

    def __init__(self, label: str, decoding: bool = False, whole: WholeRun = ONE_FILE) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, ProgressColumn, TextColumn
        from rich.progress import Progress as RichProgress

        console = Console(stderr=True)
        self._is_narrow = console.width < _NARROW
        self._is_tiny = console.width < _TINY
        bar_width = max(4, console.width // 6)
        name_width = max(8, console.width // 3)
        self._room = max(4, console.width - name_width - bar_width - _GAPS)
        size: list[ProgressColumn] = [] if self._is_narrow else [DownloadColumn()]
        self._bar = RichProgress(
            # Names are no markup.
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=bar_width),
            *size,
            TextColumn("{task.fields[state]}", markup=False),
            TextColumn("{task.fields[left]}", markup=False),
            console=console,
            transient=True,
        )
        self._whole = whole
        name = whole.place + shortened(printable(label), max(3, name_width - len(whole.place)))
        self._task = self._bar.add_task(name, total=None, state="", left="")
        self._all = None
        if whole.n_files > 1:
            name = shortened(f"all {whole.n_files} files", name_width)
            self._all = self._bar.add_task(
                name, total=whole.size, completed=whole.done, state="", left=""
            )
        self.stage("starting")
        self._decoding = decoding
        self._total: int | None = None
        self._skipped = 0
        self._last = self._since = 0.0
        self._tokens = self._frame_tokens = 0
        self._frame_start = 0

    def begin(self, total: int | None) -> None:
        self._total = total
        self._bar.update(self._task, total=total)
        self._bar.start()
        self._since = time.monotonic()

    def stage(self, what: str) -> None:
        text = shortened(what, self._room) if self._is_narrow else what
        self._bar.update(self._task, state=text, left="")

    def skip(self, done: int) -> None:
        self._skipped = done

    def update(self, position: int, tokens: int, payload: int) -> None:
        now = time.monotonic()
        if tokens < self._frame_tokens:
            self._tokens += self._frame_tokens
            self._frame_start = position
        self._frame_tokens = tokens
        if position <= 0:
            # Loading says nothing about the speed.
            self._since = now
            return
        if now - self._last < self._INTERVAL:
            return
        self._last = now
        seconds = max(now - self._since, 1e-9)
        done = self._skipped + position
        share = min(1.0, done / self._total) if self._total else None
        left = ""
        if self._total and not self._is_tiny:
            left = duration(max(0, self._total - done) * seconds / position)
        state = "" if share is None else f"{share:.0%}"
        if not self._is_narrow:
            state = self._speed(position, self._tokens + tokens, seconds)
            covered = position - self._frame_start
            if not self._decoding and covered > 0 and payload:
                state += f", {8 * payload / covered:.3f} bpb"
        self._bar.update(self._task, completed=done, state=state, left=left)
        if self._all is not None and share is not None:
            whole = self._whole
            state = f"{whole.share(share):.0%}" if self._is_narrow else ""
            self._bar.update(
                self._all, completed=whole.done + share * whole.current, state=state,
                left="" if self._is_tiny else duration(whole.seconds_left(share)),
            )  # fmt: skip

    def end(self) -> None:
        self._bar.stop()

    def _speed(self, position: int, tokens: int, seconds: float) -> str:
        """Since the first bytes; workers do not tell of tokens."""
        rate = position / max(seconds, 1e-9) / 1000
        text = f"{rate:.1f} kB/s" if rate < 100 else f"{rate:.0f} kB/s"
        return f"{text}, {tokens / max(seconds, 1e-9):.0f} tokens/s" if tokens else text
