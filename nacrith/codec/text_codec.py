"""Text ↔ range-coded payload: model, vocabulary, predictors and coder put together."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import numpy as np

from coder import Decoder, Encoder, ScoreError
from nacrith.backends import AUTO, GPU_BACKEND, find_backend
from nacrith.codec.callbacks import TextCallback, ignore
from nacrith.codec.cutting import HEAD, cuts
from nacrith.codec.layout import Layout, code_layout
from nacrith.codec.lockstep import code_streams, fed_tokens, session_bounds
from nacrith.codec.payload import can_hold, padded
from nacrith.codec.stream_choice import ONE_STREAM, Cutting
from nacrith.codec.stream_texts import StreamTexts
from nacrith.codec.token_log import new_ensemble, observed_by
from nacrith.errors import FormatError, ModelMismatchError, NacrithError, UnsupportedError
from nacrith.format.header import ModelRecord
from nacrith.format.numerics import NumericsRecord
from nacrith.format.parameters import MAX_POSITIONS, Parameters
from nacrith.models.catalog import ModelFile, default_model, describe, model_for
from nacrith.transforms.prepare import code_transforms, prepare
from nacrith.transforms.prompts import PROMPTS
from predictors.base import IntArray, LanguageModel, ModelError, Session, UnsupportedModelError
from predictors.ensemble import Ensemble
from predictors.language_models.numerics import available_threads
from predictors.language_models.probe import probe


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the predictors raise into errors of this package."""
    try:
        yield
    except (ModelError, ScoreError) as error:
        raise NacrithError(str(error)) from error


def load_model(backend: str, path: Path, threads: int) -> LanguageModel:
    """Load a GGUF with a backend; raises NacrithError if that can't be done."""
    *first, last = AUTO if backend == "auto" else (backend,)
    with _translated():
        for name in first:
            with suppress(UnsupportedModelError):
                return find_backend(name).load(path, threads)
        return find_backend(last).load(path, threads)


