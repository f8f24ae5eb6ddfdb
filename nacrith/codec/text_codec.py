"""Text ↔ range-coded payload: model, vocabulary, predictors and coder put together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from coder import Decoder, Encoder, ScoreError
from nacrith.backends import AUTO, GPU_BACKEND, find_backend
from nacrith.codec.callbacks import DoneCallback, TextCallback, ignore
from nacrith.codec.lockstep import code_streams, fed_tokens, stream_bounds
from nacrith.codec.payload import can_hold, padded
from nacrith.codec.token_log import new_ensemble, observed_by
from nacrith.errors import FormatError, ModelMismatchError, NacrithError, UnsupportedError
from nacrith.format.frame import MAX_GROWTH
from nacrith.format.header import ModelRecord
from nacrith.format.numerics import NumericsRecord
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import ModelFile, default_model, describe, model_for
from nacrith.transforms.prepare import code_transforms, prepare, restore
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
        least_saving: percent that the model must save of a text to be used, or None; for encoding.
    """

    def __init__(
        self,
        model: LanguageModel,
        file: ModelFile,
        parameters: Parameters,
        least_saving: int | None = None,
    ) -> None:
        self._model = model
        self.parameters = parameters
        self.least_saving = least_saving
        streams = parameters.streams
        with _translated():
            try:
                cut = stream_bounds(streams, model.sessions(streams))
                self._sessions = [
                    model.open(end - begin, parameters.window, parameters.sinks)
                    for begin, end in pairwise(cut)
                ]
            except ModelError:
                model.close()
                raise
            numerics = NumericsRecord(**vars(model.numerics))
            crc = 0 if numerics.is_exact else probe(self._sessions[0], model.vocabulary, streams)
        self.record = ModelRecord(file.name, file.sha256, numerics, crc)

    @classmethod
    def for_compression(
        cls,
        model: Path | None,
        backend: str,
        threads: int,
        parameters: Parameters,
        least_saving: int | None = None,
    ) -> "TextCodec":
        """Open the model the user named, or the default one."""
        file = describe(model) if model else default_model()
        return cls(load_model(backend, file.path, threads), file, parameters, least_saving)

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
        coder = Encoder()
        prepared = prepare(text)
        with _translated():
            symbols = self._model.vocabulary.encode(prepared.text)
            code_transforms(coder, prepared.transforms)
            self._code(
                coder,
                symbols,
                prepared.transforms.charset,
                self.parameters,
                self._sessions,
                lambda done: on_progress(done, len(symbols), coder.size),
            )
        prepared.code_breaks(coder)
        return len(symbols), padded(coder.finish(), self._least_cost(len(symbols)))

    def decode(
        self, payload: bytes, n_symbols: int, size: int, on_progress: TextCallback = ignore
    ) -> bytes:
        """Return the text, `size` bytes.

        Raises:
            FormatError: the payload can't be of that many symbols or bytes.
            UnsupportedError: this Python has another table of the charset it names.
        """
        vocabulary = self._model.vocabulary
        if not can_hold(payload, self._least_cost(n_symbols)):
            raise FormatError(f"a frame is damaged: {n_symbols} symbols in {len(payload)} bytes")
        symbols = np.zeros(n_symbols, dtype=np.int32)
        coder = Decoder(payload)
        with _translated():
            made = code_transforms(coder)
            self._code(
                coder,
                symbols,
                made.charset,
                self.parameters,
                self._sessions,
                lambda done: on_progress(done, n_symbols, len(payload)),
            )
        longest = MAX_GROWTH * size
        too_long = vocabulary.lengths[symbols].sum() > longest
        text = b"" if too_long else vocabulary.decode(symbols)
        return restore(coder, text, made, size, longest)

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
        sizes = [0]

        def note(done: int) -> None:
            if done == half:
                sizes[0] = coder.size
            on_progress(done, len(symbols), coder.size)

        p = replace(self.parameters, streams=1)
        with _translated(), observed_by(None):
            session = self._model.open(1, p.window, p.sinks)
            try:
                self._code(coder, symbols, prepared.transforms.charset, p, [session], note)
            finally:
                session.close()
        return coder.size - sizes[0] + prepared.breaks_size // 2

    def _least_cost(self, n_symbols: int) -> int:
        vocabulary = self._model.vocabulary
        return n_symbols * Ensemble.least_cost(vocabulary, self.parameters)

    def _code(
        self,
        coder: Encoder | Decoder,
        symbols: IntArray,
        charset: int,
        p: Parameters,
        sessions: Sequence[Session],
        on_progress: DoneCallback,
    ) -> None:
        for session in sessions:
            session.reset()
        vocabulary = self._model.vocabulary
        ensemble = new_ensemble(vocabulary, p, charset)
        prompt = vocabulary.encode(PROMPTS[p.prompt])
        known = np.empty((0, p.streams), dtype=np.int32)
        if isinstance(coder, Encoder):
            known = fed_tokens(vocabulary, symbols, p.streams, prompt)
        code_streams(
            coder, sessions, vocabulary, ensemble, symbols, p.streams, prompt, known, on_progress
        )

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        self._model.close()
