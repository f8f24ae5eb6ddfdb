"""The examples of the documentation run and print what it says."""

import os
import re
import subprocess
import sys

import pytest

from nacrith.format.container import VERSION
from nacrith.format.releases import PROGRAMS
from tests.conftest import ROOT

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_api(tmp_path, monkeypatch, capsys, tiny_gguf):
    pytest.importorskip("fsspec")
    # The same with a model that takes no time.
    monkeypatch.setattr("nacrith.models.catalog.embedded_path", lambda: tiny_gguf)
    monkeypatch.chdir(tmp_path)
    blocks = _BLOCK.findall((ROOT / "docs" / "api.md").read_text("utf-8"))
    names: dict = {}
    for kind, text in blocks:
        if kind == "python":
            exec(text, names)
        else:
            assert kind == "output"
            assert capsys.readouterr().out == text
    assert len(blocks) >= 7


_KEEP_TEXT = """
import nacrith.codec.frame_choice as frames, nacrith.pipeline.compress as files
from nacrith.cli.main import main
from nacrith.codec.model_pays import Choice
files.SMALL_BLOCK, frames.DOUBTFUL_SHARE = 0, 1e9
frames.choose = lambda block, segments, *_: Choice(segments, 0)
main()
"""
"""The command line where text stays in the model, though that is random (`keep_in_model`)."""


def test_the_commands_of_the_tutorial(tmp_path, tiny_site):
    text = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    scripts = [body for kind, body in _BLOCK.findall(text) if kind == "sh"]
    assert len(scripts) >= 7
    (tmp_path / "keep.py").write_text(_KEEP_TEXT)
    commands = (
        f'set -eu\nnacrith() {{ {sys.executable} {tmp_path}/keep.py "$@"; }}\n'
        f'python3() {{ {sys.executable} "$@"; }}\n' + "".join(scripts)
    )
    result = subprocess.run(
        ["bash", "-c", commands],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tiny_site}:{ROOT}"},
        capture_output=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    assert b"letters/hedda.txt" in result.stdout
    assert result.stdout.endswith(b"b'Bring a ladder'\nDear Tomasz,\n")


_PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|md))`")


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *sorted(os.listdir(ROOT / "docs"))]
)
def test_the_files_that_are_named_are_there(name):
    if not name.endswith(".md"):
        return
    path = ROOT / name if (ROOT / name).exists() else ROOT / "docs" / name
    for named in _PATH.findall(path.read_text("utf-8")):
        assert (ROOT / named).exists() or (ROOT / "nacrith" / named).exists(), named


DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("corpora/*/*.md")]
)
DOCUMENTS = [path for path in DOCUMENTS if "unseen/manual" not in path.as_posix()]


def anchor(heading: str) -> str:
    """What a heading is called in links, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        name, _, place = target.partition("#")
        found = path.parent / name if name else path
        assert found.exists(), target
        if place:
            headings = re.findall(r"^#+ (.*)$", found.read_text("utf-8"), re.MULTILINE)
            assert place in map(anchor, headings), target


def test_every_document_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    names = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert names <= set(re.findall(r"\]\(([\w-]+\.md)\)", index))
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "(docs/README.md)" in readme


def test_the_present_format_is_in_the_history():
    number = VERSION - 0x80
    text = (ROOT / "docs" / "format.md").read_text("utf-8")
    assert text.startswith(f"# The NC06 format, version {number}\n")
    rows = dict(re.findall(r"^\| (\d+) \| 0x8\w \| (.*?) \|", text, re.MULTILINE))
    assert sorted(map(int, rows)) == list(range(1, number + 1))
    assert {
        int(n): re.split("[ ,]+", words)[-1] for n, words in rows.items() if "not" not in words
    } == PROGRAMS
    assert number in PROGRAMS


def test_pre_commit_runs_what_make_lint_runs():
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nlint: env-test\n")[2]
    commands = re.findall(r"^\t\$\(BIN\)/(.*)$", recipe.partition("\n\n")[0], re.MULTILINE)
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert commands and re.findall(r"entry: \.venv/bin/(.*)", hooks) == commands
