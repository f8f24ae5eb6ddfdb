"""The end of a program whose output nobody reads any more: `nacrith info FILE.nc | head -1`."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SIGPIPE = getattr(signal, "SIGPIPE", 13)
"""Windows has none."""


@contextmanager
def exiting_without_reader() -> Iterator[None]:
    """Exit with 128 + SIGPIPE, without a word, where the reader has gone. (click exits with 1.)"""
    try:
        yield
    except BrokenPipeError:
        # The interpreter must not try to flush again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(128 + _SIGPIPE)
