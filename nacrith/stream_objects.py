"""Compression and restoring piece by piece, in memory: `compressobj` and `decompressobj`.

The names are those of zlib; the objects are as `lzma.LZMACompressor` and `LZMADecompressor`, whose
rules fit better: what is restored comes in large parts, so it waits in the object rather than the
input in `unconsumed_tail`.
"""

import io
import threading
from collections import deque
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from nacrith.api import (
    Data,
    StrPath,
    WriteOptions,
    chosen_options,
    correction_choice,
    dictionary_bytes,
    integer,
    model_path,
)
from nacrith.errors import FileError
from nacrith.file_objects.channel import CHECK_SECONDS, Channel, StopWhenAbandoned, Worker
from nacrith.file_objects.writing import compressing_file
from nacrith.not_copied import NotCopied
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.system.devices import DeviceChoice
from nacrith.workers.gpu_team import library_workers

if TYPE_CHECKING:
    from typing_extensions import Unpack

_MOST_WAITING = 1 << 20
"""Bytes restored that wait to be taken; the decoder then waits too."""


def compressobj(**options: "Unpack[WriteOptions]") -> "Compressor":
    """An object that compresses data that comes in pieces.

    Args:
        options: as of `nacrith.compress`.

    Raises:
        NacrithError, ValueError, TypeError: as `nacrith.compress`.
    """
    unknown = options.keys() - WriteOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"compressobj() has no argument {', '.join(sorted(unknown))}")
    return Compressor(chosen_options(**options))


def decompressobj(
    *,
    model: StrPath | None = None,
    dictionary: Data = b"",
    correction: StrPath | None = None,
    device: str = "auto",
    gpus: int = 0,
) -> "Decompressor":
    """An object that restores one file that comes in pieces.

    Args:
        model, dictionary, correction, device, gpus: as of `nacrith.decompress`.

    Raises:
        NacrithError, TypeError: as `nacrith.decompress`.
    """
    return Decompressor(
        model_path(model),
        dictionary_bytes(dictionary),
        correction_choice(correction),
        DeviceChoice(device, integer("gpus", gpus)),
    )


class Compressor(NotCopied):
    """Compresses pieces of data into one file. For one thread at a time.

    What `compress` and `flush` return, put together, is the file. When a part of it comes is not
    certain: the work is done in another thread.
    """

    def __init__(self, options: CompressOptions) -> None:
        self._packed = _Packed()
        self._file = compressing_file(nullcontext(cast(BinaryIO, self._packed)), options)

    def compress(self, data: Data) -> bytes:
        """Take data; return what there is of the file, perhaps nothing.

        Raises:
            NacrithError: the model is missing or fails, ...
            TypeError: the data is of another type.
            ValueError: `flush` has been called.
        """
        if self._file.closed:
            raise ValueError("the compressor has been flushed; make another one")
        self._file.write(data)
        return self._packed.take()

    def flush(self) -> bytes:
        """End the file; return the rest of it. To be called once.

        Raises:
            NacrithError, ValueError: as `compress`.
        """
        if self._file.closed:
            raise ValueError("the compressor has been flushed; make another one")
        self._file.close()
        return self._packed.take()

    def __del__(self) -> None:
        # Whoever drops it has no use for the rest, which is no fault.
        if hasattr(self, "_file"):
            self._file.discard()


class _Packed:
    """Takes pieces from one thread and gives them to another."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing behind it."""

    def take(self) -> bytes:
        pieces = []
        while self._pieces:
            pieces.append(self._pieces.popleft())
        return b"".join(pieces)


