"""`nacrith bench levels` and `bench streams`: what is measured, where decoding stops, sections."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from nacrith.bench import levels, streams, texts
from nacrith.bench.both_ways import measure_both_ways
from nacrith.bench.markdown import show, with_section
from nacrith.cli import cli
from nacrith.errors import FileError, NacrithError
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import LEVELS
from predictors.text import text_model

TEXT = b"The boats had gone out before it was light, and the sea was calm.\n" * 40
WITHOUT_MODEL = {level: LEVELS[level] for level in (1, 2)}


pytestmark = pytest.mark.usefixtures("empty_store")


def test_decoding_stops_after_some_time(monkeypatch):
    options = CompressOptions(preset=LEVELS[1])
    whole = measure_both_ways(TEXT * 20, options)
    assert whole["restored"] == 1 and whole["size"] == len(TEXT * 20)
    part = measure_both_ways(TEXT * 20, options, enough=1e-9)
    assert 0 < part["restored"] < 0.5 and part["compressed"] == whole["compressed"]
    # The time of the rest is estimated: more than nothing, and of the same order.
    assert part["decompress_seconds"] > 0


def test_a_wrong_result_is_seen(monkeypatch):
    real = text_model.code_text

    def wrong(coder, data, *rest, **options):
        real(coder, data, *rest, **options)
        data[-1:] ^= 1

    options = CompressOptions(preset=LEVELS[1])
    measure_both_ways(TEXT, options)
    monkeypatch.setattr("nacrith.codec.text_mixing.code_text", wrong)
    with pytest.raises((AssertionError, NacrithError)):
        measure_both_ways(TEXT, options)


def test_levels_are_measured_once_and_become_a_table(monkeypatch):
    monkeypatch.setattr(levels, "LEVELS", WITHOUT_MODEL)
    told: list[str] = []
    results = levels.measure_levels({"a": TEXT, "b": TEXT[:500]}, tell=told.append)
    assert told == ["a: -1", "b: -1", "a: -2", "b: -2"]
    monkeypatch.setattr(levels, "measure_both_ways", None)
    assert levels.measure_levels({"a": TEXT, "b": TEXT[:500]}) == results
    section = levels.levels_section(results)
    assert "| level | a | b | all | s/MB in | s/MB out |" in section
    packed = sum(found["compressed"] for found in results[0]["texts"].values())
    (row,) = (line for line in section.splitlines() if line.startswith("| `-1`"))
    assert row.split(" | ")[3] == f"{8 * packed / (len(TEXT) + 500):.3f}"


def test_streams_are_compared_at_every_size_that_there_is(monkeypatch, tiny_gguf):
    def small(data, options, enough):
        chosen = replace(options, model=tiny_gguf, backend="exact", threads=1)
        parameters = replace(chosen.parameters, window=256)
        return measure_both_ways(data, replace(chosen, parameters=parameters), enough)

    monkeypatch.setattr(streams, "measure_both_ways", small)
    monkeypatch.setattr(
        streams, "DEFAULT", replace(LEVELS[6], cutting=replace(LEVELS[6].cutting, payload=4))
    )
    results = streams.measure_streams({"a": TEXT, "b": TEXT[:700]}, [600, 900])
    assert [(r["name"], r["size"]) for r in results] == [("a", 600), ("b", 600), ("a", 900)]
    assert all(r["streams"] > 1 and r["one"] != r["cut"] for r in results)
    more = 100 * (results[0]["cut"]["compressed"] / results[0]["one"]["compressed"] - 1)
    assert f"{more:+.2f} %" in streams.streams_section(results)


def test_a_section_is_replaced_or_added(tmp_path, capsys):
    section = "## B\n\nnew\n"
    assert with_section("", section) == section
    assert with_section("# A\n\ntext\n", section) == "# A\n\ntext\n\n## B\n\nnew\n"
    old = "# A\n\n## B\n\nold\n\n### part\n\n## Bs\n\nrest\n"
    assert with_section(old, section) == "# A\n\n## B\n\nnew\n\n## Bs\n\nrest\n"
    assert with_section(with_section(old, section), section) == with_section(old, section)
    document = tmp_path / "new" / "a.md"
    show(section, document)
    assert document.read_text() == section
    with pytest.raises(FileError, match="can't write"):
        show(section, tmp_path)
    show(section, None)
    assert capsys.readouterr().out == section


def test_texts_of_kinds_are_joined_files(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "folders", lambda: [tmp_path / "none", tmp_path])
    for kind in ("prose", "code"):
        (tmp_path / "training" / kind).mkdir(parents=True)
        (tmp_path / "training" / kind / "b").write_text("where? " + kind)
        (tmp_path / "training" / kind / "a").write_text("où, ")
    found = texts.texts_of_kinds(11, ("prose", "code"))
    assert found == {"prose": "où, where?".encode(), "code": "où, where?".encode()}
    # No character is cut.
    assert texts.texts_of_kinds(2, ("prose",)) == {"prose": b"o"}
    # Nor is what the correction of the model was trained on.
    (tmp_path / "training" / "prose" / "A-Princess-of-Mars_62.txt").write_text("Dejah")
    assert texts.texts_of_kinds(2, ("prose",)) == {"prose": b"o"}
    # It stands behind the others where it is wanted.
    found = texts.texts_of_kinds(100, ("prose",), learned_too=True)
    assert found == {"prose": "où, where? proseDejah".encode()}
    with pytest.raises(NacrithError, match=r"training.*FILEs"):
        texts.texts_of_kinds(11)


def test_levels_are_measured_with_texts_that_no_model_has_read(monkeypatch):
    monkeypatch.setattr(levels, "texts_of_kinds", lambda n_bytes: {"prose": b"a"})
    found = levels.level_texts(10_000)
    assert list(found) == ["prose", "unpublished"]
    assert len(found["unpublished"]) == 10_000 and b"Lahmbach" in found["unpublished"]


def test_the_commands_take_files(tmp_path, monkeypatch):
    monkeypatch.setattr(levels, "LEVELS", WITHOUT_MODEL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_bytes(TEXT)
    (tmp_path / "empty.txt").touch()
    run = CliRunner().invoke
    result = run(cli, ["bench", "levels", "book.txt", "empty.txt", "-o", "out.md"])
    assert result.exit_code == 0, result.output
    document = (tmp_path / "out.md").read_text()
    assert "| `-2` |" in document and "empty" not in document
    result = run(cli, ["bench", "levels", "empty.txt"])
    assert result.exit_code == 2 and "nothing in these files" in result.output
    result = run(cli, ["bench", "streams", "book.txt", "--size", "4000000"])
    assert result.exit_code == 2 and "smaller --size" in result.output
