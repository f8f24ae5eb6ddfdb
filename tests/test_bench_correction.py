"""The benchmark of the correction."""

import json

import pytest

from nacrith.bench import correction as module
from nacrith.bench.correction import correction_section, learning_curve
from nacrith.errors import FileError
from nacrith.models.corrections import shipped_path
from nacrith.pipeline.summary import Summary


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.jsonl"
    events = [{"event": "begun", "trained": 0}]
    for trained in (0, 1000, 1100, 2000, 2000, 2100):
        percent = {"prose": -trained / 1000, "code": 1.0}
        events.append(
            {"event": "validation", "trained": trained, "percent": percent, "mean_percent": -0.5}
        )
    path.write_text("".join(f"{json.dumps(e)}\n" for e in events))
    return path


def test_the_learning_curve_has_few_rows_and_the_last(log):
    lines = learning_curve(log).splitlines()
    assert lines[0] == "| tokens | code | prose | mean |"
    assert lines[2:] == [
        "| 1,000 | 1.0 | −1.0 | −0.5 |",
        "| 2,000 | 1.0 | −2.0 | −0.5 |",
        "| 2,100 | 1.0 | −2.1 | −0.5 |",
    ]


def test_no_log(tmp_path):
    with pytest.raises(FileError, match="can't read"):
        learning_curve(tmp_path / "none")
    (tmp_path / "bad").write_text("x\n")
    with pytest.raises(FileError, match="is no log"):
        learning_curve(tmp_path / "bad")


def test_the_section(monkeypatch, log):
    measured = {
        b"a": {"size": 1000, "without": 200, "with_it": 190, "tokens": 300},
        b"b": {"size": 3000, "without": 800, "with_it": 804, "tokens": 900},
        b"binary": {"size": 9, "without": 9, "with_it": 9, "tokens": 0},
    }
    monkeypatch.setattr(module, "shipped_numbers", lambda: [2])
    monkeypatch.setattr(module, "cached", lambda key, measure: measure())
    monkeypatch.setattr(module, "measure_correction", measured.get)
    section = correction_section({"A": b"a", "B": b"b", "C": b"binary"}, log)
    assert section.startswith("## What the correction of the weights is worth\n")
    assert "| A | 1,000 | 200 | 190 | −5.0 % |\n" in section
    assert "| B | 3,000 | 800 | 804 | +0.5 % |\n" in section
    assert "| all | 4,000 | 1,000 | 994 | −0.6 % |\n" in section
    assert "| C |" not in section and "| 2,100 |" in section


def test_earlier_corrections_are_measured_too(monkeypatch, canterbury):
    text = canterbury["alice29.txt"].read_bytes()[1000:1100]
    monkeypatch.setattr(module, "shipped_numbers", lambda: [2, 9])
    monkeypatch.setattr(module, "cached", lambda key, measure: measure())
    chosen = []

    def compress_stream(source, sink, options, size):
        chosen.append(options.correction)
        return Summary(size, 50 - len(chosen), 30)

    monkeypatch.setattr(module, "compress_stream", compress_stream)
    section = correction_section({"A": text})
    assert chosen == ["none", shipped_path(2), None]
    assert "with that of model number 2, and with it" in section
    assert "| text | bytes | without | 2 | with | change |" in section
    assert "| A | 100 | 49 | 48 | 47 | −4.1 % |" in section


def test_what_is_measured(canterbury):
    text = canterbury["alice29.txt"].read_bytes()[1000:1800]
    found = module.measure_correction(text)
    assert found["size"] == 800 and 150 < found["tokens"] < 300
    assert 0.8 < found["with_it"] / found["without"] < 1
