"""Signals end the program by an exception, so that temporary files are removed.

An exception that a handler raises can be lost: a library that calls back into
Python, as the compiler of the kernels does, drops it, and so does Python itself in
what it calls when an object ends. So the signal is also remembered, and `check`,
which long loops call, raises it again; that it was lost is not told.
"""

import atexit
import signal
import sys
from typing import Any

# Windows has no SIGHUP.
_ENDING = [
    getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM") if hasattr(signal, name)
]

_received: int | None = None


class Interrupted(SystemExit):
    """A signal has come; the exit code is 128 + its number.

    Attributes:
        is_told: does the user know already?
    """

    is_told = False


def install() -> None:
    """Handle what asks the program to end, unless it is ignored.

    SIGINT is ignored in a background job, SIGHUP under nohup. SIGQUIT keeps its meaning:
    end at once, with a core dump.
    """
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)
    sys.unraisablehook = _tell_unless_interrupted
    atexit.register(_ignore)


def _tell_unless_interrupted(lost: Any) -> None:
    if not isinstance(lost.exc_value, Interrupted):
        sys.__unraisablehook__(lost)


def _ignore() -> None:
    """All is done, and what became of it is the exit code.

    The interpreter gives signals that have a handler their default meaning while it ends.
    """
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def check() -> None:
    """Raise `Interrupted` if a signal has come."""
    if _received is not None:
        raise Interrupted(128 + _received)


def _handle(number: int, frame: object) -> None:
    global _received
    _received = number
    check()
