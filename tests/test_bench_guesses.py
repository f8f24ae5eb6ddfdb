"""What guesses save, with the tiny model."""

import pytest

from nacrith.bench import guesses
from nacrith.bench.guesses import guesses_section, measure_guesses
from nacrith.codec.guesser import Guesser
from nacrith.errors import ArgumentError
from predictors.language_models.exact.model import ExactModel


@pytest.fixture
def model(tiny_gguf):
    model = ExactModel(tiny_gguf, 1)
    yield model
    model.close()


def test_both_ways_are_timed_and_only_one_guesses(model, monkeypatch):
    made = []

    def counted(*arguments):
        made.append(Guesser(*arguments))
        return made[-1]

    monkeypatch.setattr("nacrith.codec.lockstep.Guesser", counted)
    told: list[str] = []
    text = b"the same words again and again, " * 30
    (found,) = measure_guesses(model, {"words": text}, 130, told.append)
    assert len(made) == 1 and told == ["words"]
    assert found["tokens"] == 130
    assert found["ratio"] == pytest.approx(found["with"] / found["without"])
    section = guesses_section([found])
    assert "| words | 130 | " in section and f"**{found['ratio']:.2f}**" in section


def test_a_symbol_that_is_restored_wrongly_is_told(model, monkeypatch):
    def other(model, coder, symbols, with_guesses):
        symbols[:] = 5
        yield from range(len(symbols))

    monkeypatch.setattr(guesses, "_steps", other)
    with pytest.raises(AssertionError, match="differ"):
        measure_guesses(model, {"words": b"some words " * 30}, 120)


def test_a_text_of_one_turn_is_refused(model):
    with pytest.raises(ArgumentError, match="short has"):
        measure_guesses(model, {"short": b"some words"}, 120)
