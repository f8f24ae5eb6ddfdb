"""Help texts, the man page and shell completion, all made from the commands."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from nacrith.cli import cli
from nacrith.cli.man_page import man_page
from nacrith.cli.short_form import command_arguments
from tests.conftest import ROOT


def commands(group: click.Group, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield names
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        else:
            yield (*names, name)


def command_at(names: tuple[str, ...]) -> tuple[click.Command, click.Context]:
    command: click.Command = cli
    context = click.Context(cli, info_name="nacrith")
    for name in names:
        assert isinstance(command, click.Group)
        command = command.commands[name]
        context = click.Context(command, info_name=name, parent=context)
    return command, context


@pytest.mark.parametrize("names", commands(cli), ids=" ".join)
def test_every_help_has_an_example_that_is_right(names):
    command, context = command_at(names)
    text = command.get_help(context).split("Options:")[0]
    examples = re.findall(r"^ +(?:.*\| )?(nacrith .*)$", text, re.MULTILINE)
    mine = [e for e in examples if e.startswith(" ".join(["nacrith", *names]))]
    assert mine
    for example in examples:
        words = command_arguments(cli, re.split(r" {2,}| [|>] ", example)[0].split()[1:])
        found: click.Command = cli
        while isinstance(found, click.Group) and words and words[0] in found.commands:
            found = found.commands[words.pop(0)]
        known = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, example


def test_every_option_is_explained():
    for names in commands(cli):
        command, _ = command_at(names)
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, (names, parameter)


def test_the_man_page_has_every_command_and_option():
    page = man_page()
    for names in commands(cli):
        command, _ = command_at(names)
        if names:
            name = " ".join(names).replace("-", r"\-")
            assert f".SS {name} " in page
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.opts[0].replace("-", r"\-") in page
    assert "\b" not in page
    assert ".nf\nnacrith compress book.txt\n" in page


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_the_man_page_is_well_formed():
    result = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww"], input=man_page().encode("ascii"), capture_output=True
    )
    assert (result.returncode, result.stderr) == (0, b"")
    # Bold letters are struck twice.
    assert b"EXIT STATUS" in re.sub(rb".\x08", b"", result.stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(nacrith, shell):
    script = nacrith("completion", shell).stdout.decode()
    assert f"_NACRITH_COMPLETE={shell}_complete" in script


def test_completion_completes():
    code = "import sys; sys.argv = ['nacrith']; from nacrith.cli import main; main()"
    environment = {
        **os.environ,
        "_NACRITH_COMPLETE": "bash_complete",
        "COMP_WORDS": "nacrith comp",
        "COMP_CWORD": "1",
    }
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert result.stdout.split() == ["plain,completion", "plain,compress"]
