"""The one loop: whatever is encoded, the same loop decodes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder import Decoder, Encoder, ScoreError
from nacrith.lockstep import code_group, stream_bounds, token_predictors
from nacrith.parameters import Parameters
from predictors.vocabulary import Vocabulary

VOCABULARY = Vocabulary([None, *[bytes([b]) for b in range(256)]], lambda t: [1 + b for b in t], 0)


class HashSession:
    """Logits that depend on everything fed so far."""

    def __init__(self, n_streams: int) -> None:
        self.state = np.zeros(n_streams, dtype=np.uint64)
        self.fed: list[list[int]] = []

    def step(self, tokens: np.ndarray) -> np.ndarray:
        self.fed.append(tokens.tolist())
        self.state = self.state * np.uint64(31) + tokens.astype(np.uint64)
        rows = [np.random.default_rng(int(s)).standard_normal(257) * 4 for s in self.state]
        return np.array(rows, dtype=np.float32)


def code(coder, symbols: np.ndarray, streams: int, parameters=None) -> HashSession:
    session = HashSession(streams)
    predictors = token_predictors(len(VOCABULARY), parameters or Parameters())
    code_group(coder, session, VOCABULARY, predictors, symbols, streams)
    return session


@given(st.binary(max_size=60), st.integers(1, 9), st.sampled_from([0, 100, 1000]))
def test_decoding_inverts_encoding(data, streams, rate):
    parameters = Parameters(bias_rate=rate)
    symbols = VOCABULARY.encode(data)
    encoder = Encoder()
    first = code(encoder, symbols.copy(), streams, parameters)
    restored = np.full_like(symbols, -1)
    second = code(Decoder(encoder.finish()), restored, streams, parameters)
    assert VOCABULARY.decode(restored) == data
    assert first.fed == second.fed


def test_each_stream_is_fed_its_own_run():
    symbols = VOCABULARY.encode(b"abcdefgh" * 3)
    fed = np.array(code(Encoder(), symbols, 5).fed)
    bounds = stream_bounds(len(symbols), 5)
    for stream in range(5):
        run = VOCABULARY.token_of_symbol[symbols[bounds[stream] : bounds[stream + 1]]]
        assert fed[0, stream] == VOCABULARY.start_token
        assert fed[1 : len(run), stream].tolist() == run[: len(fed) - 1][: len(run) - 1].tolist()


@given(st.integers(0, 10_000), st.integers(1, 300))
def test_streams_are_equally_long(n, streams):
    bounds = stream_bounds(n, streams)
    lengths = np.diff(bounds)
    assert bounds[0] == 0 and bounds[-1] == n and len(lengths) == streams
    assert lengths.max() - lengths.min() <= 1 and lengths[0] == lengths.max()


def test_progress_is_reported():
    seen: list[int] = []
    symbols = VOCABULARY.encode(b"hello world")
    code_group(Encoder(), HashSession(4), VOCABULARY, [], symbols, 4, seen.append)
    assert seen == [4, 8, 11]


def test_the_bias_head_pays_on_a_repetitive_text():
    symbols = VOCABULARY.encode(b"aaab" * 200)
    sizes = {}
    for rate in (0, 100):
        encoder = Encoder()
        code(encoder, symbols.copy(), 1, Parameters(bias_rate=rate))
        sizes[rate] = len(encoder.finish())
    assert sizes[100] < 0.5 * sizes[0]


def test_a_broken_model_is_an_error():
    class Broken(HashSession):
        def step(self, tokens):
            return np.full((len(tokens), 257), np.nan, dtype=np.float32)

    with pytest.raises(ScoreError):
        code_group(Encoder(), Broken(1), VOCABULARY, [], VOCABULARY.encode(b"abc"), 1)
