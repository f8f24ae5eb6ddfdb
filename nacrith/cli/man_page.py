"""The man page, made from the commands' own help: `python -m nacrith.cli.man_page FOLDER`."""

import re
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from nacrith import __version__
from nacrith.cli.main import cli

_EXIT_CODES = (
    ("0", "Done."),
    ("1", "Failed; the message says what to do."),
    ("2", "Wrong usage."),
    ("128 + N", "Ended by signal N."),
)


def man_page() -> str:
    """nacrith(1) in the macros of man(7)."""
    root = click.Context(cli, info_name="nacrith")
    lines = [
        f'.TH NACRITH 1 "" "nacrith {__version__}" "User Commands"',
        ".SH NAME",
        r"nacrith \- compress text with a small language model, without loss",
        ".SH SYNOPSIS",
        ".B nacrith",
        r"\fICOMMAND\fR [\fIOPTION\fR]... [\fIFILE\fR]...",
        ".SH DESCRIPTION",
        *_paragraphs(cli),
        *_options(cli, root),
        ".SH COMMANDS",
    ]
    for name, command, context in _commands(cli, root):
        usage = " ".join(command.collect_usage_pieces(context))
        lines += [f".SS {_escape(f'{name} {usage}')}", *_paragraphs(command)]
        lines += _options(command, context)
    lines.append(".SH EXIT STATUS")
    for code, meaning in _EXIT_CODES:
        lines += [".TP", f".B {code}", meaning]
    lines += [
        ".SH ENVIRONMENT",
        ".TP", ".B NACRITH_MODELS", "Folder of models that were imported.",
        ".TP", ".B NACRITH_CORPORA", "Folder of benchmark files, which are else "
        "fetched into ~/.cache/nacrith/corpora.",
        ".TP", ".B NACRITH_LEVEL", "Level, from 1 to 9, unless an option says otherwise.",
        ".TP", ".B NACRITH_THREADS", "Threads to use, unless an option says otherwise.",
        ".TP", ".B NUMBA_CACHE_DIR",
        "Folder where compiled kernels are kept, instead of the package's own and "
        "~/.cache/nacrith/kernels.",
        ".SH SEE ALSO",
        ".BR gzip (1),", ".BR xz (1),", ".BR zstd (1)",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def write_pages(folder: Path) -> list[Path]:
    """Write the pages of all three commands into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    link = ".so man1/nacrith.1\n"
    pages = {"nacrith": man_page(), "unnacrith": link, "nacat": link}
    for name, text in pages.items():
        (folder / f"{name}.1").write_text(text, "utf-8")
    return [folder / f"{name}.1" for name in pages]


def _commands(
    group: click.Group, context: click.Context, prefix: str = ""
) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in sorted(group.commands):
        command = group.commands[name]
        inner = click.Context(command, info_name=name, parent=context)
        yield prefix + name, command, inner
        if isinstance(command, click.Group):
            yield from _commands(command, inner, f"{prefix}{name} ")


def _options(command: click.Command, context: click.Context) -> list[str]:
    lines = []
    for parameter in command.get_params(context):
        if record := parameter.get_help_record(context):
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
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return r"\&" + text if text.startswith((".", "'")) else text


if __name__ == "__main__":
    print(*write_pages(Path(sys.argv[1])), sep="\n")
