"""The man pages, made from the commands' own help: `python -m nacrith.cli.man_page FOLDER`.

One of the program and one of each command, and links for the other names of the program.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from pathlib import Path

import click

from nacrith import __version__
from nacrith.cli.main import cli
from nacrith.system.environment import VARIABLES

Entries = Sequence[tuple[str, str]]
"""What is explained, and in which words."""

BY_USE = (
    "compress", "decompress", "cat", "test", "list", "info", "explain", "models", "setup",
    "doctor", "completion", "bench",
)  # fmt: skip
"""Commands in the order in which they are told of; others follow."""

EXIT_CODES: Entries = (
    ("0", "Done."),
    ("1", "Failed; the message says what to do. Of several files the others are done."),
    ("2", "Wrong usage; nothing was done."),
    ("128 + N", "Ended by signal N: 130 by Ctrl-C, 141 when the reader of a pipe is gone."),
)

ENVIRONMENT: Entries = tuple(
    (name, variable.meaning + (f" By default: {variable.usual}." if variable.usual else ""))
    for name, variable in VARIABLES.items()
)

FILES: Entries = (
    ("FILE.nc", "What compress makes of FILE."),
    ("FILE.nc.part", "It, unfinished: kept by an interrupted run for --resume."),
    ("~/.cache/nacrith/models", "The weights of models, unpacked: 168 MB for the default one."),
    ("~/.cache/nacrith/kernels", "Compiled kernels, where the package's own folder is read-only."),
    ("~/.local/share/nacrith/models", "Models that nacrith models has fetched or imported."),
)

BUGS = (
    "It is slow: with the model some 4 KB/s to compress and 1 KB/s to restore a short text on two "
    "cores; see nacrith list for the time that a file takes.",
    "What was compressed from level 4 on needs the model to be restored, 98 MB, and the correction "
    "of its weights that the file names.",
    "A damaged frame is not repaired: what is in front of it can be restored from a pipe.",
    "A small hostile file can claim much data; bound time and output from outside (ulimit, "
    "timeout).",
    "Before version 1.0 a new program may write another format and refuse older ones; nacrith info "
    "shows which program a file needs.",
)  # fmt: skip

_LINKS = ("unnacrith", "nacat")
"""Other names of the program."""


def pages() -> dict[str, str]:
    """All pages by name, such as `nacrith-compress`, in the macros of man(7)."""
    root = click.Context(cli, info_name="nacrith", **cli.context_settings)
    found = {"nacrith": _program(root)}
    for command, context in _by_use(cli, root):
        found[f"nacrith-{command.name}"] = _command(command, context)
    return found | dict.fromkeys(_LINKS, ".so man1/nacrith.1\n")


def write_pages(folder: Path) -> list[Path]:
    """Write the pages into a folder, each with the ending .1; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in pages().items():
        paths.append(folder / f"{name}.1")
        paths[-1].write_text(text, "utf-8")
    return paths


def _program(root: click.Context) -> str:
    lines = [
        *_head("nacrith", "compress text with a small language model, without loss"),
        r".B nacrith",
        r"[\fIOPTION\fR]... [\fIFILE\fR]...",
        ".br",
        ".B nacrith",
        r"\fICOMMAND\fR [\fIOPTION\fR]... [\fIFILE\fR]...",
        ".SH DESCRIPTION",
        *_paragraphs(cli),
        ".SH COMMANDS",
    ]
    for command, _ in _by_use(cli, root):
        page = f"nacrith-{command.name}"
        lines += [".TP", rf".BR {_escape(page)} (1)", _escape(command.get_short_help_str(200))]
    lines += [".SH OPTIONS", *_options(cli, root)]
    lines += [".PP", "Without a command those of", r".BR nacrith\-compress (1)", "and:"]
    for option, words in (
        ("-d, --decompress", "Restore, with the options of nacrith-decompress(1)."),
        ("-t, --test", "Test, with the options of nacrith-test(1)."),
        ("-l, --list", "List, with the options of nacrith-list(1)."),
        ("-z, --compress", "Compress; the default."),
    ):
        lines += [".TP", f".B {_escape(option)}", _escape(words)]
    names = [f"nacrith-{command.name}" for command, _ in _by_use(cli, root)]
    return _joined(lines, [*names, "gzip", "xz", "zstd"])


def _command(command: click.Command, context: click.Context) -> str:
    name = f"nacrith-{command.name}"
    short = command.get_short_help_str(200).rstrip(".")
    lines = [
        *_head(name, short[:1].lower() + short[1:]),
        rf".B nacrith {_escape(str(command.name))}",
        _escape(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
        *_paragraphs(command),
        ".SH OPTIONS",
        *(_options(command, context) or ["None."]),
    ]
    if isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        for inner, inside in _by_use(command, context):
            usage = " ".join(inner.collect_usage_pieces(inside))
            lines += [f".SS {_escape(f'{inner.name} {usage}')}", *_paragraphs(inner)]
            lines += _options(inner, inside)
    return _joined(lines, ["nacrith"])


def _head(name: str, short: str) -> list[str]:
    return [
        f'.TH {name.upper()} 1 "" "nacrith {__version__}" "User Commands"',
        ".SH NAME",
        rf"{_escape(name)} \- {_escape(short)}",
        ".SH SYNOPSIS",
    ]


def _joined(lines: Sequence[str], related: Sequence[str]) -> str:
    """A page with the sections that all have, and a list of other pages."""
    end = []
    for heading, entries in (
        ("EXIT STATUS", EXIT_CODES), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES),
    ):  # fmt: skip
        end.append(f".SH {heading}")
        for what, words in entries:
            end += [".TP", f".B {_escape(what)}", _escape(words)]
    end.append(".SH BUGS")
    for words in BUGS:
        end += [".PP", _escape(words)]
    end.append(".SH SEE ALSO")
    end += [f".BR {_escape(name)} (1){',' if name != related[-1] else ''}" for name in related]
    return "\n".join([*lines, *end]) + "\n"


def _by_use(
    group: click.Group, context: click.Context
) -> Iterator[tuple[click.Command, click.Context]]:
    """The commands of a group, each with its context."""
    for name in sorted(
        group.commands, key=lambda name: (BY_USE.index(name) if name in BY_USE else 99, name)
    ):
        command = group.commands[name]
        if not command.hidden:
            yield command, click.Context(command, info_name=name, parent=context)


def _options(command: click.Command, context: click.Context) -> list[str]:
    lines = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        # Some versions of click have one, without words, for an argument.
        if record and record[1]:
            lines += [".TP", f".B {_escape(record[0])}", _escape(record[1])]
    return lines


def _paragraphs(command: click.Command) -> list[str]:
    """The help text; a paragraph that click does not wrap stays as it is."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", cleandoc(command.help or "")):
        if paragraph.startswith("\b"):
            body = [_escape(line.strip()) for line in paragraph.splitlines()[1:]]
            lines += [".PP", ".nf", *body, ".fi"]
        else:
            lines += [".PP", _escape(" ".join(paragraph.split()))]
    return lines


def _escape(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti")
    return r"\&" + text if text.startswith((".", "'")) else text


if __name__ == "__main__":
    print(*write_pages(Path(sys.argv[1])), sep="\n")
