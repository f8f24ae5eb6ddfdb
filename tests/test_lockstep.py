"""The one loop: whatever is encoded, the same loop decodes."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coder import Decoder, Encoder, ScoreError
from nacrith.codec.layout import Layout
from nacrith.codec.lockstep import Group, code_groups, fed_tokens, session_bounds
from nacrith.format.parameters import Parameters
from predictors.ensemble import Ensemble
from predictors.mixing.contexts import ALL_KINDS
from tests.byte_vocabulary import BYTES

PARAMETERS = Parameters()


class HashSession:
    """Logits that depend on everything fed so far."""

    def __init__(self, n_streams: int) -> None:
        self.state = np.zeros(n_streams, dtype=np.uint64)
        self.fed: list[list[int]] = []
        self.prefetched: list[list[int]] = []
        self.guessed: list[list[int]] = []

    def prefetch(self, tokens: np.ndarray) -> None:
        self.prefetched += tokens.tolist()

    def guess(self, tokens: np.ndarray) -> None:
        self.guessed.append(tokens[:, 0].tolist())

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


class NarrowedSession(HashSession):
    def narrow(self, n_streams: int) -> None:
        assert not self.prefetched[len(self.fed) :]
        self.state = self.state[:n_streams]


class SharingSession(HashSession):
    """One row for all streams while they have read the same."""

    def shared(self, rows: np.ndarray) -> np.ndarray:
        return rows[:1] if (self.state == self.state[0]).all() else rows

    def step(self, tokens: np.ndarray) -> np.ndarray:
        return self.shared(super().step(tokens))

    def hidden(self) -> np.ndarray:
        return self.shared(super().hidden())


def read_first(prompt: bytes = b"") -> np.ndarray:
    """The tokens in front of each stream."""
    prompted = BYTES.token_of_symbol[BYTES.encode(prompt)]
    return np.array([BYTES.start_token, *prompted], dtype=np.int32)


def code_streams(coder, sessions, ensemble, symbols, layout, read, known):
    """Code one text; yield (step, symbols coded so far)."""
    group = Group(coder, ensemble, symbols, layout)
    for step in code_groups([group], sessions, BYTES, read, known):
        yield step, group.done


def equal_streams(n_symbols: int, n_streams: int, head: int = 0) -> Layout:
    bounds = session_bounds(n_symbols, n_streams)
    lengths = tuple(np.diff(bounds).tolist())
    return Layout(lengths, (1,) * n_streams, min(head, lengths[0]))


def code_in(
    n_sessions,
    coder,
    symbols,
    layout,
    bias=100,
    head=1000,
    contexts=ALL_KINDS,
    neighbors=0,
    prompt=b"",
    kind=HashSession,
):
    """Code with the streams cut into sessions; return what these were fed."""
    if isinstance(layout, int):
        layout = equal_streams(len(symbols), layout)
    n_streams = len(layout)
    sessions = [kind(n) for n in np.diff(session_bounds(n_streams, n_sessions)).tolist()]
    parameters = Parameters(bias_rate=bias, head_rate=head, contexts=contexts, neighbors=neighbors)
    ensemble = Ensemble(BYTES, parameters, n_streams, len(symbols))
    read = read_first(prompt)
    known = np.empty((0, n_streams), dtype=np.int32)
    if isinstance(coder, Encoder):
        known = fed_tokens(BYTES, symbols, layout, read)
    for _ in code_streams(coder, sessions, ensemble, symbols, layout, read, known):
        pass
    return sessions


def code(coder, symbols, layout, *switches, **named):
    return code_in(1, coder, symbols, layout, *switches, **named)[0]


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
    symbols = BYTES.encode(data)
    encoder = Encoder()
    first = code(encoder, symbols.copy(), streams, *switches)
    restored = np.full_like(symbols, -1)
    second = code(Decoder(encoder.finish()), restored, streams, *switches)
    assert BYTES.decode(restored) == data
    assert first.fed == second.fed


@settings(max_examples=20)
@given(st.binary(min_size=9, max_size=60), st.integers(2, 9), st.integers(2, 4), st.integers(0, 5))
def test_sessions_that_take_turns_give_the_same(data, streams, n_sessions, head):
    symbols = BYTES.encode(data)
    n_sessions = min(n_sessions, streams)
    layout = equal_streams(len(symbols), streams, head)
    whole, cut = Encoder(), Encoder()
    one = code(whole, symbols.copy(), layout)
    code_in(n_sessions, cut, symbols.copy(), layout)
    assert cut.finish() == whole.finish()
    restored = np.full_like(symbols, -1)
    sessions = code_in(n_sessions, Decoder(whole.finish()), restored, layout)
    assert restored.tolist() == symbols.tolist()
    fed = np.concatenate([session.fed for session in sessions], axis=1)
    assert fed.tolist() == one.fed
    # Each session learns its tokens a turn early, but for those of the first step.
    steps = len(one.fed)
    assert [len(session.prefetched) for session in sessions] == [steps - 1] + [steps] * (
        n_sessions - 1
    )


def test_the_prompt_is_read_first_by_every_stream():
    symbols = BYTES.encode(b"abcdef")
    fed = np.array(code(Encoder(), symbols, 2, prompt=b"xy").fed)
    x, y = BYTES.token_of_symbol[BYTES.encode(b"xy")]
    start = BYTES.start_token
    assert fed[:3].tolist() == [[start, start], [x, x], [y, y]]
    assert fed[3:, 0].tolist() == BYTES.token_of_symbol[symbols[:2]].tolist()


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(0, 9), st.booleans())
def test_each_stream_is_fed_the_head_and_its_own_run(lengths, head, decodes):
    head = min(head, lengths[0]) if len(lengths) > 1 else 0
    layout = Layout(tuple(lengths), (1,) * len(lengths), head)
    symbols = BYTES.encode(bytes(range(65, 65 + sum(lengths))))
    encoder = Encoder()
    session = code(encoder, symbols.copy(), layout)
    if decodes:
        restored = np.full_like(symbols, -1)
        session = code(Decoder(encoder.finish()), restored, layout)
        assert restored.tolist() == symbols.tolist()
    fed = np.array(session.fed)
    assert len(fed) == layout.steps
    tokens = BYTES.token_of_symbol[symbols].tolist()
    for stream, begin in enumerate(layout.bounds[:-1]):
        read = tokens[: layout.delay(stream)] + tokens[begin : begin + lengths[stream]]
        expected = [BYTES.start_token, *read]
        # One that has ended reads its last token again.
        expected += [read[-1]] * len(fed)
        assert fed[:, stream].tolist() == expected[: len(fed)]


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.integers(0, 6),
    st.sampled_from([b"a", b"ab", bytes(range(65, 95))]),
    st.sampled_from([b"", b"xy"]),
    st.sampled_from([0, ALL_KINDS]),
    st.integers(1, 2),
)
@example([3, 4], 3, b"abcdefg", b"", 0, 1)
@example([2, 2, 3], 0, b"a", b"", ALL_KINDS, 1)
def test_one_row_for_all_streams_is_as_good_as_one_each(
    lengths, head, alphabet, prompt, contexts, n_sessions
):
    """Also for the streams that go on where the first one has ended."""
    head = min(head, lengths[0]) if len(lengths) > 1 else 0
    layout = Layout(tuple(lengths), (1,) * len(lengths), head)
    symbols = BYTES.encode((alphabet * 30)[: sum(lengths)])
    n_sessions = min(n_sessions, len(lengths))
    made = []
    for kind in (HashSession, SharingSession):
        encoder = Encoder()
        named = {"prompt": prompt, "contexts": contexts, "kind": kind}
        code_in(n_sessions, encoder, symbols.copy(), layout, **named)
        made.append(encoder.finish())
        restored = np.full_like(symbols, -1)
        code_in(n_sessions, Decoder(made[0]), restored, layout, **named)
        assert restored.tolist() == symbols.tolist()
    assert made[0] == made[1]


def test_each_run_of_streams_gets_a_row_for_each():
    """An empty array has a first row where nobody checks bounds."""
    counts = []

    class Noting(Ensemble):
        def code(self, coder, stream, logits, hidden, symbols):
            counts.append((stream, len(logits), len(hidden), len(symbols)))
            super().code(coder, stream, logits, hidden, symbols)

    layout = Layout((2, 3), (1, 1), 2)
    symbols = BYTES.encode(b"abcde")
    none = read_first()
    known = fed_tokens(BYTES, symbols, layout, none)
    ensemble = Noting(BYTES, Parameters(), 2, 5)
    sessions = [SharingSession(2)]
    list(code_streams(Encoder(), sessions, ensemble, symbols, layout, none, known))
    assert counts == [(0, 1, 1, 1), (0, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1)]


def test_a_frame_that_claims_many_symbols_takes_no_memory_before_they_are_coded():
    n = 4_000_000
    layout = Layout((n, n), (n, n))
    symbols = np.zeros(2 * n, dtype=np.int32)
    ensemble = Ensemble(BYTES, Parameters(), 2, 8)
    none = read_first()
    unknown = np.empty((0, 2), dtype=np.int32)
    sessions = [HashSession(1), HashSession(1)]
    decoder = Decoder(bytes(range(100)))
    tracemalloc.start()
    coded = code_streams(decoder, sessions, ensemble, symbols, layout, none, unknown)
    assert next(coded) == (0, 2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20


def test_guesses_are_made_of_what_was_decoded_and_change_nothing(monkeypatch):
    # How many pay depends on how long steps take.
    monkeypatch.setattr("nacrith.codec.lockstep.clock", lambda: 0.0)
    symbols = BYTES.encode(b"what is said again is said again " * 9)
    encoder = Encoder()
    first = code(encoder, symbols.copy(), 1)
    assert not any(first.guessed)
    restored = np.full_like(symbols, -1)
    second = code(Decoder(encoder.finish()), restored, 1)
    assert restored.tolist() == symbols.tolist() and second.fed == first.fed
    assert len(second.guessed) == len(second.fed)
    right = guessed = 0
    for step, tokens in enumerate(second.guessed):
        following = [fed[0] for fed in second.fed[step + 1 :]]
        guessed += len(tokens)
        right += sum(a == b for a, b in zip(tokens, following, strict=False))
    assert right > 0.7 * len(symbols) and right > 0.8 * guessed


def test_progress_is_told_after_each_step():
    symbols = BYTES.encode(b"hello world")
    layout = Layout((4, 3, 3, 1), (1,) * 4, 2)
    ensemble = Ensemble(BYTES, Parameters(), 4, 11)
    known = fed_tokens(BYTES, symbols, layout, read_first())
    coded = code_streams(
        Encoder(), [HashSession(4)], ensemble, symbols, layout,
        read_first(), known,
    )  # fmt: skip
    assert list(coded) == [(0, 1), (1, 2), (2, 6), (3, 9), (4, 11)]


@pytest.mark.parametrize("predictor", [{"bias": 2000}, {"contexts": ALL_KINDS}, {"contexts": 1}])
def test_each_predictor_pays_on_a_repetitive_text(predictor):
    symbols = BYTES.encode(b"aaab" * 200)
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

    with pytest.raises(ScoreError):
        list(
            code_streams(
                Encoder(), [Broken(1)], Ensemble(BYTES, Parameters(), 1, 3),
                BYTES.encode(b"abc"), equal_streams(3, 1), read_first(),
                np.empty((0, 1), dtype=np.int32),
            )
        )  # fmt: skip


@pytest.mark.parametrize("sessions", [1, 2])
def test_threads_code_texts_side_by_side(sessions):
    """Several texts of different lengths, both ways: as each of them alone."""
    random = np.random.default_rng(11)
    texts = [random.integers(97, 105, n).astype(np.int32) for n in (40, 31, 12, 31, 7)]
    layouts = [equal_streams(len(text), n) for text, n in zip(texts, (3, 1, 2, 2, 1), strict=True)]
    steps = max(layout.steps for layout in layouts)
    read = read_first()
    total = sum(map(len, layouts))

    def groups(coders, symbols):
        made = zip(coders, symbols, layouts, strict=True)
        return [
            Group(coder, Ensemble(BYTES, PARAMETERS, len(layout), len(part)), part, layout)
            for coder, part, layout in made
        ]

    def code(coders, symbols, known):
        bounds = np.diff(session_bounds(total, sessions))
        with ThreadPoolExecutor(3) as threads:
            opened = [NarrowedSession(int(n)) for n in bounds]
            for _ in code_groups(groups(coders, symbols), opened, BYTES, read, known, threads):
                pass

    alone = []
    for text, layout in zip(texts, layouts, strict=True):
        coder = Encoder()
        known = fed_tokens(BYTES, text, layout, read)
        group = Group(coder, Ensemble(BYTES, PARAMETERS, len(layout), len(text)), text, layout)
        for _ in code_groups([group], [HashSession(len(layout))], BYTES, read, known):
            pass
        alone.append(coder.finish())
    pairs = zip(texts, layouts, strict=True)
    together = [fed_tokens(BYTES, text, layout, read, steps) for text, layout in pairs]
    encoders = [Encoder() for _ in texts]
    code(encoders, [text.copy() for text in texts], np.concatenate(together, axis=1))
    assert [encoder.finish() for encoder in encoders] == alone
    decoded = [np.zeros_like(text) for text in texts]
    code([Decoder(payload) for payload in alone], decoded, np.empty((0, total), dtype=np.int32))
    assert all(map(np.array_equal, decoded, texts))


def test_an_error_in_a_thread_is_raised():
    class Bad(HashSession):
        def step(self, tokens):
            rows = super().step(tokens)
            return np.full_like(rows, np.nan) if len(self.fed) > 3 else rows

    text = np.arange(97, 107, dtype=np.int32)
    layout = equal_streams(len(text), 1)
    made = [
        Group(Encoder(), Ensemble(BYTES, PARAMETERS, 1, len(text)), text.copy(), layout)
        for _ in range(2)
    ]
    none = np.empty((0, 2), dtype=np.int32)
    with ThreadPoolExecutor(2) as threads, pytest.raises(ScoreError):
        for _ in code_groups(made, [Bad(2)], BYTES, read_first(), none, threads):
            pass
