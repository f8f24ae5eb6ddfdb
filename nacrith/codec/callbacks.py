"""What a coder calls now and then to tell how far it is; it may raise to end the work."""

from collections.abc import Callable

from nacrith.system import signals

DoneCallback = Callable[[int], None]
"""With the tokens or bytes done."""

TextCallback = Callable[[int, int, int], None]
"""With the tokens done, the tokens in all, and the bytes of payload so far."""

FrameCallback = Callable[[int, int, int], None]
"""With the bytes of the block done (an estimate), and of its text the tokens done and the
bytes of payload so far."""


def ignore(*_: int) -> None:
    """For who does not want to know."""


def bytes_done(on_progress: FrameCallback) -> DoneCallback:
    """What tells of the bytes done of a frame without text, and raises if the user interrupts."""

    def tell(done: int) -> None:
        signals.check()
        on_progress(done, 0, 0)

    return tell


def tokens_done(on_progress: FrameCallback, size: int) -> TextCallback:
    """The same of the `size` bytes of a text, by the share of its tokens that is done."""

    def tell(done: int, total: int, payload: int) -> None:
        signals.check()
        on_progress(size * done // total, done, payload)

    return tell


def scaled(on_progress: FrameCallback, size: int, expanded: int) -> FrameCallback:
    """What tells of a block of `size` bytes when those of its `expanded` bytes are known."""

    def tell(done: int, tokens: int, payload: int) -> None:
        on_progress(size * done // expanded, tokens, payload)

    return tell
