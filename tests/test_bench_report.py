"""docs/benchmarks.md in pieces: sections in their places, and a run that ends after some time."""

import pytest
from click.testing import CliRunner

from nacrith.bench import report, store
from nacrith.bench.markdown import with_head
from nacrith.cli import cli
from nacrith.errors import NacrithError


@pytest.fixture
def sections(monkeypatch, tmp_path):
    """Three sections of which one measures something."""
    monkeypatch.setattr(store, "FOLDER", tmp_path / "kept")
    monkeypatch.setattr(store, "_end", None)
    found = {
        "first": lambda quick: "## First\n\none\n",
        "measured": lambda quick: f"## Measured\n\n{store.cached('a', lambda: {'n': 1})['n']}\n",
        "last": lambda quick: f"## Last\n\nquick: {quick}\n",
    }
    monkeypatch.setattr(report, "SECTIONS", found)
    monkeypatch.setattr(report, "_head", lambda: "# Head\n")


def test_a_section_alone_is_put_into_its_place(sections, tmp_path):
    document = tmp_path / "a.md"
    document.write_text("# Old head\n\n## Last\n\nold\n\n## Of another command\n\nkept\n")
    told: list[str] = []
    report.write_report(True, document, ["last"], told.append)
    assert told == ["last"]
    assert document.read_text() == (
        "# Old head\n\n## Last\n\nquick: True\n\n## Of another command\n\nkept\n"
    )
    report.write_report(False, document)
    text = document.read_text()
    assert text.startswith("# Head\n\n## Last\n\nquick: False\n") and "old" not in text.lower()
    assert "kept" in text and text.endswith("## Measured\n\n1\n")


def test_a_run_ends_after_its_minutes_and_goes_on(sections, tmp_path):
    document = tmp_path / "a.md"
    store.end_after(0)
    with pytest.raises(NacrithError, match="the same command goes on"):
        report.write_report(False, document)
    assert document.read_text() == "# Head\n\n## First\n\none\n"
    store.end_after(None)
    report.write_report(False, document)
    store.end_after(0)
    # What is kept needs no time.
    report.write_report(False, document)
    assert "## Last" in document.read_text()


def test_a_head_is_replaced():
    assert with_head("", "# A\n") == "# A\n"
    assert with_head("# B\n\ntext\n", "# A\n") == "# A\n"
    assert with_head("# B\n\n## C\n\nd\n", "# A\n") == "# A\n\n## C\n\nd\n"


def test_the_command_names_its_sections():
    pytest.importorskip("torch")
    run = CliRunner().invoke
    names = run(cli, ["bench", "report", "--list"]).output.split()
    assert {"compare", "levels", "one-stream", "documents"} <= set(names)
    result = run(cli, ["bench", "report", "levls"])
    assert result.exit_code == 2 and "levels" in result.output
