"""Text for a terminal: names can hold anything, and must not act on it."""

import click

# What `os.fsdecode` makes of a byte that is not UTF-8 (PEP 383).
_FIRST_ESCAPED, _LAST_ESCAPED, _SURROGATE = 0xDC80, 0xDCFF, 0xDC00


def printable(text: str) -> str:
    """The text with all that is not printable as an escape sequence of Python.

    Line breaks, terminal sequences, marks that turn the direction of writing, and bytes that
    are not UTF-8 (as `os.fsdecode` leaves them: shown as \\xff).
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if _FIRST_ESCAPED <= code <= _LAST_ESCAPED:
        return f"\\x{code - _SURROGATE:02x}"
    return character.encode("unicode_escape").decode("ascii")


def say(message: str) -> None:
    """Print one line for people on standard error."""
    click.echo(printable(message), err=True)
