"""File objects over the pipeline, which runs in a thread of its own.

The pipeline asks for its input and delivers its output; a reader of a file object
asks for the output, a writer delivers the input. A queue joins the two.
"""

import io
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from nacrith.pipeline import CompressOptions, compress_stream, decompress_stream

# How many pieces may wait: a frame each when reading, a buffer when writing.
_WAITING = 2
_BUFFER = 1 << 16
_CHECK_SECONDS = 0.1


class _AbandonedError(Exception):
    """The other thread has gone."""


class _Channel:
    """Pieces of bytes from one thread to another; an empty one is the last."""

    def __init__(self) -> None:
        self._pieces: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._abandoned = threading.Event()

    def write(self, piece: bytes) -> None:
        """Deliver a piece; raises _AbandonedError if nobody will read it."""
        while True:
            self.check()
            with suppress(queue.Full):
                self._pieces.put(piece, timeout=_CHECK_SECONDS)
                return

    def flush(self) -> None:
        """Pieces are delivered at once."""

    def read(self) -> bytes:
        return self._pieces.get()

    def abandon(self) -> None:
        """Say that no more will be read."""
        self._abandoned.set()

    def check(self) -> None:
        if self._abandoned.is_set():
            raise _AbandonedError


class _StopWhenAbandoned:
    """A `Progress` that ends the decoding of a frame that nobody waits for."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel

    def begin(self, total: int | None) -> None:
        pass

    def update(self, position: int, tokens: int, payload: int) -> None:
        self._channel.check()

    def end(self) -> None:
        pass


class _Worker(threading.Thread):
    """Does `work` at one end of a channel. It ends with the program at the latest."""

    def __init__(self, work: Callable[[_Channel], None]) -> None:
        super().__init__(name="nacrith", daemon=True)
        self._work = work
        self._error: BaseException | None = None
        self.channel = _Channel()

    def run(self) -> None:
        try:
            self._work(self.channel)
        except _AbandonedError:
            pass
        except BaseException as error:
            self._error = error

    def finish(self) -> None:
        """Wait for the end of the work; raises what it raised."""
        self.join()
        if self._error:
            raise self._error


class _ChannelReader(io.RawIOBase):
    """The reading end of a channel as a raw stream."""

    def __init__(self, channel: _Channel) -> None:
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


class _Restored(io.RawIOBase):
    """The original of a NC06 file as a raw stream.

    Going back starts the decoding again at the beginning.
    """

    def __init__(self, source: BinaryIO, model: Path | None, close_source: bool) -> None:
        self._source = source
        self._model = model
        self._close_source = close_source
        self._begin = source.tell() if source.seekable() else None
        self._worker: _Worker | None = None
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._worker is None:
            self._start()
        assert self._worker
        n = self._reader.readinto(buffer)
        if n == 0 and len(buffer):
            self._worker.finish()
        self._position += n
        return n

    def _start(self) -> None:
        source, model = self._source, self._model

        def work(channel: _Channel) -> None:
            try:
                sink = cast(BinaryIO, channel)
                decompress_stream(source, sink, model, _StopWhenAbandoned(channel))
            finally:
                channel.write(b"")

        self._worker = _Worker(work)
        self._reader = _ChannelReader(self._worker.channel)
        self._worker.start()

    def seekable(self) -> bool:
        return self._begin is not None

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self._begin is None:
            raise io.UnsupportedOperation("the compressed file can't be read twice")
        if whence == io.SEEK_END:
            while self.read(_BUFFER):
                pass
        target = offset if whence == io.SEEK_SET else self._position + offset
        if target < 0:
            raise ValueError(f"negative position {target}")
        if target < self._position:
            if self._worker:
                self._worker.channel.abandon()
                self._worker.join()
                self._worker = None
            self._source.seek(self._begin)
            self._position = 0
        while self._position < target and self.read(min(_BUFFER, target - self._position)):
            pass
        return self._position

    def close(self) -> None:
        if self.closed:
            return
        if self._worker:
            self._worker.channel.abandon()
        if self._close_source:
            self._source.close()
        super().close()


class _Compressed(io.RawIOBase):
    """A NC06 file to be, as a raw stream that takes the original."""

    def __init__(self, target: AbstractContextManager[BinaryIO], options: CompressOptions) -> None:
        self._target = ExitStack()
        sink = self._target.enter_context(target)

        def work(channel: _Channel) -> None:
            try:
                source = cast(BinaryIO, io.BufferedReader(_ChannelReader(channel), _BUFFER))
                compress_stream(source, sink, options)
            finally:
                channel.abandon()

        self._worker = _Worker(work)
        self._worker.start()
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            self._worker.channel.write(bytes(data))
        except _AbandonedError:
            self._worker.finish()
            raise
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        with self._target:
            with suppress(_AbandonedError):
                self._worker.channel.write(b"")
            self._worker.finish()


def restoring_file(
    source: BinaryIO, model: Path | None = None, close_source: bool = False
) -> io.BufferedReader:
    """A file object that reads the original of the NC06 file `source`.

    Args:
        source: if it is seekable, so is the result.
        model: GGUF path; None = find the one that the file names.
        close_source: close `source` with the file object.
    """
    return io.BufferedReader(_Restored(source, model, close_source), _BUFFER)


def compressing_file(
    target: AbstractContextManager[BinaryIO], options: CompressOptions
) -> io.BufferedWriter:
    """A file object that compresses what is written to it.

    Args:
        target: entered now for the file to write to; left when the file object is
            closed, with the error if there was one.
    """
    return io.BufferedWriter(_Compressed(target, options), _BUFFER)
