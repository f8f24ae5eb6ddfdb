"""The exact backend as a `LanguageModel`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from predictors.base import FloatArray, IntArray, ModelError
from predictors.language_models.exact.attention import new_scratch
from predictors.language_models.exact.buffers import new_buffers
from predictors.language_models.exact.cache import (
    copy_first_stream,
    first_kept,
    new_cache,
    restore_first_stream,
    save_first_stream,
)
from predictors.language_models.exact.forward import phase_count, work
from predictors.language_models.exact.model_data import model_data
from predictors.language_models.exact.rope import rotation
from predictors.language_models.exact.team import Job, Team
from predictors.language_models.exact.weights import without_offsets
from predictors.language_models.numerics import Numerics, available_threads, exact_numerics
from predictors.language_models.versions import VERSION, has_byte_rows

if TYPE_CHECKING:
    from predictors.language_models.correction.correction_file import Correction
    from predictors.language_models.correction.file_head import CorrectionFile

# Rows that are evaluated at once where the tokens are known: more is not faster.
_PREFETCHED_ROWS = 64

# From so many streams on, half of them are coded while the other half is evaluated. For
# fewer (measured with 16), steps of all at once save more: they read the weights once.
_MIN_STREAMS_TO_HALVE = 24


class ExactModel:
    """A Llama-architecture GGUF whose logits are the same on every machine.

    Raises:
        ModelError: the file is no GGUF, or of a kind that this backend does not run.
    """

    def __init__(
        self,
        path: Path,
        threads: int = 0,
        correction: "Correction | CorrectionFile | None" = None,
        version: str = VERSION,
    ) -> None:
        """
        Args:
            path: the GGUF file.
            threads: of one step; 0 = all CPUs of this process. They change no bit.
            correction: what is added to the weights.
            version: of the numerics, a known one.
        """
        threads = threads or available_threads()
        data = model_data(path, threads, correction)
        self._version = version
        self.by_bytes = has_byte_rows(version)
        self.vocabulary = data.vocabulary
        self.shape = data.shape
        self.context = data.context
        self.weights = without_offsets(data.weights) if self.by_bytes else data.weights
        self.frequencies = data.frequencies
        self.coarse_table = data.coarse_table
        self.fine_table = data.fine_table
        self.team = Team(threads)

    @property
    def numerics(self) -> Numerics:
        return exact_numerics(self._version)

    def sessions(self, n_streams: int) -> int:
        return 2 if n_streams >= _MIN_STREAMS_TO_HALVE and self.team.threads > 1 else 1

    def open(self, n_streams: int, window: int, sinks: int, ahead: int = 0) -> "ExactSession":
        """See `LanguageModel`.

        Args:
            ahead: positions of a stream that can be evaluated at once; 0 = as many as
                pay. They change no bit.
        """
        ahead = ahead or max(1, _PREFETCHED_ROWS // n_streams)
        return ExactSession(self, n_streams, window, sinks, ahead)

    def close(self) -> None:
        self.team.close()


def _nothing(thread: int) -> None:
    pass


def load(
    path: Path,
    threads: int,
    correction: "CorrectionFile | None" = None,
    version: str = VERSION,
) -> ExactModel:
    """Load a GGUF; of more threads than processors, some would wait for others."""
    return ExactModel(path, min(threads, available_threads()), correction, version)


class ExactSession:
    """A cache of S streams (a `Session`)."""

    def __init__(
        self, model: ExactModel, n_streams: int, window: int, sinks: int, ahead: int
    ) -> None:
        if window > model.context:
            raise ModelError(
                f"this model was trained on {model.context} positions, a window of {window} is "
                f"too long for it; use --window {model.context // 256 * 256} or less"
            )
        self._model = model
        # Those that are computed, and those that there is room for.
        self._streams = self._room = n_streams
        self._window = window
        self._sinks = sinks
        s = model.shape
        self._cache = new_cache(s.layers, n_streams, s.kv_heads, s.head_size, sinks, window, ahead)
        threads = model.team.threads
        self._scratch = [
            new_scratch(s.heads // s.kv_heads, s.head_size, window) for _ in range(threads)
        ]
        buffers = new_buffers(s, n_streams, ahead, threads, phase_count(s.layers))
        self._ahead = ahead
        # The results of one batch are read while the next one is evaluated.
        other = buffers._replace(
            logits=np.zeros(buffers.logits.shape, dtype=np.float32),
            hidden=np.zeros(buffers.hidden.shape, dtype=np.float32),
        )
        self._buffers = [buffers, other]
        self._first_stream = np.zeros_like(buffers.streams)
        self._none: IntArray
        self._batch: IntArray
        self._begun: IntArray
        self._guessed: IntArray
        self._prefetched: IntArray
        self._set_streams(n_streams)
        self._job = Job(_nothing)
        self._next = 0
        self._certain = 0
        self._position = 0
        self._apart = n_streams == 1

    def step(self, tokens: IntArray) -> FloatArray:
        if self._next < len(self._batch) and not np.array_equal(self._batch[self._next], tokens):
            if self._next < self._certain:
                raise ValueError("the tokens are not those that were prefetched")
            # What was computed of wrong guesses is never read before it is written again.
            self._position -= len(self._batch) - self._next
            self._batch = self._batch[: self._next]
        if self._next == len(self._batch):
            certain = len(self._begun)
            if not certain:
                self._begin(np.concatenate([tokens[None], self._guessed])[: self._ahead])
                certain = 1
            self._end()
            self._certain = certain
            self._begin_prefetched()
            if not np.array_equal(self._batch[0], tokens):
                raise ValueError("the tokens are not those that were prefetched")
        self._guessed = self._none
        self._next += 1
        return self._rows_of(self._buffers[0].logits, self._next - 1)

    def prefetch(self, tokens: IntArray) -> None:
        self._prefetched = np.concatenate([self._prefetched, tokens])
        self._begin_prefetched()

    def guess(self, tokens: IntArray) -> None:
        self._guessed = tokens

    def evaluate(self, tokens: IntArray) -> FloatArray:
        """Feed several tokens to every stream at once.

        Args:
            tokens: [n, S] int32, n up to `ahead`.

        Returns:
            [n, S, V] float32 logits in nats. Valid until the next call.
        """
        self._keep_apart()
        self._begin(tokens)
        self._end()
        n, streams = tokens.shape
        return self._buffers[0].logits[: n * streams].reshape(n, streams, -1)

    def hidden(self) -> FloatArray:
        return self._rows_of(self._buffers[0].hidden, self._next - 1)

    def reset(self) -> None:
        self._model.team.finish(self._job)
        # What the cache still holds is never read before it is written again.
        self._position = 0
        self._set_streams(self._room)
        self._next = self._certain = 0
        self._apart = self._streams == 1

    def narrow(self, n_streams: int) -> None:
        # Of a batch only what has been read may be left.
        if n_streams != self._streams:
            self._set_streams(n_streams)
            self._next = self._certain = 0

    def save(self) -> Any:
        self._model.team.finish(self._job)
        return self._position, save_first_stream(self._cache, self._position)

    def restore(self, saved: Any) -> None:
        self.reset()
        self._position, arrays = saved
        restore_first_stream(self._cache, self._position, arrays)

    def close(self) -> None:
        pass

    def _set_streams(self, n_streams: int) -> None:
        """Nothing is known of the next tokens of these streams."""
        self._streams = n_streams
        rows = len(self._buffers[0].streams)
        self._buffers[0].streams[:] = np.arange(rows) % n_streams
        none: IntArray = np.empty((0, n_streams), dtype=np.int32)
        self._none = self._prefetched = self._batch = self._begun = self._guessed = none

    def _rows_of(self, rows: FloatArray, step: int) -> FloatArray:
        return rows[step * self._rows : (step + 1) * self._rows]

    def _begin_prefetched(self) -> None:
        """Begin with the next batch that is known, if none has begun."""
        if len(self._prefetched) and not len(self._begun):
            self._begin(self._prefetched[: self._ahead])
            self._prefetched = self._prefetched[len(self._begun) :]

    def _keep_apart(self) -> None:
        """From here on the streams differ; so far the first one was computed for all."""
        if not self._apart:
            # A job that has begun writes into the cache.
            self._model.team.finish(self._job)
            copy_first_stream(self._cache, self._position)
            self._apart = True

    def _begin(self, tokens: IntArray) -> None:
        """Begin with a batch, [n, S] int32; its results will be in the other buffers.

        While all streams read the same, one row is computed for all of them; the batch then
        ends where they part.
        """
        m = self._model
        # A helper may be on its way back; only after an interruption has the job not ended.
        m.team.finish(self._job)
        if not self._apart:
            differ = (tokens != tokens[:, :1]).any(axis=1)
            alike = int(differ.argmax()) if differ.any() else len(tokens)
            tokens = tokens[:alike] if alike else tokens
            if not alike:
                self._keep_apart()
        n = len(tokens)
        streams = self._streams if self._apart else 1
        rows = n * streams
        b = self._buffers[1]
        if not self._apart:
            b = b._replace(streams=self._first_stream)
        b.tokens[:rows] = tokens[:, :streams].reshape(-1)
        for i in range(n):
            position = self._position + i
            b.positions[i * streams : (i + 1) * streams] = position
            seen = position - (first_kept(position, self._sinks, self._window) - self._sinks)
            for view, p in enumerate((position, seen)):
                cosines, sines = b.cos_sin[i * streams, view]
                rotation(p, m.frequencies, m.coarse_table, m.fine_table, cosines, sines)
            b.cos_sin[i * streams + 1 : (i + 1) * streams] = b.cos_sin[i * streams]
        b.counters[:] = 0
        b.failed[0] = 0
        self._position += n
        self._begun = tokens
        self._begun_rows = streams

        def share(thread: int) -> None:
            work(
                thread, rows, m.weights, m.by_bytes, m.shape, self._cache, self._scratch[thread], b
            )

        self._job = m.team.start(share)

    def _end(self) -> None:
        """Wait for the batch that has begun; from here on its results are read."""
        self._model.team.join(self._job)
        self._buffers.reverse()
        self._batch, self._begun, self._next = self._begun, self._none, 0
        self._rows = self._begun_rows
        if self._buffers[0].failed[0]:
            raise ModelError("the model computed a value that is not finite; use another model")
