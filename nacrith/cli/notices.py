"""What the library has to say to who waits, on standard error."""

import logging

from nacrith.cli.display import say


class _Saying(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


def show_notices(quiet: bool = False) -> None:
    """From now on; without it, or if it is to be quiet, there are only warnings."""
    logger = logging.getLogger("coder")
    if not any(isinstance(handler, _Saying) for handler in logger.handlers):
        logger.addHandler(_Saying())
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
