"""Text ↔ range-coded payload: model, vocabulary, predictors and coder put together."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from coder import Decoder, Encoder
from nacrith.codec.callbacks import TextCallback, ignore
from nacrith.codec.cutting import HEAD, cuts
from nacrith.codec.dictionary import Dictionary
from nacrith.codec.layout import Layout, code_layout
from nacrith.codec.loaded_models import translated
from nacrith.codec.lockstep import Group, code_groups, fed_tokens, first_tokens, session_bounds
from nacrith.codec.payload import can_hold, padded
from nacrith.codec.stream_choice import ONE_STREAM, Cutting
from nacrith.codec.stream_texts import StreamTexts
from nacrith.codec.token_log import new_ensemble, observed_by
from nacrith.errors import FormatError, NacrithError
from nacrith.format.header import ModelRecord
from nacrith.format.numerics import NumericsRecord
from nacrith.format.parameters import MAX_POSITIONS, Parameters
from nacrith.models.catalog import ModelFile
from nacrith.models.corrections import short_name
from nacrith.system import signals
from nacrith.transforms.prepare import prepare
from nacrith.transforms.prompts import PROMPTS
from nacrith.transforms.transforms_made import code_transforms
from predictors.base import IntArray, LanguageModel, ModelError, Session
from predictors.ensemble import Ensemble, new_state
from predictors.kept_states import KeptStates
from predictors.language_models.numerics import available_threads
from predictors.language_models.probe import probe

_SHORT = 1 << 10
"""Symbols of a text, at most, for which states of ensembles are kept."""

_MOST_TOGETHER = 64
"""Texts that are decoded side by side: more rows of a step make it no faster."""


class TextPayload(NamedTuple):
    """The text of a frame: its payload, its number of symbols, and its bytes."""

    payload: bytes
    n_symbols: int
    size: int


class _Text(NamedTuple):
    """A text that is about to be coded; see `Group`.

    Attributes:
        charset: number of the charset that it is in.
    """

    coder: Encoder | Decoder
    symbols: IntArray
    layout: Layout
    charset: int


class _Decoding(NamedTuple):
    """A text that is about to be decoded, and what has been decoded of its streams."""

    text: _Text
    texts: StreamTexts


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
        is_shared: bool = False,
        dictionary: bytes = b"",
    ) -> None:
        """
        Args:
            is_shared: the model is not this codec's to close, and there will be many texts.
            dictionary: read before each text; empty = none.
        """
        self._model = model
        self._is_shared = is_shared
        self._dictionary = Dictionary(model, parameters, dictionary) if dictionary else None
        make = self._dictionary.state if self._dictionary else new_state
        self._make_state = make
        self._kept_states = KeptStates(make)
        self.parameters = parameters
        self.cutting = cutting
        self.least_saving = least_saving
        self._sessions: list[Session] = []
        self._streams = 0
        with translated():
            try:
                self._open_sessions(1)
            except ModelError:
                self.close()
                raise
            numerics = NumericsRecord(**vars(model.numerics))
            crc = 0 if numerics.is_exact else probe(self._sessions[0], model.vocabulary, 1)
        self.record = ModelRecord(
            file.name, file.sha256, numerics, crc, short_name(file.correction)
        )

    def encode(self, text: bytes, on_progress: TextCallback = ignore) -> tuple[int, bytes]:
        """Return (number of symbols, payload) for non-empty text."""
        prepared = prepare(text, self._cut)
        coder = Encoder()
        code_transforms(coder, prepared.transforms)
        vocabulary = self._model.vocabulary
        with translated():
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
            charset = prepared.transforms.charset
            (group,) = self._groups([_Text(coder, symbols, layout, charset)])
            for step in self._code([group]):
                texts.after_step(step, group.done)
                on_progress(group.done, len(symbols), coder.size)
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
        yield from self._decode(
            self._begin_decoding(TextPayload(payload, n_symbols, size)), len(payload), on_progress
        )

    def _decode(
        self, decoding: _Decoding, size: int, on_progress: TextCallback = ignore
    ) -> Iterator[StreamTexts]:
        """See `decode`; the payload has so many bytes."""
        text, texts = decoding
        with translated():
            (group,) = self._groups([text])
            for step in self._code([group]):
                on_progress(group.done, len(text.symbols), size)
                if texts.after_step(step, group.done):
                    yield texts
        texts.finish()
        yield texts

    def decode_many(self, payloads: Sequence[TextPayload]) -> list[StreamTexts | NacrithError]:
        """Restore texts, side by side as far as the model's results allow it.

        Returns:
            Each as it is when all of it is restored, or what is wrong with it.

        Raises:
            NacrithError: the model fails.
        """
        restored: dict[int, StreamTexts | NacrithError] = {}
        waiting: list[tuple[int, _Decoding]] = []
        for i, payload in enumerate(payloads):
            try:
                begun = self._begin_decoding(payload)
                if len(begun.text.layout) == 1 and self._model.numerics.is_exact:
                    waiting.append((i, begun))
                else:
                    *_, restored[i] = self._decode(begun, len(payload.payload))
            except FormatError as error:
                restored[i] = error
        # Those of one batch end at about the same time.
        waiting.sort(key=lambda item: -len(item[1].text.symbols))
        size = min(_MOST_TOGETHER, MAX_POSITIONS // self.parameters.window)
        for begin in range(0, len(waiting), size):
            batch = waiting[begin : begin + size]
            # Each session gets long and short ones, the short ones last.
            n = self._model.sessions(len(batch))
            dealt = [item for first in range(n) for item in batch[first::n]]
            found = self._decode_batch([begun for _, begun in dealt])
            restored |= zip([i for i, _ in dealt], found, strict=True)
        return [restored[i] for i in range(len(payloads))]

    def _decode_batch(self, batch: Sequence[_Decoding]) -> list[StreamTexts | NacrithError]:
        """Decode texts of one stream each; returns as `decode_many`."""
        groups = self._groups([begun.text for begun in batch])
        restored: list[StreamTexts | NacrithError] = [begun.texts for begun in batch]
        with translated():
            for step in self._code(groups):
                signals.check()
                for i, group in enumerate(groups):
                    if not group.goes_on(step):
                        continue
                    texts = batch[i].texts
                    try:
                        texts.after_step(step, group.done)
                        if not group.goes_on(step + 1):
                            texts.finish()
                    except FormatError as error:
                        restored[i], group.is_lost = error, True
        return restored

    def _begin_decoding(self, text: TextPayload) -> _Decoding:
        """Read what is in front of the symbols; raises as `decode`."""
        payload, n_symbols, size = text
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
        return _Decoding(_Text(coder, symbols, layout, made.charset), texts)

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
        with translated(), observed_by(None):
            (group,) = self._groups([_Text(coder, symbols, layout, charset)])
            for _ in self._code([group]):
                if group.done == half:
                    first_half = coder.size
                on_progress(group.done, len(symbols), coder.size)
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

    def _groups(self, texts: Sequence[_Text]) -> list[Group]:
        """Of texts of which nothing is coded yet; nothing more is coded of those before."""
        self._kept_states.free()
        return [self._group(*text) for text in texts]

    def _group(
        self, coder: Encoder | Decoder, symbols: IntArray, layout: Layout, charset: int
    ) -> Group:
        vocabulary, parameters = self._model.vocabulary, self.parameters
        is_short = self._is_shared and len(symbols) <= _SHORT
        make = self._kept_states.state if is_short else self._make_state
        read = 0
        if self._dictionary:
            read = len(self._dictionary)
            # At once: what the model has read is there when the predictors have read it.
            state = make(vocabulary, parameters, len(layout), len(symbols) + read, 0)
            make = lambda *_: state  # noqa: E731
        ensemble = new_ensemble(vocabulary, parameters, layout, charset, make, read)
        return Group(coder, ensemble, symbols, layout)

    def _code(self, groups: Sequence[Group]) -> Iterator[int]:
        """See `code_groups`; only one group may be encoded."""
        n_streams = sum(len(group.layout) for group in groups)
        sessions = self._open_sessions(n_streams)
        vocabulary = self._model.vocabulary
        if self._dictionary:
            read = self._dictionary.begin(sessions)
        else:
            read = first_tokens(vocabulary, vocabulary.encode(PROMPTS[self.parameters.prompt]))
        known = np.empty((0, n_streams), dtype=np.int32)
        if isinstance(groups[0].coder, Encoder):
            (group,) = groups
            known = fed_tokens(vocabulary, group.symbols, group.layout, read)
        # A GPU leaves the processors to the texts; others need them for the model.
        if len(groups) > 1 and getattr(self._model, "is_on_gpu", False):
            with ThreadPoolExecutor(available_threads()) as threads:
                yield from code_groups(groups, sessions, vocabulary, read, known, threads)
        else:
            yield from code_groups(groups, sessions, vocabulary, read, known)

    def _close_sessions(self) -> None:
        for session in self._sessions:
            session.close()
        self._sessions, self._streams = [], 0

    def close(self) -> None:
        self._close_sessions()
        if not self._is_shared:
            self._model.close()
