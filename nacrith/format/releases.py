"""Which released program reads which format: docs/format.md, section 10."""

FIRST_RELEASED = 7
"""Formats below are of the time before the first release: no released program reads them."""

PROGRAMS = {7: "0.5"}
"""Of a format's number, the versions of the program that write and read it; append only."""


def program_of(number: int) -> str:
    """The program for a format in words, such as `nacrith 0.5`."""
    version = PROGRAMS.get(number)
    return f"nacrith {version}" if version else "a nacrith that was not released"
