"""Threads, sessions and shared rows of the exact backend change no bit of a file."""

import pytest

from nacrith.codec import text_codec
from nacrith.codec.model_choice import codec_for_compression
from nacrith.codec.stream_choice import Cutting
from nacrith.codec.text_codec import TextCodec
from nacrith.errors import FormatError
from nacrith.format.parameters import MAX_CONTEXTS, Parameters
from nacrith.models.catalog import describe
from nacrith.transforms.prompts import PROMPTS
from predictors.language_models.exact.model import ExactModel, ExactSession

TEXT = b"The owl and the pussycat went to sea in a beautiful pea-green boat.\n" * 12
STREAMS = 26


@pytest.fixture(scope="module")
def codecs(tiny_gguf):
    """By number of threads: with 1 one session, with more two that take turns."""
    file = describe(tiny_gguf)
    parameters = Parameters(window=256)
    made = {}
    for threads in (1, 2, 3):
        made[threads] = TextCodec(
            ExactModel(tiny_gguf, threads), file, parameters, Cutting(STREAMS)
        )
    yield made
    for codec in made.values():
        codec.close()


def decoded(codec: TextCodec, payload: bytes, n_symbols: int, size: int = len(TEXT)) -> bytes:
    *_, texts = codec.decode(payload, n_symbols, size)
    texts.known()
    return bytes(texts.original)


def test_the_streams_are_cut_where_there_are_threads_for_it(codecs):
    for codec in codecs.values():
        codec.encode(TEXT)
    assert [len(codecs[threads]._sessions) for threads in (1, 2, 3)] == [1, 2, 2]


@pytest.mark.parametrize("reader", [1, 2, 3])
def test_threads_and_sessions_change_no_bit(codecs, reader):
    n_symbols, payload = codecs[1].encode(TEXT)
    assert codecs[2].encode(TEXT) == codecs[3].encode(TEXT) == (n_symbols, payload)
    assert decoded(codecs[reader], payload, n_symbols) == TEXT


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("decoding", [False, True])
def test_an_interruption_is_raised_and_forgotten(codecs, threads, decoding):
    codec = codecs[threads]
    n_symbols, payload = codec.encode(TEXT)

    def interrupt(done: int, total: int, size: int) -> None:
        if done > n_symbols // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        if decoding:
            list(codec.decode(payload, n_symbols, len(TEXT), interrupt))
        else:
            codec.encode(TEXT, interrupt)
    assert decoded(codec, payload, n_symbols) == TEXT
    assert codec.encode(TEXT) == (n_symbols, payload)


@pytest.mark.parametrize("contexts", [0, MAX_CONTEXTS])
@pytest.mark.parametrize("text", [b"ab", b"aaaaaaa", TEXT[:69] * 3, TEXT * 2])
@pytest.mark.parametrize("prompt", [0, 1])
def test_rows_that_streams_share_change_no_bit(tiny_gguf, monkeypatch, contexts, text, prompt):
    """Also where the first stream is all head, and where a prompt fills the window."""
    parameters = Parameters(window=256, contexts=contexts, prompt=prompt)

    def opened() -> TextCodec:
        return codec_for_compression(tiny_gguf, "exact", 1, parameters, Cutting(2), None)

    writer, reader = opened(), opened()
    n_symbols, payload = writer.encode(text)
    assert decoded(reader, payload, n_symbols, len(text)) == text
    reset = ExactSession.reset

    def reset_apart(session: ExactSession) -> None:
        reset(session)
        session._apart = True

    monkeypatch.setattr(ExactSession, "reset", reset_apart)
    assert writer.encode(text) == (n_symbols, payload)
    assert decoded(reader, payload, n_symbols, len(text)) == text
    writer.close()
    reader.close()


def test_the_prompt_of_these_tests_fills_the_window(codecs):
    assert len(codecs[1]._model.vocabulary.encode(PROMPTS[1])) > 256


def test_more_streams_than_the_window_allows_are_refused(codecs, monkeypatch):
    codec = codecs[1]
    n_symbols, payload = codec.encode(TEXT)
    monkeypatch.setattr(text_codec, "MAX_POSITIONS", 256 * (STREAMS - 1))
    with pytest.raises(FormatError, match="too many streams"):
        next(codec.decode(payload, n_symbols, len(TEXT)))
