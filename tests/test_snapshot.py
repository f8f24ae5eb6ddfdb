"""States that are copied as they are written to."""

from collections import namedtuple

import numpy as np

from coder import Encoder
from nacrith.format.parameters import Parameters
from predictors.ensemble import Ensemble, new_state
from predictors.kept_states import KeptStates
from predictors.language_models.vocabulary import Vocabulary
from predictors.snapshot import Snapshot, copied
from predictors.text import text_model
from predictors.text.variants import VARIANTS

Inner = namedtuple("Inner", "numbers none shape")
Outer = namedtuple("Outer", "inner bytes count nothing")


def state():
    inner = Inner(np.arange(5000, dtype=np.int64).reshape(50, 100), np.zeros((0, 7)), (3, 4))
    return Outer(inner, np.zeros(1 << 20, dtype=np.uint8), np.int64(7), None)


def test_copies_are_what_was_given_and_apart():
    given = state()
    given.bytes[100_000] = 9
    snapshot = Snapshot(given)
    given.bytes[:] = 1
    first, second = snapshot.copy(), snapshot.copy()
    snapshot.close()
    assert isinstance(first, Outer) and isinstance(first.inner, Inner)
    assert first.inner.shape == (3, 4) and first.count == 7 and first.nothing is None
    assert type(first.count) is np.int64
    assert first.inner.none.shape == (0, 7)
    first.inner.numbers[3, 5] = -1
    first.bytes[5] = 2
    expected = state()
    assert second.inner.numbers.tolist() == expected.inner.numbers.tolist()
    assert np.flatnonzero(second.bytes).tolist() == [100_000]
    assert first.inner.numbers[3, 5] == -1 and first.bytes[5] == 2
    for array in (first.inner.numbers, first.bytes):
        assert array.ctypes.data % 4096 == 0 and array.flags.c_contiguous


def test_tables_that_are_kept_are_as_good_as_new_ones():
    past = text_model.TextPast(b"a dictionary")
    first = copied(past.tables(100, VARIANTS[1]))
    assert first.slots.any()
    for _ in range(3):
        tables = past.tables(100, VARIANTS[1])
        assert np.array_equal(tables.slots, first.slots)
        assert np.array_equal(tables.layer_1.weights, first.layer_1.weights)
        tables.slots[:] = 0


def test_states_are_made_again_as_they_were():
    """Also from the memory of others, with another number of lines."""
    vocabulary = Vocabulary(
        [None, *[bytes([b]) for b in range(256)]], lambda t: [1 + b for b in t], 0
    )
    random = np.random.default_rng(1)

    def use(state_of, n):
        ensemble = Ensemble(vocabulary, Parameters(), 1, n, state_of)
        coder = Encoder()
        for symbol in vocabulary.encode(b"what is said again is said again " * 2):
            logits = random.standard_normal((1, 257)).astype(np.float32)
            hidden = random.standard_normal((1, 8)).astype(np.float32)
            ensemble.code(coder, 0, logits, hidden, np.array([symbol], dtype=np.int32))
        return coder.finish()

    kept = KeptStates()
    for n in (70, 70, 40, 300, 40):
        random = np.random.default_rng(n)
        expected = use(new_state, n)
        for _ in range(2):
            random = np.random.default_rng(n)
            assert use(kept.state, n) == expected
        if n != 70:
            kept.free()


def test_states_that_are_kept_share_nothing_that_is_written_to():
    """Texts side by side may be coded by threads."""
    vocabulary = Vocabulary(
        [None, *[bytes([b]) for b in range(256)]], lambda t: [1 + b for b in t], 0
    )
    kept = KeptStates()
    one, other, third = (kept.state(vocabulary, Parameters(), 1, 70, 8) for _ in range(3))

    def arrays(value):
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, tuple):
            for part in value:
                yield from arrays(part)

    def written(state):
        t = state.tables
        return [*arrays(state.parts), *arrays(t.model), t.match_table, t.history, t.states]

    for a, b in ((one, other), (other, third)):
        for ours, theirs in zip(written(a), written(b), strict=True):
            assert ours.shape == theirs.shape and not np.shares_memory(ours, theirs)


def test_an_untrained_state_is_made_once_for_texts_of_all_lengths(monkeypatch):
    vocabulary = Vocabulary(
        [None, *[bytes([b]) for b in range(256)]], lambda t: [1 + b for b in t], 0
    )
    made = []

    def counted(*arguments):
        made.append(arguments)
        return new_state(*arguments)

    monkeypatch.setattr("predictors.kept_states.new_state", counted)
    kept = KeptStates(counted)
    for n in (70, 300, 1000):
        state = kept.state(vocabulary, Parameters(), 1, n, 8)
        expected = new_state(vocabulary, Parameters(), 1, n, 8)
        lines, fresh = (s.tables.model.contexts.lines for s in (state, expected))
        assert len(lines) == len(fresh) and not lines.any()
    assert len(made) == 1
