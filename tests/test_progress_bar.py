"""The bar on terminals of several widths."""

import re

import pytest

from nacrith.cli.progress_bar import BarProgress, shortened


@pytest.mark.parametrize("columns", [20, 40, 71, 80, 120])
@pytest.mark.parametrize("name", ["a.txt", "x" * 300 + ".txt"])
def test_no_line_is_too_long(monkeypatch, capsys, columns, name):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    bar = BarProgress(name)
    bar.begin(10**6)
    bar.update(250_000, 60_000, 30_000)
    bar._bar.refresh()
    bar.end()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    lines = [line for line in re.split(r"[\r\n]+", shown) if line]
    assert lines and max(map(len, lines)) <= columns
    assert any("…" in line if len(name) > columns else "a.txt" in line for line in lines)
    if columns >= 120:
        assert any("kB/s" in line and "tokens/s" in line and "bpb" in line for line in lines)
    elif columns < 72:
        assert any("25%" in line for line in lines)


def test_workers_tell_of_no_tokens():
    bar = BarProgress("a", decoding=True)
    assert bar._speed(5_000_000, 0, 10.0) == "500 kB/s"
    assert bar._speed(5_000, 1_500, 10.0) == "0.5 kB/s, 150 tokens/s"


def test_names_are_shortened_in_the_middle():
    assert shortened("abc", 3) == "abc"
    assert shortened("abcdefghij", 5) == "ab…ij"
    assert len(shortened("a" * 100, 8)) == 8