class TextCodec:
    """Encodes and decodes the text of frames, each from an untrained state.

    Attributes:
        record: what the header says of the model.
        parameters: as given.
        cutting: how texts are cut into streams; for encoding.
        least_saving: percent that the model must save of a text to be used, or None; for encoding.
    """

    def __init__(
        self,
        model: LanguageModel,
        file: ModelFile,
        parameters: Parameters,
        cutting: Cutting = ONE_STREAM,
        least_saving: int | None = None,
    ) -> None:
        self._model = model
        self.parameters = parameters
        self.cutting = cutting
        self.least_saving = least_saving
        self._sessions: list[Session] = []
        self._streams = 0
        with _translated():
            try:
                self._open_sessions(1)
            except ModelError:
                model.close()
                raise
            numerics = NumericsRecord(**vars(model.numerics))
            crc = 0 if numerics.is_exact else probe(self._sessions[0], model.vocabulary, 1)
        self.record = ModelRecord(file.name, file.sha256, numerics, crc)

    @classmethod
    def for_compression(
        cls,
        model: Path | None,
        backend: str,
        threads: int,
        parameters: Parameters,
        cutting: Cutting = ONE_STREAM,
        least_saving: int | None = None,
    ) -> "TextCodec":
        """Open the model the user named, or the default one."""
        file = describe(model) if model else default_model()
        loaded = load_model(backend, file.path, threads)
        return cls(loaded, file, parameters, cutting, least_saving)

    @classmethod
    def for_file(
        cls, record: ModelRecord, parameters: Parameters, model: Path | None
    ) -> "TextCodec":
        """Open the model that a file's header asks for.

        Raises:
            ModelNotFoundError, ModelMismatchError: this machine can't give the
                logits that the file was made with.
        """
        file = model_for(record.name, record.sha256, model)
        # The number of threads has not been seen to change a bit; more of them than
        # CPUs would wait for each other.
        threads = 0
        if not record.numerics.is_exact:
            threads = min(record.numerics.threads, available_threads())
        backend = record.numerics.backend
        if backend == "llama.cpp" and record.numerics.device:
            backend = GPU_BACKEND
        loaded = load_model(backend, file.path, threads)
        codec = cls(loaded, file, parameters)
        if record.numerics.is_exact and record.numerics != codec.record.numerics:
            codec.close()
            raise UnsupportedError(
                f"this file was made with version {record.numerics.version} of the exact "
                f"backend, this version of nacrith has {codec.record.numerics.version}; install "
                "a version that fits"
            )
        if codec.record.probe != record.probe:
            here = codec.record.numerics
            differences = record.numerics.differences(here)
            found = "; ".join(differences) or "nothing that is recorded, so perhaps the processor"
            codec.close()
            raise ModelMismatchError(
                "this machine computes other model outputs than the one that made the file, "
                f"so it can't be opened here. What differs: {found}. Decompress it with: "
                f"{record.numerics}"
            )
        return codec

    def encode(self, text: bytes, on_progress: TextCallback = ignore) -> tuple[int, bytes]:
        """Return (number of symbols, payload) for non-empty text."""
        prepared = prepare(text, self._cut)
        coder = Encoder()
        code_transforms(coder, prepared.transforms)
        vocabulary = self._model.vocabulary
        with _translated():
            parts = [vocabulary.encode(piece.text) for piece in prepared.pieces]
            symbols = np.concatenate(parts)
            layout = Layout(
                tuple(map(len, parts)),
                tuple(piece.size for piece in prepared.pieces),
                min(HEAD, len(parts[0])) if len(parts) > 1 else 0,
            )
            code_layout(coder, layout)
            texts = StreamTexts(
                coder, vocabulary, symbols, layout, prepared.transforms, prepared.pieces
            )
            for step, done in self._code(coder, symbols, layout, prepared.transforms.charset):
                texts.after_step(step, done)
                on_progress(done, len(symbols), coder.size)
        texts.finish()
        return len(symbols), padded(coder.finish(), self._least_cost(len(symbols)))

    def decode(
        self, payload: bytes, n_symbols: int, size: int, on_progress: TextCallback = ignore
    ) -> Iterator[StreamTexts]:
        """Restore a text of `size` bytes.

        Yields:
            What is restored so far, now and then, and when all of it is.

        Raises:
            FormatError: the payload can't be of that many symbols or bytes.
            UnsupportedError: this Python has another table of the charset it names.
        """
        vocabulary = self._model.vocabulary
        if not can_hold(payload, self._least_cost(n_symbols)):
            raise FormatError(f"a frame is damaged: {n_symbols} symbols in {len(payload)} bytes")
        coder = Decoder(payload)
        made = code_transforms(coder)
        layout = code_layout(coder, Layout((n_symbols,), (size,)))
        if len(layout) * self.parameters.window > MAX_POSITIONS:
            raise FormatError("a frame is damaged: it has too many streams for its window")
        symbols = np.zeros(n_symbols, dtype=np.int32)
        texts = StreamTexts(coder, vocabulary, symbols, layout, made, None)
        with _translated():
            for step, done in self._code(coder, symbols, layout, made.charset):
                on_progress(done, n_symbols, len(payload))
                if texts.after_step(step, done):
                    yield texts
        texts.finish()
        yield texts

    def count_tokens(self, text: bytes) -> int:
        """How many tokens the model reads of a text, after its transforms."""
        return len(self._model.vocabulary.encode(prepare(text).text))

    def second_half_size(self, text: bytes, on_progress: TextCallback = ignore) -> int:
        """Bytes that the second half of a text takes, in one stream whatever the parameters."""
        vocabulary = self._model.vocabulary
        prepared = prepare(text)
        symbols = vocabulary.encode(prepared.text)
        ends = np.cumsum(vocabulary.lengths[symbols])
        half = int(np.searchsorted(ends, len(prepared.text) // 2)) + 1
        coder = Encoder()
        first_half = 0
        layout = Layout((len(symbols),), (len(text),))
        charset = prepared.transforms.charset
        with _translated(), observed_by(None):
            for _, done in self._code(coder, symbols, layout, charset):
                if done == half:
                    first_half = coder.size
                on_progress(done, len(symbols), coder.size)
        return coder.size - first_half + prepared.breaks_size // 2

    def _cut(self, text: bytes) -> list[int]:
        streams = self.cutting.streams_for(text)
        streams = min(streams, MAX_POSITIONS // self.parameters.window)
        return cuts(text, streams, self._model.vocabulary) if streams > 1 else []

    def _open_sessions(self, n_streams: int) -> list[Session]:
        """Sessions for so many streams, those of the last time if they are."""
        if n_streams != self._streams:
            self._close_sessions()
            p = self.parameters
            bounds = session_bounds(n_streams, self._model.sessions(n_streams))
            self._sessions = [
                self._model.open(end - begin, p.window, p.sinks) for begin, end in pairwise(bounds)
            ]
            self._streams = n_streams
        for session in self._sessions:
            session.reset()
        return self._sessions

    def _least_cost(self, n_symbols: int) -> int:
        vocabulary = self._model.vocabulary
        return n_symbols * Ensemble.least_cost(vocabulary, self.parameters)

    def _code(
        self, coder: Encoder | Decoder, symbols: IntArray, layout: Layout, charset: int
    ) -> Iterator[tuple[int, int]]:
        """See `code_streams`."""
        sessions = self._open_sessions(len(layout))
        vocabulary = self._model.vocabulary
        ensemble = new_ensemble(vocabulary, self.parameters, layout, charset)
        prompt = vocabulary.encode(PROMPTS[self.parameters.prompt])
        known = np.empty((0, len(layout)), dtype=np.int32)
        if isinstance(coder, Encoder):
            known = fed_tokens(vocabulary, symbols, layout, prompt)
        return code_streams(coder, sessions, vocabulary, ensemble, symbols, layout, prompt, known)

    def _close_sessions(self) -> None:
        for session in self._sessions:
            session.close()
        self._sessions, self._streams = [], 0

    def close(self) -> None:
        self._close_sessions()
        self._model.close()
