"""Pieces of bytes from a thread to another, of which one is the pipeline's.

The pipeline asks for its input and delivers its output; a reader of a file object
asks for the output, a writer delivers the input. A queue joins the two.
"""

import atexit
import io
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nacrith.errors import FileError
from nacrith.system.progress import Progress

# How many pieces may wait: a frame each when reading, a buffer when writing.
_WAITING = 2
CHECK_SECONDS = 0.1
# At the program's end, for all threads together. One may wait for a pipe.
_EXIT_SECONDS = 1.0


class AbandonedError(Exception):
    """The other thread has gone."""


class Channel:
    """Pieces of bytes from one thread to another; an empty one is the last."""

    def __init__(self) -> None:
        self._pieces: queue.Queue[bytes] = queue.Queue(_WAITING)
        # No lock: the garbage collector may abandon a channel at any place.
        self._abandoned = False

    def write(self, piece: bytes) -> None:
        """Deliver a piece; raises AbandonedError if nobody will read it."""
        while True:
            self.check()
            with suppress(queue.Full):
                self._pieces.put(piece, timeout=CHECK_SECONDS)
                return

    def flush(self) -> None:
        """Pieces are delivered at once."""

    def read(self) -> bytes:
        """Take a piece; raises AbandonedError if none will come."""
        while True:
            self.check()
            with suppress(queue.Empty):
                return self._pieces.get(timeout=CHECK_SECONDS)

    def abandon(self) -> None:
        """Say that this end will read or write no more."""
        self._abandoned = True

    def check(self) -> None:
        if self._abandoned:
            raise AbandonedError


class ChannelReader(io.RawIOBase):
    """The reading end of a channel as a raw stream."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._piece = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._piece and not self._ended:
            self._piece = memoryview(self._channel.read())
            self._ended = not self._piece
        n = min(len(self._piece), len(buffer))
        buffer[:n] = self._piece[:n]
        self._piece = self._piece[n:]
        return n


class StopWhenAbandoned(Progress):
    """Ends the coding of a frame that nobody waits for."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def update(self, position: int, tokens: int, payload: int) -> None:
        self._channel.check()


class Worker(threading.Thread):
    """Does `work` at one end of a channel. It ends with the program at the latest."""

    def __init__(self, work: Callable[[Channel], None], channel: Channel | None = None) -> None:
        super().__init__(name="nacrith", daemon=True)
        self._work = work
        self._process = 0
        self._error: BaseException | None = None
        self.channel = channel or Channel()

    def start(self) -> None:
        self._process = os.getpid()
        super().start()
        _workers.add(self)

    def check_process(self) -> None:
        """Raise FileError in a forked child of the process that has begun the work: there is no
        such thread in it, and nobody would ever let go of a lock that was held."""
        if self._process not in (0, os.getpid()):
            raise FileError(
                "what one process has begun to restore can't be read on by another one; open the "
                "file anew in the forked child"
            )

    def run(self) -> None:
        try:
            self._work(self.channel)
        except AbandonedError:
            pass
        except BaseException as error:
            self._error = error

    def finish(self) -> None:
        """Wait for the end of the work; raises what it raised."""
        self.join()
        if self._error:
            raise self._error


_workers: weakref.WeakSet[Worker] = weakref.WeakSet()


@atexit.register
def _stop_workers() -> None:
    """The interpreter would cut threads off in the middle of foreign code."""
    running = list(_workers)
    for worker in running:
        worker.channel.abandon()
    deadline = time.monotonic() + _EXIT_SECONDS
    for worker in running:
        worker.join(max(0.0, deadline - time.monotonic()))
