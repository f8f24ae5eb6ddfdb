"""Messages for the user from code that has no command line around it."""

import functools
import logging

_log = logging.getLogger("coder")


@functools.cache
def say_once(message: str, level: int = logging.WARNING) -> None:
    """Log a message for the user, unless it has been before.

    Without a handler a warning becomes a line on standard error. What is only for who waits
    has the level INFO: a program that uses the library decides whether it is shown.
    """
    _log.log(level, "%s", message)
