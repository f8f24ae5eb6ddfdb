"""File objects that compress what is written to them, and make a file whole or not at all.

Only `close` makes the file, and so does a `with` block left without an exception. An
exception in the block, the garbage collector and the end of the program discard what was
written; a forked child leaves it to its parent. Other file objects are closed by the
collector as by their user, so the wrappers of `io` are replaced where they can't tell.
"""

import atexit
import io
import os
import threading
import warnings
import weakref
from contextlib import AbstractContextManager, ExitStack, suppress
from types import TracebackType
from typing import Any, BinaryIO, cast

from nacrith.errors import FileError
from nacrith.file_objects.channel import (
    AbandonedError,
    Channel,
    ChannelReader,
    StopWhenAbandoned,
    Worker,
)
from nacrith.file_objects.openable import check_open
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.workers.gpu_team import library_workers

_BUFFER = 1 << 16
# How long a write in progress may keep others waiting: it may be to a pipe.
_WRITE_SECONDS = 1.0


class _Sink:
    """The target as the thread sees it; once shut, nothing more gets through."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._shut = False
        # The garbage collector may shut it in the thread that writes.
        self._lock = threading.RLock()

    def write(self, data: bytes) -> int:
        with self._lock:
            self._check()
            left = data
            # A raw stream may take less than all; one that says nothing has taken all.
            while (n := self._target.write(left)) is not None and n < len(left):
                left = left[n:]
            return len(data)

    def flush(self) -> None:
        with self._lock:
            self._check()
            self._target.flush()

    def shut(self) -> None:
        self._shut = True
        if self._lock.acquire(timeout=_WRITE_SECONDS):
            self._lock.release()

    def _check(self) -> None:
        if self._shut:
            raise AbandonedError


class _WholeOrNothing(io.IOBase):
    """A `with` block makes the file only if it is left without an exception."""

    def discard(self) -> None:
        """Close without making the file. Raises no error."""
        raise NotImplementedError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


class _Compressed(_WholeOrNothing, io.RawIOBase):
    """A NC06 file to be, as a raw stream that takes the original."""

    def __init__(self, target: AbstractContextManager[BinaryIO], options: CompressOptions) -> None:
        self._process = os.getpid()
        self._unclaimed = False
        self._lost: BaseException | None = None
        self._position = 0
        self._target = ExitStack()
        sink = _Sink(self._target.enter_context(target))

        def work(channel: Channel) -> None:
            try:
                source = cast(BinaryIO, io.BufferedReader(ChannelReader(channel), _BUFFER))
                progress = StopWhenAbandoned(channel)
                with library_workers(
                    options.device, None, options.threads, progress, options.block_size
                ) as workers:
                    target = cast(BinaryIO, sink)
                    compress_stream(source, target, options, None, progress, workers)
            finally:
                channel.abandon()

        self._sink = sink
        self._worker = Worker(work)
        _unfinished.add(self)
        try:
            self._worker.start()
        except BaseException:
            self.discard()
            raise

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._check_process()
        if self._unclaimed:
            return len(data)
        self._check_lost()
        try:
            self._deliver(bytes(data))
        except BaseException as error:
            self.lose(error)
            raise
        self._position += len(data)
        return len(data)

    def _deliver(self, piece: bytes) -> None:
        try:
            self._worker.channel.write(piece)
        except AbandonedError:
            self._worker.finish()
            raise

    def lose(self, error: BaseException) -> None:
        """Remember an error after which nobody knows how much of the data was taken."""
        self._lost = self._lost or error

    def tell(self) -> int:
        check_open(self)
        return self._position

    def close(self) -> None:
        """Make the file. After an error there is none."""
        if self.closed:
            return
        try:
            self._check_process()
            if not self._unclaimed:
                with self._target:
                    self._check_lost()
                    with suppress(AbandonedError):
                        self._worker.channel.write(b"")
                    self._worker.finish()
        finally:
            # Has no effect on a file that was made.
            self.discard()

    def discard(self) -> None:
        if os.getpid() == self._process:
            self._worker.channel.abandon()
            self._sink.shut()
            error = AbandonedError()
            with suppress(Exception):
                self._target.__exit__(AbandonedError, error, None)
        _unfinished.discard(self)
        super().close()

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise FileError(
                "a compressed file can only be written by the process that opened it; "
                "open another one in the forked child"
            )

    def _check_lost(self) -> None:
        if isinstance(self._lost, Exception):
            raise self._lost
        if self._lost:
            raise FileError("a write was interrupted, so the file is discarded") from self._lost

    def _dealloc_warn(self, source: object) -> None:
        """Called by a wrapper of `io` that the collector closes, before it calls `close`."""
        _warn_unclosed(source)
        self._unclaimed = True

    def __del__(self) -> None:
        # There is no worker if the target could not be opened.
        if not self.closed and hasattr(self, "_worker"):
            _warn_unclosed(self)
            self.discard()


class _Wrapper(_WholeOrNothing):
    """What the buffered and the text stream over a `_Compressed` have in common."""

    def compressed(self) -> _Compressed:
        """The raw stream; raises ValueError if it has been detached."""
        raise NotImplementedError

    def discard(self) -> None:
        with suppress(ValueError):
            self.compressed().discard()

    def write(self, data: Any) -> int:
        try:
            return cast(int, super().write(data))
        except (TypeError, ValueError, BufferError):
            # Refused as a whole.
            raise
        except BaseException as error:
            self.compressed().lose(error)
            raise

    def close(self) -> None:
        if self.closed:
            return
        try:
            # A failing flush would not keep the raw stream from being closed.
            self.flush()
        except BaseException:
            self.discard()
            raise
        super().close()

    def __del__(self) -> None:
        with suppress(ValueError):
            if not self.closed:
                _warn_unclosed(self)
                self.discard()


class CompressedWriter(_Wrapper, io.BufferedWriter):
    """A buffered stream over a `_Compressed`."""

    def compressed(self) -> _Compressed:
        return cast(_Compressed, self.raw)


class CompressedText(_Wrapper, io.TextIOWrapper):
    """A text stream over a `CompressedWriter`."""

    def compressed(self) -> _Compressed:
        return cast(CompressedWriter, self.buffer).compressed()


def compressing_file(
    target: AbstractContextManager[BinaryIO], options: CompressOptions
) -> CompressedWriter:
    """A file object that compresses what is written to it.

    Args:
        target: entered now for the file to write to; left when the file object is
            closed, with the error if there was one.
    """
    return CompressedWriter(_Compressed(target, options), _BUFFER)


def _warn_unclosed(file: object) -> None:
    warnings.warn(
        f"unclosed file {file!r}: what was written is discarded", ResourceWarning, 3, file
    )


_unfinished: weakref.WeakSet[_Compressed] = weakref.WeakSet()


@atexit.register
def _discard_all() -> None:
    for file in list(_unfinished):
        file.discard()
