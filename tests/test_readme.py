"""What the README says can be typed exists."""

import re

import click
import pytest

from nacrith.cli import cli
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def commands() -> list[str]:
    lines = [
        line.strip().split("#")[0].strip() for line in README.splitlines() if line[:4] == "    "
    ]
    return [part.strip() for line in lines for part in line.split("|") if line]


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
