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
from nacrith.cli.man_page import BY_USE, ENVIRONMENT, pages, write_pages
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


SECTIONS = (
    "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "BUGS",
    "SEE ALSO",
)  # fmt: skip
PAGES = pages()


def test_every_command_has_a_man_page_with_all_of_its_options():
    for names in commands(cli):
        command, _ = command_at(names)
        page = PAGES["-".join(["nacrith", *names[:1]])]
        if names[1:]:
            assert f".SS {names[1]} ".replace("-", r"\-") in page
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.opts[0].replace("-", r"\-") in page, (names, parameter)
    assert ".nf\nnacrith compress book.txt\n" in PAGES["nacrith-compress"]
    assert PAGES["unnacrith"] == PAGES["nacat"] == ".so man1/nacrith.1\n"


@pytest.mark.parametrize("name", [name for name in PAGES if ".so" not in PAGES[name]])
def test_every_entry_of_a_man_page_has_words(name):
    """A tag, and what it means. -h is an option of all commands."""
    entries = re.findall(r"^\.TP\n\.B (.*)\n(.*)$", PAGES[name], re.MULTILINE)
    assert all(words and not words.startswith(".") for _, words in entries)
    assert r"\-h, \-\-help" in dict(entries)


def test_levels_that_are_refused_are_not_in_the_help():
    command, context = command_at(("explain",))
    text = command.get_help(context)
    assert " -4 " in text and "--best" in text
    assert " -3 " not in text and "--fast" not in text


def test_man_pages_tell_of_commands_by_use():
    names = re.findall(r"^\.BR nacrith\\-(\w+) \(1\)$", PAGES["nacrith"], re.MULTILINE)
    assert names[:3] == ["compress", "decompress", "cat"] and names.index("bench") > 9
    assert set(BY_USE) == set(cli.commands)


@pytest.mark.parametrize("name", [name for name in PAGES if ".so" not in PAGES[name]])
def test_every_man_page_has_all_sections(name):
    found = re.findall(r"^\.SH (.*)$", PAGES[name], re.MULTILINE)
    assert [heading for heading in found if heading != "COMMANDS"] == list(SECTIONS)
    assert "\b" not in PAGES[name]


def test_variables_that_are_read_are_in_the_man_pages():
    named = {name for names, _ in ENVIRONMENT for name in names.split(", ")}
    for folder in ("nacrith", "coder", "predictors", "corpora"):
        for path in (ROOT / folder).rglob("*.py"):
            read = re.findall(
                r"environ(?:\.get\(|\[)\"(NACRITH_\w+|XDG_\w+)\"", path.read_text("utf-8")
            )
            assert set(read) <= named, path


def test_man_pages_are_written_into_a_folder(tmp_path):
    paths = write_pages(tmp_path / "new")
    assert {path.name for path in paths} == {f"{name}.1" for name in PAGES}
    assert (tmp_path / "new" / "nacrith-list.1").read_text("utf-8") == PAGES["nacrith-list"]


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_the_man_pages_are_well_formed():
    for name, page in PAGES.items():
        if page.startswith(".so"):
            continue
        result = subprocess.run(
            ["groff", "-man", "-Tascii", "-ww"], input=page.encode("ascii"), capture_output=True
        )
        assert (result.returncode, result.stderr) == (0, b""), name
        # Bold letters are struck twice.
        assert b"EXIT STATUS" in re.sub(rb".\x08", b"", result.stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(nacrith, shell):
    script = nacrith("completion", shell).stdout.decode()
    assert f"_NACRITH_COMPLETE={shell}_complete" in script


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("nacrith comp", ["plain,completion", "plain,compress"]),
        ("nacrith book", ["file,book"]),
        ("nacrith -9 book", ["file,book"]),
        ("nacrith -d -f book", ["file,book"]),
        ("nacrith book.txt -o b", ["file,b"]),
        ("nacrith decompress book", ["file,book"]),
        ("nacrith --be", ["plain,--best"]),
        ("nacrith -d --ra", ["plain,--range"]),
        ("nacrith -t --qui", ["plain,--quiet", "plain,--quick"]),
        ("nacrith -d -l book", ["file,book"]),
        ("nacrith models im", ["plain,import"]),
        ("nacrith completion ba", ["plain,bash"]),
    ],
)
def test_completion_completes(line, some):
    """Commands, and files and options of what is done without one."""
    code = "import sys; sys.argv = ['nacrith']; from nacrith.cli import main; main()"
    environment = {
        **os.environ,
        "_NACRITH_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert sorted(result.stdout.split()) == sorted(some)
