"""The examples of the documentation run and print what it says."""

import os
import re
import subprocess
import sys

import pytest

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


def test_the_commands_of_the_tutorial(tmp_path, tiny_site):
    text = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    scripts = [body for kind, body in _BLOCK.findall(text) if kind == "sh"]
    assert len(scripts) >= 7
    commands = (
        f'set -eu\nnacrith() {{ {sys.executable} -m nacrith "$@"; }}\n'
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
    assert b"diary/monday.txt" in result.stdout
    assert result.stdout.endswith(
        b"b'We walked'\nOn Monday of the first week we walked along the river to the old mill.\n"
    )


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


def test_pre_commit_runs_what_make_lint_runs():
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nlint: env-test\n")[2]
    commands = re.findall(r"^\t\$\(BIN\)/(.*)$", recipe.partition("\n\n")[0], re.MULTILINE)
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert commands and re.findall(r"entry: \.venv/bin/(.*)", hooks) == commands
