"""A stored figure is taken only by the code that measured it."""

import pytest

from nacrith.bench import backend_sections, store
from nacrith.bench.edition import ROOT, code_hash, edition
from nacrith.format.container import VERSION

pytestmark = pytest.mark.usefixtures("empty_store")


def test_a_figure_of_other_code_is_measured_again(monkeypatch):
    assert store.cached("a", lambda: {"bytes": 1}) == {"bytes": 1}
    assert store.cached("a", lambda: {"bytes": 2}) == {"bytes": 1}
    monkeypatch.setattr(store, "edition", lambda: "another")
    assert store.cached("a", lambda: {"bytes": 2}) == {"bytes": 2}


def test_a_figure_of_other_programs_stays(monkeypatch):
    assert store.cached("a", lambda: {"bytes": 1}, ours=False) == {"bytes": 1}
    monkeypatch.setattr(store, "edition", lambda: "another")
    assert store.cached("a", lambda: {"bytes": 2}, ours=False) == {"bytes": 1}


def test_the_edition_names_the_format():
    assert edition().startswith(f"{VERSION:x}-")


def test_every_package_named_is_there():
    assert code_hash(ROOT, ("coder",)) != code_hash(ROOT, ("predictors",))


def test_code_counts_but_no_comment(tmp_path):
    file = tmp_path / "a.py"

    def hash_of(text: str) -> str:
        file.write_text(text)
        return code_hash(tmp_path, ("a.py",))

    first = hash_of('"""A."""\n\n\ndef f(x):\n    """F."""\n    return x + 1\n')
    assert hash_of('"""B."""\n# C\ndef f(x):\n    """G."""\n    return (x + 1)\n') == first
    assert hash_of('"""A."""\n\n\ndef f(x):\n    """F."""\n    return x + 2\n') != first


def test_the_report_computes_what_a_skip_would_save(monkeypatch):
    figures = {"tokens": 1000.0, "ceiling": 1.0, "encode": 1.0, "threads": 1}
    steps = iter([1, 2])

    def stored(key: str, measure: object) -> dict:
        if key == "ceiling":
            return figures
        streams = next(steps)
        return {"streams": streams, "exact": [100.0 * streams, 0], "llama.cpp": [0, 0]}

    monkeypatch.setattr(backend_sections, "cached", stored)
    monkeypatch.setattr("nacrith.bench.ablation.texts", lambda length: {"a": b"A short text."})
    text = backend_sections.skipping_section(True)
    assert "takes 10 % of a step of 1 stream, 20 % of one of 2." in text
    assert "at most\n0.90 and 0.80 of these shares" in text