class Decompressor(NotCopied):
    """Restores one file whose bytes come in pieces. For one thread at a time.

    Attributes:
        eof: has the end of the file been reached, and all been returned?
        unused_data: what came behind its end.
        needs_input: does it take more of the file to restore more? If not, `decompress(b"")`
            returns more.
    """

    def __init__(
        self,
        model: Path | None,
        dictionary: bytes,
        correction: Path | str | None,
        device: DeviceChoice,
    ) -> None:
        self._feed = feed = _Feed()

        def work(channel: Channel) -> None:
            try:
                stop = StopWhenAbandoned(channel)
                with library_workers(device, progress=stop) as workers:
                    decompress_stream(
                        cast(BinaryIO, feed), cast(BinaryIO, feed), model, stop, workers,
                        dictionary=dictionary, correction=correction, only_first=True,
                    )  # fmt: skip
            finally:
                feed.end()

        self._worker = Worker(work, feed)
        self._begun = False
        self._error: BaseException | None = None
        self.eof = False
        self.unused_data = b""

    @property
    def needs_input(self) -> bool:
        self._worker.check_process()
        return not self.eof and self._feed.is_starved()

    def decompress(self, data: Data, max_length: int = -1) -> bytes:
        """Take more of the file; return what can be restored.

        Args:
            max_length: the most bytes to return; what is more waits for the next call. Negative =
                all.

        Raises:
            NacrithError: as `nacrith.decompress`; the object is then of no more use. In a forked
                child, if the work has begun before it.
            EOFError: the end of the file has been reached before.
            TypeError: an argument is of another type.
        """
        piece = bytes(memoryview(data))
        if not isinstance(max_length, int):
            raise TypeError(f"max_length must be an integer, not {type(max_length).__name__}")
        if self._error:
            raise self._error
        self._worker.check_process()
        if self.eof:
            raise EOFError("the end of the file has been reached; see unused_data")
        if not self._begun:
            self._worker.start()
            self._begun = True
        try:
            restored = self._feed.exchange(piece, max_length)
        except BaseException as error:
            # What it had taken is lost.
            self._error = FileError("a call was interrupted; restore the file from its beginning")
            self._error.__cause__ = error
            raise
        if self._feed.is_done():
            try:
                self._worker.finish()
            except BaseException as error:
                self._error = error
                if not restored:
                    raise
                return restored
            self.eof = True
            self.unused_data = self._feed.rest()
        return restored

    def __del__(self) -> None:
        if hasattr(self, "_feed"):
            self._feed.abandon()


class _Feed(Channel):
    """Bytes to a thread that restores, and those that it has restored, both without an end."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._input, self._output = bytearray(), bytearray()
        self._is_starved = True
        self._has_ended = False

    def seekable(self) -> bool:
        return False

    def read(self, n: int = -1) -> bytes:
        """For the thread: some bytes, at most n; waits for them."""
        with self._changed:
            while not self._input:
                self.check()
                self._is_starved = True
                self._changed.notify_all()
                self._changed.wait(CHECK_SECONDS)
            self._is_starved = False
            piece = bytes(self._input[:n])
            del self._input[: len(piece)]
            return piece

    def write(self, piece: bytes) -> None:
        """For the thread: deliver what was restored."""
        with self._changed:
            while len(self._output) >= _MOST_WAITING:
                self.check()
                self._changed.wait(CHECK_SECONDS)
            self._output += piece
            self._changed.notify_all()

    def end(self) -> None:
        """For the thread: nothing more will come."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def exchange(self, piece: bytes, most: int) -> bytes:
        """Give input; take output, at most so much, or all there is for now if that is negative."""
        taken = io.BytesIO()
        with self._changed:
            self._input += piece
            self._is_starved = self._is_starved and not piece
            self._changed.notify_all()
            while True:
                n = len(self._output) if most < 0 else min(most - taken.tell(), len(self._output))
                if n:
                    taken.write(self._output[:n])
                    del self._output[:n]
                    self._changed.notify_all()
                if taken.tell() == most or self._has_ended or self._is_starved:
                    return taken.getvalue()
                self._changed.wait(CHECK_SECONDS)

    def is_starved(self) -> bool:
        """Is there nothing to take until more is given?"""
        with self._changed:
            return self._is_starved and not self._output and not self._has_ended

    def is_done(self) -> bool:
        """Has the thread ended, and all been taken?"""
        with self._changed:
            return self._has_ended and not self._output

    def rest(self) -> bytes:
        """Input that was not read."""
        return bytes(self._input)
