"""What a coder calls now and then to tell how far it is; it may raise to end the work."""

from collections.abc import Callable

DoneCallback = Callable[[int], None]
"""With the tokens or bytes done."""

TextCallback = Callable[[int, int, int], None]
"""With the tokens done, the tokens in all, and the bytes of payload so far."""

FrameCallback = Callable[[int, int, int], None]
"""With the bytes of the block done (an estimate), and of its text the tokens done and the
bytes of payload so far."""


def ignore(*_: int) -> None:
    """For who does not want to know."""
