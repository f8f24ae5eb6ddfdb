"""`nacrith.Codec`: what many calls have in common is loaded once."""

import io
import os
import threading
from collections.abc import Iterable, Iterator
from itertools import islice

from nacrith.api import BackendName, Data, InsideName, PresetName, StrPath, chosen_options
from nacrith.codec.codec_slot import CodecShelf
from nacrith.errors import NacrithError
from nacrith.not_copied import NotCopied
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.decompress_many import decompress_many
from nacrith.pipeline.options import BLOCK
from nacrith.system.devices import CPU
from nacrith.workers import InProcess
from nacrith.workers.gpu_choice import choose_gpus

_READ_AHEAD = 128
"""Messages that are read before the first of them is restored: two batches by length."""


class Codec(NotCopied):
    """Compresses and restores many pieces of data, with one model that stays loaded.

    A context manager; `close` lets go of the model, its cache and its threads. What it makes
    and reads are the same files as those of `nacrith.compress`, byte for byte. It can be used
    from several threads, which wait for each other (one lock), and not after a fork.
    """

    def __init__(
        self,
        *,
        preset: PresetName = "default",
        level: int | None = None,
        model: StrPath | None = None,
        backend: BackendName = "auto",
        streams: int = 0,
        window: int = 0,
        threads: int = 0,
        block_size: int = BLOCK,
        dictionary: Data = b"",
        correction: StrPath | None = None,
        inside: InsideName = "jpeg",
        device: str = "auto",
    ) -> None:
        """The arguments are those of `compress`; `model`, `threads`, `dictionary`, `correction` and
        `device` are for both directions.

        The model is loaded when it is needed first, in this process: on a GPU only if `device`
        says so.

        Raises:
            NacrithError, ValueError, TypeError: as `compress`.
        """
        self._options = chosen_options(
            preset, level, model, backend, streams, window, threads, block_size, dictionary,
            correction, inside, device,
        )  # fmt: skip
        where = self._options.device
        if where.must_be_gpu:
            choose_gpus(where)
        self._model = self._options.model
        self._dictionary = self._options.dictionary
        on_gpu = where.device if where.must_be_gpu else CPU
        self._shelf = CodecShelf(self._options.threads, self._dictionary, on_gpu)
        self._workers = InProcess(slot=self._shelf)
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._closed = False

    def compress(self, data: Data) -> bytes:
        """See `nacrith.compress`."""
        size = memoryview(data).nbytes
        sink = io.BytesIO()
        with self._lock:
            self._check()
            compress_stream(io.BytesIO(data), sink, self._options, size, workers=self._workers)
        return sink.getvalue()

    def decompress(self, data: Data) -> bytes:
        """See `nacrith.decompress`."""
        memoryview(data)
        sink = io.BytesIO()
        with self._lock:
            self._check()
            decompress_stream(
                io.BytesIO(data),
                sink,
                self._model,
                workers=self._workers,
                dictionary=self._dictionary,
                correction=self._options.correction,
            )
        return sink.getvalue()

    def compress_many(self, messages: Iterable[Data]) -> Iterator[bytes]:
        """Compress each message into a file of its own, lazily and in their order.

        Raises:
            NacrithError, TypeError: with the number of the message in the text, and for a
                NacrithError in its `index`. Those before it have been yielded.
        """
        for i, message in enumerate(messages):
            try:
                packed = self.compress(message)
            except (NacrithError, TypeError) as error:
                raise _of_message(i, error) from error
            yield packed

    def decompress_many(self, files: Iterable[Data]) -> Iterator[bytes]:
        """Restore each file, lazily and in their order.

        Small texts are decoded up to 64 at a time, so that some more are read ahead.

        Raises:
            NacrithError, TypeError: as `compress_many`. A damaged file is no harm to those
                before it, which have been yielded; go on behind it with another call.
        """
        numbered = enumerate(files)
        while chunk := list(islice(numbered, _READ_AHEAD)):
            wrong: Exception | None = None
            data = []
            for _, file in chunk:
                try:
                    data.append(bytes(memoryview(file)))
                except TypeError as error:
                    # After those before it.
                    wrong = error
                    break
            with self._lock:
                self._check()
                restored = decompress_many(
                    data, self._shelf, self._model, self._dictionary, self._options.correction
                )
            for (i, _), found in zip(chunk, restored, strict=False):
                if isinstance(found, NacrithError):
                    raise _of_message(i, found) from found
                yield found
            if wrong:
                raise _of_message(chunk[len(data)][0], wrong) from wrong

    def close(self) -> None:
        """Let go of the model. A second call does nothing."""
        with self._lock:
            self._closed = True
            if os.getpid() == self._process:
                self._shelf.close()

    def __enter__(self) -> "Codec":
        self._check()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _check(self) -> None:
        if self._closed:
            raise ValueError("the codec is closed; make another one")
        if os.getpid() != self._process:
            # Its threads are the parent's.
            raise NacrithError("a Codec can't be used after a fork; make one in each process")


def _of_message(index: int, error: Exception) -> Exception:
    """The error, with the number of the message."""
    found = type(error)(f"message {index}: {error}")
    if isinstance(found, NacrithError):
        found.index = index
    return found
