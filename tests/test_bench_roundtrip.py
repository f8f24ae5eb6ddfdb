"""Round trips over the files of a folder: found, counted, gone on with."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from nacrith.bench import files_carried, roundtrip, store
from nacrith.bench.document_makers import maker_of
from nacrith.bench.files_carried import Carried
from nacrith.cli import cli
from nacrith.errors import NacrithError
from nacrith.pipeline.options import BLOCK
from tests.deflate_samples import archive, gz, noise, prose
from tests.png_samples import photo, png_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = tmp_path / "there"
    (there / "deep").mkdir(parents=True)
    (there / "a.zip").write_bytes(archive())
    (there / "deep" / "b.PNG").write_bytes(png_of(photo(20, 40, 3), [4]))
    (there / "deep" / "c.txt.gz").write_bytes(gz(prose(2000)))
    (there / "d.mp3").write_bytes(noise(500))
    (there / "e.txt").write_bytes(prose(300))
    (there / "link.zip").symlink_to(there / "a.zip")
    return there


def test_files_are_found_by_their_kind(folder):
    files = files_carried.carried([folder, folder / "deep"])
    assert {(file.path.name, file.kind, file.ending) for file in files} == {
        ("a.zip", "archive", "zip"),
        ("b.PNG", "picture", "png"),
        ("c.txt.gz", "archive", "gz"),
        ("d.mp3", "sound", "mp3"),
    }
    assert files == files_carried.carried([folder / "deep", folder])


@pytest.mark.parametrize("workers", [1, 2])
def test_each_file_is_done_once(folder, workers):
    files = files_carried.carried([folder])
    told = []
    first = roundtrip.go_over(files[:2], 1, workers, tell=lambda *n: told.append(n))
    assert told == [(1, 2), (2, 2)] and len(first) == 2
    (note,) = store.FOLDER.glob("roundtrip-*")
    with note.open("a") as cut:
        cut.write('{"key": "half a li')
    results = roundtrip.go_over(files, 1, workers)
    # All of them have been noted, also the one behind what was cut.
    assert roundtrip.go_over(files, 1, workers, seconds=-1) == results
    by_name = {result["name"]: result for result in results}
    assert len(by_name) == 4 and [r for r in results if r in first] == first
    assert not roundtrip.failed(results)
    assert by_name["a.zip"]["opened"] == by_name["a.zip"]["perfect"] == 4
    assert by_name["d.mp3"]["opened"] == by_name["d.mp3"]["closed"] == 0
    assert 0 < by_name["c.txt.gz"]["packed"] < by_name["c.txt.gz"]["bytes"]
    section = roundtrip.roundtrip_section(results, 1, 1 << 20, 9)
    assert "4 of 9 documents" in section and "| archive, zip | 1 |" in section


def test_what_does_not_come_back_is_told(folder, monkeypatch):
    def wrong(data, level):
        raise AssertionError("the restored data differs")

    monkeypatch.setattr(roundtrip, "_measured", wrong)
    result = CliRunner().invoke(cli, ["bench", "roundtrip", str(folder), "-N", "2"])
    assert isinstance(result.exception, NacrithError)
    assert "2 of 2 files did not come back" in str(result.exception)
    assert "AssertionError: the restored data differs" in result.output


def test_what_cannot_be_read_is_left_out(folder, monkeypatch):
    files = files_carried.carried([folder])
    gone = files[0].path
    with monkeypatch.context() as patch:
        patch.setattr("os.access", lambda path, mode: Path(path).name != "a.zip")
        assert len(files_carried.carried([folder])) == len(files) - 1
    data = gone.read_bytes()
    gone.unlink()
    results = roundtrip.go_over(files, 1, 1)
    assert len(results) == len(files) and not roundtrip.failed(results)
    assert "| all | 3 |" in roundtrip.roundtrip_section(results, 1, 1 << 20, 9)
    # The next run tries again.
    gone.write_bytes(data)
    results = roundtrip.go_over(files, 1, 1)
    assert "| all | 4 |" in roundtrip.roundtrip_section(results, 1, 1 << 20, 9)


def test_a_folder_is_gone_over(folder, tmp_path):
    document = tmp_path / "reliability.md"
    document.write_text("# Reliability\n\n## Memory\n\nlittle\n")
    command = ["bench", "roundtrip", str(folder), "--largest", "5000", "-o", str(document)]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    text = document.read_text()
    assert "## Memory\n\nlittle" in text and "## Files that a machine carries" in text
    assert "| all | 4 |" in text
    # The command that makes the same again.
    made = f"Made by `nacrith bench roundtrip {folder} --largest 5000 --level 1`"
    assert made in text
    (tmp_path / "empty").mkdir()
    assert CliRunner().invoke(cli, ["bench", "roundtrip", "empty"]).exit_code == 1
    assert CliRunner().invoke(cli, ["bench", "roundtrip", str(document)]).exit_code == 2


class Deadly:
    """Like the path of a file whose reader is killed."""

    name = "f.zip"

    def __str__(self):
        return self.name

    def read_bytes(self):
        os._exit(9)


def test_a_process_that_is_killed_is_the_problem_of_its_file(folder):
    files = files_carried.carried([folder])
    deadly = Carried(cast(Any, Deadly()), "archive", "zip", 5)
    results = roundtrip.go_over([files[0], deadly, *files[1:]], 1, 2)
    assert [result["name"] for result in roundtrip.failed(results)] == ["f.zip"]
    assert len(results) == len(files) + 1 and "killed" in results[1]["problem"]


def test_streams_of_the_first_frame_are_counted():
    data = archive() + bytes(BLOCK) + archive()
    measured = roundtrip._measured(data, 1)
    assert measured["opened"] == 4 and measured["closed"] == 0


def test_time_that_is_over_is_told(folder, monkeypatch):
    files = files_carried.carried([folder])
    assert roundtrip.go_over(files, 1, 1, seconds=-1) == []


def test_a_document_says_what_made_it():
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as made:
        made.writestr("docProps/app.xml", "<Properties><Application>A | B</Application>")
    assert maker_of(sink.getvalue()) == "A   B"
    assert maker_of(b"%PDF-1.4 /Producer (some\tprogram)") == "some program"
    for other in (b"PK\3\4 and no archive", archive(), b"text", b""):
        assert maker_of(other) == ""
