"""How fast the model is: of what windows."""

from nacrith.model_speed import tokens_per_second
from predictors.language_models.exact.model import ExactModel


def test_streams_have_read_what_they_are_said_to(tiny_gguf, monkeypatch):
    model = ExactModel(tiny_gguf, threads=1)
    opened, steps = [], []
    real = model.open

    def open_session(*arguments):
        session = real(*arguments)
        step = session.step

        def counted(tokens):
            steps.append(session._position)
            return step(tokens)

        monkeypatch.setattr(session, "step", counted)
        opened.append(session)
        return session

    monkeypatch.setattr(model, "open", open_session)
    for read in (1, 300):
        opened.clear()
        steps.clear()
        assert tokens_per_second(model, 3, 0.01, read) > 0
        # One step is timed at least, and all streams are computed for themselves.
        assert len(steps) > read and opened[0]._position == len(steps)
        assert opened[0]._apart
    model.close()


def test_more_seconds_are_more_steps(tiny_gguf, monkeypatch):
    """The rate is of what is timed, not of what was read before."""
    model = ExactModel(tiny_gguf, threads=1)
    now = iter(range(10_000))
    monkeypatch.setattr("nacrith.model_speed.time.perf_counter", lambda: next(now))
    # The clock is read at the beginning, before each step and at the end, a second apart.
    assert tokens_per_second(model, 2, 5, read=100) == 2 * 4 / 6
    model.close()
