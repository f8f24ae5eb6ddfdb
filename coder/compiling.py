"""Tells the user, once, when compiling takes longer than a moment."""

import logging
import threading
import time

from coder.messages import say_once

_MOMENT_SECONDS = 1.0
"""Of compiling altogether; what is shorter need not be explained."""

MESSAGE = "nacrith: compiling, once, for about a minute; `nacrith setup` does it beforehand"


class CompilingNotice:
    """Between `began` and `ended`, which may be nested, something is compiled."""

    def __init__(self, moment: float = _MOMENT_SECONDS) -> None:
        """`moment`: seconds of compiling after which it is told."""
        self._left = moment
        self._depth = 0
        self._since = 0.0
        self._timer: threading.Timer | None = None

    def began(self) -> None:
        self._depth += 1
        if self._depth > 1:
            return
        self._since = time.monotonic()
        # The compiler does not come back before it is done.
        self._timer = threading.Timer(max(0.0, self._left), say_once, (MESSAGE, logging.INFO))
        self._timer.daemon = True
        self._timer.start()

    def ended(self) -> None:
        self._depth = max(0, self._depth - 1)
        if self._timer and not self._depth:
            self._timer.cancel()
            self._timer = None
            self._left -= time.monotonic() - self._since


notice = CompilingNotice()
"""Of all kernels of this process."""
