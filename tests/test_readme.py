"""What the README says can be typed exists."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from nacrith.cli import cli
from nacrith.models.fetch import REQUIREMENT
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def lines() -> list[str]:
    found = [line.split("#")[0].strip() for line in README.splitlines() if line[:4] == "    "]
    return [line for line in found if line]


def commands() -> list[str]:
    return [part.strip() for line in lines() for part in line.split("|")]


def test_make_targets_exist():
    targets = {c.split()[1] for c in commands() if c.startswith("make ")}
    assert {"demo", "test"} <= targets
    assert all(re.search(rf"^{target}:", MAKEFILE, re.MULTILINE) for target in targets)


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("nacrith ")])
def test_commands_exist_with_their_options(command):
    words = command.split(">")[0].split()[1:]
    group: click.Command = cli
    while isinstance(group, click.Group) and words and words[0] in group.commands:
        group = group.commands[words.pop(0)]
    assert group is not cli
    known = {option for p in group.params for option in p.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_the_two_commands_come_first():
    assert commands()[:2] == ["make demo", "make test"]


def test_make_and_the_program_get_the_same_model():
    assert f"\nMODEL_PACKAGE := {REQUIREMENT}\n" in MAKEFILE


def runnable() -> list[str]:
    """The lines but those of `make` and pip, and those that need other machines or a GPU."""
    own = [c for c in lines() if not c.startswith(("make ", "pip "))]
    return [c for c in own if "--cluster" not in c and "--device" not in c]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, tiny_site, tiny_checkpoint):
    """A folder with what the README's commands are about, and the command itself."""
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "site").symlink_to(tiny_site)
    script = folder / "bin" / "nacrith"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m nacrith "$@"\n')
    script.chmod(0o755)
    work = folder / "work"
    names = ("book.txt", "huge.txt", "letters/first.txt", "folder/a.txt", "backup/b.txt")
    for name in (*names, "old.json", "new.json"):
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"The quick brown fox jumps over the lazy dog.\n" * 4)
    shutil.copytree(tiny_checkpoint, work / "SmolLM2-135M")
    run(folder, "nacrith compress book.txt huge.txt backup/b.txt", work)
    return folder


def run(folder, command, work):
    environment = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": f"{folder / 'site'}:{ROOT}",
        "XDG_DATA_HOME": str(folder / "data"),
    }
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=work, capture_output=True, timeout=120,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert result.returncode == 0, f"{command}: {result.stderr.decode()}"


@pytest.mark.parametrize("command", runnable())
def test_commands_run(command, shelf, tmp_path, monkeypatch, tiny_gguf, keep_text):
    work = tmp_path / "work"
    shutil.copytree(shelf / "work", work)
    # What a command makes is not there yet.
    name = next((word for word in ("book.txt", "huge.txt") if word in command), "book.txt")
    if "nacrith compress" in command:
        (work / f"{name}.nc").unlink()
    elif "nacrith decompress" in command:
        (work / name).unlink()
    if "|" in command or not command.startswith("nacrith "):
        run(shelf, command, work)
        return
    # The same without the time that a process takes to start.
    monkeypatch.chdir(work)
    monkeypatch.setenv("NACRITH_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("nacrith.models.catalog.embedded_path", lambda: tiny_gguf)
    result = CliRunner().invoke(cli, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
