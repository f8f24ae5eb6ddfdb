"""The measurements of whole command lines, with the tiny model."""

import io
import tarfile

import pytest

from nacrith.bench import before_after, command_line, loading, store
from nacrith.bench.before_after import CASES, Case, measure, section, source_tarball
from nacrith.bench.generated import json_lines, log_lines, repeated_line
from nacrith.bench.markdown import put_section, table
from nacrith.errors import NacrithError
from tests.conftest import ROOT

LIMITS = {
    "bandwidth": 2e10, "products": 5e11, "window": 1024, "weights": 134_000_000,
    "cache": 12_900_000,
    "decoding": [{
        "streams": 8, "rate_at_first": 700.0, "rate": 400.0, "of_bandwidth": 0.25,
        "of_products": 0.1,
    }],
}  # fmt: skip


@pytest.fixture
def tiny(tiny_site, monkeypatch, tmp_path):
    """Processes that find the tiny model where the default one would be."""
    start = command_line._start

    def with_tiny(arguments, root, environment, errors):
        path = {"PYTHONPATH": f"{tiny_site}:{root}"}
        return start(arguments, root, {**environment, **path}, errors)

    monkeypatch.setattr(command_line, "_start", with_tiny)
    monkeypatch.setattr(before_after, "FOLDER", tmp_path)
    monkeypatch.setattr(store, "FOLDER", tmp_path)


def test_both_checkouts_are_run_and_compared(tiny):
    case = Case("a few words", lambda: b"The boats had gone out. " * 9, ("--window", "256"))
    found = measure(case, ROOT, 1)
    assert found["original"] == 216 and found["before"]["size"] == found["after"]["size"] < 216
    for side in ("before", "after"):
        for direction in ("compress", "decompress"):
            assert found[side][direction] > 0.1
            assert found[side][f"{direction}_peak"] > 1 << 25
    text = section([(case.name, found)], LIMITS)
    assert text.startswith("## Before and after\n") and "| a few words | " in text
    assert "20.0 GB/s" in text and "| 8 | 700 | 400 | 25 % | 10 % |" in text
    assert "12.9 MB of keys and values" in text and "1,024 tokens" in text


def test_the_ratio_is_before_by_after():
    before = {"size": 30, "compress": 3.0, "decompress": 1.0}
    after = {"size": 20, "compress": 1.0, "decompress": 2.0}
    peaks = {"compress_peak": 1 << 20, "decompress_peak": 3 << 20}
    row = before_after._row("a", {"before": before | peaks, "after": after | peaks})
    assert row == [
        "a", "30", "20", "3.00", "1.00", "**3.00**", "1.00", "2.00", "**0.50**", "3", "3",
    ]  # fmt: skip


def test_a_run_that_fails_says_why(tmp_path):
    with pytest.raises(NacrithError, match="No such file"):
        command_line.run(("info", tmp_path / "none"), ROOT)


def test_it_is_the_checkout_that_is_run(tmp_path, monkeypatch):
    (tmp_path / "nacrith").mkdir()
    (tmp_path / "nacrith" / "__init__.py").touch()
    (tmp_path / "nacrith" / "__main__.py").write_text("raise SystemExit('another checkout')")
    # Where this one is, too.
    monkeypatch.chdir(ROOT)
    with pytest.raises(NacrithError, match="another checkout"):
        command_line.run(("info",), tmp_path)


def test_what_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(NacrithError, match="no checkout of nacrith"):
        list(before_after.before_after(tmp_path, 1, full=False))


def test_only_what_is_wanted_is_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    monkeypatch.setattr(before_after, "_warm_up", lambda before: None)
    monkeypatch.setattr(before_after, "measure", lambda case, before, rounds: {"case": case.name})
    names = [name for name, _ in before_after.before_after(ROOT, 1, full=False)]
    assert names == [case.name for case in CASES if not case.full]
    assert len(list(before_after.before_after(ROOT, 1, full=True))) == len(CASES)
    found = list(before_after.before_after(ROOT, 1, full=False, only=("a log", "400")))
    assert [name for name, _ in found] == ["400 bytes", "a log, 16,000 bytes"]
    assert found[0][1] == {"case": "400 bytes"}


def test_the_texts_are_the_same_everywhere():
    for lines in (log_lines, json_lines, repeated_line):
        assert len(lines(1000)) == 1000 and lines(2000)[:1000] == lines(1000)
    packed = source_tarball()
    assert packed == source_tarball()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert "coder/range_coder.py" in tar.getnames()
        assert {(m.uid, m.mtime, m.mode) for m in tar} == {(0, 0, 0o644)}


def test_parts_of_a_start_and_memory(monkeypatch):
    monkeypatch.setattr(loading, "alice", lambda: b"The boats had gone out, they say. " * 200)
    found = loading.measure_loading(1, (100, 200))
    assert set(found["seconds"]) == {"100", "200"}
    assert 0 < found["memory"][0] < found["memory"][1] < 2 * found["memory"][0]
    for direction, seconds in found["parts"].items():
        assert ("tokenizer" in seconds) == (direction == "compress")
        assert seconds["text"] > 0 and seconds["kernels"] > 0
    text = loading._section(found)
    assert text.startswith("## Starting\n") and "| the tokenizer | " in text


def test_a_section_takes_the_place_of_the_one_before(tmp_path):
    path = tmp_path / "a.md"
    put_section(path, "## One\n\n1\n")
    put_section(path, "## Two\n\n2\n")
    put_section(path, "## One\n\n" + table("a | b", [["x", "1"]]))
    assert path.read_text() == ("## One\n\n| a | b |\n| --- | ---: |\n| x | 1 |\n\n## Two\n\n2\n")
    put_section(path, "## Two\n\n3\n")
    assert path.read_text().endswith("| x | 1 |\n\n## Two\n\n3\n")
