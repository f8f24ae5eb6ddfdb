"""The one loop: whatever is encoded, the same loop decodes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder import Decoder, Encoder, ScoreError
from nacrith.codec.lockstep import code_streams, fed_tokens, stream_bounds
from nacrith.format.parameters import Parameters
from predictors.ensemble import Ensemble
from predictors.language_models.vocabulary import Vocabulary
from predictors.mixing.contexts import ALL_KINDS

VOCABULARY = Vocabulary([None, *[bytes([b]) for b in range(256)]], lambda t: [1 + b for b in t], 0)


class HashSession:
    """Logits that depend on everything fed so far."""

    def __init__(self, n_streams: int) -> None:
        self.state = np.zeros(n_streams, dtype=np.uint64)
        self.fed: list[list[int]] = []
        self.prefetched: list[list[int]] = []

    def prefetch(self, tokens: np.ndarray) -> None:
        self.prefetched += tokens.tolist()

    def step(self, tokens: np.ndarray) -> np.ndarray:
        if len(self.prefetched) > len(self.fed):
            assert self.prefetched[len(self.fed)] == tokens.tolist()
        self.fed.append(tokens.tolist())
        self.state = self.state * np.uint64(31) + tokens.astype(np.uint64)
        rows = [np.random.default_rng(int(s)).standard_normal(257) * 4 for s in self.state]
        return np.array(rows, dtype=np.float32)

    def reset(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def hidden(self) -> np.ndarray:
        return np.array([np.random.default_rng(int(s)).standard_normal(8) for s in self.state])


def code_in(
    n_sessions,
    coder,
    symbols,
    streams,
    bias=100,
    head=1000,
    contexts=ALL_KINDS,
    neighbors=0,
    prompt=b"",
):
    """Code with the streams cut into sessions; return what these were fed."""
    sessions = [HashSession(n) for n in np.diff(stream_bounds(streams, n_sessions)).tolist()]
    parameters = Parameters(
        streams=streams, bias_rate=bias, head_rate=head, contexts=contexts, neighbors=neighbors
    )
    ensemble = Ensemble(VOCABULARY, parameters)
    read = VOCABULARY.encode(prompt)
    known = np.empty((0, streams), dtype=np.int32)
    if isinstance(coder, Encoder):
        known = fed_tokens(VOCABULARY, symbols, streams, read)
    code_streams(coder, sessions, VOCABULARY, ensemble, symbols, streams, read, known)
    return sessions


def code(coder, symbols, streams, *switches, **named):
    return code_in(1, coder, symbols, streams, *switches, **named)[0]


@settings(max_examples=40)
@given(
    st.binary(max_size=60),
    st.integers(1, 9),
    st.tuples(
        st.sampled_from([0, 100, 1000]),
        st.sampled_from([0, 1000]),
        st.sampled_from([0, 1, 0b10000001, ALL_KINDS]),
        st.sampled_from([0, 5, 1 << 15]),
        st.sampled_from([b"", b"abc"]),
    ),
)
def test_decoding_inverts_encoding(data, streams, switches):
    symbols = VOCABULARY.encode(data)
    encoder = Encoder()
    first = code(encoder, symbols.copy(), streams, *switches)
    restored = np.full_like(symbols, -1)
    second = code(Decoder(encoder.finish()), restored, streams, *switches)
    assert VOCABULARY.decode(restored) == data
    assert first.fed == second.fed


@settings(max_examples=20)
@given(st.binary(min_size=1, max_size=60), st.integers(2, 9), st.integers(2, 4))
def test_sessions_that_take_turns_give_the_same(data, streams, n_sessions):
    symbols = VOCABULARY.encode(data)
    n_sessions = min(n_sessions, streams)
    whole, cut = Encoder(), Encoder()
    one = code(whole, symbols.copy(), streams)
    code_in(n_sessions, cut, symbols.copy(), streams)
    assert cut.finish() == whole.finish()
    restored = np.full_like(symbols, -1)
    sessions = code_in(n_sessions, Decoder(whole.finish()), restored, streams)
    assert restored.tolist() == symbols.tolist()
    fed = np.concatenate([session.fed for session in sessions], axis=1)
    assert fed.tolist() == one.fed
    # Each session learns its tokens a turn early, but for those of the first step.
    steps = len(one.fed)
    assert [len(session.prefetched) for session in sessions] == [steps - 1] + [steps] * (
        n_sessions - 1
    )


def test_the_prompt_is_read_first_by_every_stream():
    symbols = VOCABULARY.encode(b"abcdef")
    fed = np.array(code(Encoder(), symbols, 2, prompt=b"xy").fed)
    x, y = VOCABULARY.token_of_symbol[VOCABULARY.encode(b"xy")]
    start = VOCABULARY.start_token
    assert fed[:3].tolist() == [[start, start], [x, x], [y, y]]
    assert fed[3:, 0].tolist() == VOCABULARY.token_of_symbol[symbols[:2]].tolist()


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
    ensemble = Ensemble(VOCABULARY, Parameters(streams=4))
    nothing, unknown = VOCABULARY.encode(b""), np.empty((0, 4), dtype=np.int32)
    session = HashSession(4)
    code_streams(
        Encoder(), [session], VOCABULARY, ensemble, symbols, 4, nothing, unknown, seen.append
    )
    assert seen == [4, 8, 11]


@pytest.mark.parametrize("predictor", [{"bias": 2000}, {"contexts": ALL_KINDS}, {"contexts": 1}])
def test_each_predictor_pays_on_a_repetitive_text(predictor):
    symbols = VOCABULARY.encode(b"aaab" * 200)
    sizes = []
    off = {"bias": 0, "head": 0, "contexts": 0}
    for chosen in (off, off | predictor):
        encoder = Encoder()
        code(encoder, symbols.copy(), 1, **chosen)
        sizes.append(len(encoder.finish()))
    assert sizes[1] < 0.5 * sizes[0]


def test_a_broken_model_is_an_error():
    class Broken(HashSession):
        def step(self, tokens):
            return np.full((len(tokens), 257), np.nan, dtype=np.float32)

    ensemble = Ensemble(VOCABULARY, Parameters())
    text, nothing = VOCABULARY.encode(b"abc"), VOCABULARY.encode(b"")
    unknown = np.empty((0, 1), dtype=np.int32)
    with pytest.raises(ScoreError):
        code_streams(Encoder(), [Broken(1)], VOCABULARY, ensemble, text, 1, nothing, unknown)
