"""File objects that read the original of a compressed file, part by part."""

import io
from pathlib import Path
from typing import Any, BinaryIO, cast

from nacrith.file_objects.channel import Channel, ChannelReader, StopWhenAbandoned, Worker
from nacrith.file_objects.openable import check_open
from nacrith.pipeline.decompress import decompress_stream
from nacrith.system.devices import AUTOMATIC, DeviceChoice
from nacrith.workers.gpu_team import library_workers

_BUFFER = 1 << 16


class _Restored(io.RawIOBase):
    """The original of a NC06 file as a raw stream.

    Going back starts the decoding again at the beginning.
    """

    def __init__(
        self,
        source: BinaryIO,
        model: Path | None,
        close_source: bool,
        dictionary: bytes,
        correction: Path | str | None,
        device: DeviceChoice,
    ) -> None:
        self._source = source
        self._device = device
        self._model = model
        self._dictionary = dictionary
        self._correction = correction
        self._close_source = close_source
        self._begin = source.tell() if source.seekable() else None
        self._worker: Worker | None = None
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._worker is None:
            self._start()
        assert self._worker
        self._worker.check_process()
        n = self._reader.readinto(buffer)
        if n == 0 and len(buffer):
            self._worker.finish()
        self._position += n
        return n

    def _start(self) -> None:
        source, model = self._source, self._model
        dictionary, correction = self._dictionary, self._correction

        def work(channel: Channel) -> None:
            try:
                sink = cast(BinaryIO, channel)
                stop = StopWhenAbandoned(channel)
                with library_workers(self._device, progress=stop) as workers:
                    decompress_stream(
                        source, sink, model, stop, workers, None, dictionary, correction
                    )
            finally:
                channel.write(b"")

        self._worker = Worker(work)
        self._reader = ChannelReader(self._worker.channel)
        self._worker.start()

    def seekable(self) -> bool:
        return self._begin is not None

    def tell(self) -> int:
        check_open(self)
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self._begin is None:
            raise io.UnsupportedOperation("the compressed file can't be read twice")
        if whence not in (io.SEEK_SET, io.SEEK_CUR, io.SEEK_END):
            # The wrapper lets through what some systems have besides.
            raise ValueError(f"whence must be 0, 1 or 2, not {whence}")
        if whence == io.SEEK_END:
            while self.read(_BUFFER):
                pass
        target = offset if whence == io.SEEK_SET else self._position + offset
        if target < 0:
            raise ValueError(f"negative position {target}")
        if self._worker:
            self._worker.check_process()
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


class _ReadOnce:
    """Of a file object that has `read` and little else, as some have that come from a network."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def read(self, n: int = -1) -> bytes:
        return self._source.read(n)

    def seekable(self) -> bool:
        return False


def restoring_file(
    source: BinaryIO,
    model: Path | None = None,
    close_source: bool = False,
    dictionary: bytes = b"",
    correction: Path | str | None = None,
    device: DeviceChoice = AUTOMATIC,
) -> io.BufferedReader:
    """A file object that reads the original of the NC06 file `source`.

    Args:
        source: if it is seekable, so is the result.
        model: GGUF path; None = find the one that the file names.
        close_source: close `source` with the file object.
        dictionary: for a file that needs it.
        correction: of the model's weights, likewise.
        device: where the model runs.
    """
    if not hasattr(source, "seekable"):
        source = cast(BinaryIO, _ReadOnce(source))
    return io.BufferedReader(
        _Restored(source, model, close_source, dictionary, correction, device), _BUFFER
    )
