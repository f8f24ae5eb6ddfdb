"""Threads and sessions of the exact backend change no bit of a file."""

import pytest

from nacrith.codec.stream_choice import Cutting
from nacrith.codec.text_codec import TextCodec
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import describe
from predictors.language_models.exact.model import ExactModel

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


def decoded(codec: TextCodec, payload: bytes, n_symbols: int) -> bytes:
    *_, texts = codec.decode(payload, n_symbols, len(TEXT))
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
