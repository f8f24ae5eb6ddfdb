"""`nacrith [OPTION]... [FILE]...` without a command, as gzip, xz and zstd are used.

An option says what is to be done (-z, -d, -t, -l; -z if none does). Options of compression, such as
-9, are taken and have no effect where something else is done, as those programs do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

_MODES = {
    "-z": "compress",
    "--compress": "compress",
    "-d": "decompress",
    "--decompress": "decompress",
    "--uncompress": "decompress",
    "-t": "test",
    "--test": "test",
    "-l": "list",
    "--list": "list",
}

_PROGRAMS = {
    "nacrith": ("compress", ()),
    "unnacrith": ("decompress", ()),
    "nacat": ("decompress", ("-c",)),
}
"""What a program does if no option says so, and options it adds to that."""

_UNTIED = (["-h"], ["--help"], ["-V"], ["--version"])
"""They do not belong to a command."""


@dataclass(frozen=True)
class _Item:
    """One argument, or an option with its value.

    Attributes:
        name: of the option, else empty.
        words: as they were given; of a cluster such as -dc, one option each.
    """

    name: str
    words: tuple[str, ...]


def command_arguments(
    group: click.Group, arguments: Sequence[str], program: str = "nacrith"
) -> list[str]:
    """Put the name of the command that is meant first.

    Args:
        group: with the commands of `_MODES`.
        arguments: of the program. What begins with the name of a command stays as it is.
        program: unnacrith and nacat decompress unless told otherwise.

    Raises:
        click.UsageError: two things are to be done.
    """
    arguments = list(arguments)
    usual, added = _PROGRAMS[program]
    is_command = program == "nacrith" and (not arguments or arguments[0] in group.commands)
    if is_command or arguments[:1] in _UNTIED:
        return arguments
    known = _options(group, set(_MODES.values()))
    items = list(_items(arguments, known))
    modes = [item.name for item in items if item.name in _MODES]
    names = {_MODES[mode] for mode in modes}
    if len(names) > 1:
        raise _usage_error(group, f"{modes[0]} and {modes[-1]} exclude each other")
    name = next(iter(names), usual)
    if program == "nacrith":
        _refuse_misplaced_command(group, items, modes)
    own = _options(group, {name})
    result = [name, *(added if name == usual else ())]
    for item in items:
        if item.name not in _MODES and (item.name in own or item.name not in _IDLE):
            result += item.words
    return result


def _options(group: click.Group, names: set[str]) -> dict[str, bool]:
    """Options of commands: do they take a value?"""
    return {
        spelling: not option.is_flag
        for name in names
        for option in group.commands[name].params
        if isinstance(option, click.Option)
        for spelling in (*option.opts, *option.secondary_opts)
    }


_IDLE = (
    "-k", "--keep", "-f", "--force",
    *(f"-{level}" for level in range(1, 10)), "--fast", "--best", "-e", "--extreme", "--long",
    "--streams", "--window", "--block-size", "--backend", "--inside", "--correction",
    "-n", "--no-name", "--no-metadata", "-N", "--name", "--metadata", "-T", "--threads",
    "-M", "--memlimit", "--memory", "--workers", "--cluster", "--device", "--gpus", "--no-progress",
    "--model", "-D", "--dictionary", "--verify", "--no-verify",
)  # fmt: skip
"""Options that a command has no use for, but need not refuse, since they may stand in an alias: of
files written, of compression, of how the work is done."""


def _items(arguments: Sequence[str], takes_value: dict[str, bool]) -> Iterator[_Item]:
    """Cut the arguments up as `getopt` does."""
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            yield _Item("", (word, *rest))
        elif word.startswith("--"):
            name, equals, _ = word.partition("=")
            yield _Item(name, (word, *_value(rest, not equals and takes_value.get(name, False))))
        elif word.startswith("-") and word != "-":
            yield from _cluster(word, rest, takes_value)
        else:
            yield _Item("", (word,))


def _cluster(word: str, rest: Iterator[str], takes_value: dict[str, bool]) -> Iterator[_Item]:
    for place, letter in enumerate(word[1:], 1):
        name = f"-{letter}"
        if takes_value.get(name, False):
            value = word[place + 1 :]
            yield _Item(name, (name, value) if value else (name, *_value(rest, True)))
            return
        yield _Item(name, (name,))


def _value(rest: Iterator[str], is_next: bool) -> tuple[str, ...]:
    value = next(rest, None) if is_next else None
    return () if value is None else (value,)


def _refuse_misplaced_command(
    group: click.Group, items: Sequence[_Item], modes: Sequence[str]
) -> None:
    """Someone who writes `nacrith -q test x.nc` does not mean a file of that name."""
    first = next((item.words[0] for item in items if not item.name), "")
    if first in group.commands and not Path(first).exists():
        given = f" and {modes[0]} is for use without one" if modes else ""
        raise _usage_error(group, f"the command {first} stands before its options{given}")


def _usage_error(group: click.Group, message: str) -> click.UsageError:
    return click.UsageError(message, click.Context(group, info_name="nacrith"))
