"""Which released program reads which format: docs/format.md, section 10."""

PROGRAMS = {7: "0.6"}
"""Of a format's number, the newest program that writes it: it reads all that earlier ones wrote.

Formats below 7 are of the time before the first release: no released program reads them."""


def program_of(number: int) -> str:
    """The program for a format in words, such as `nacrith 0.6`."""
    version = PROGRAMS.get(number)
    return f"nacrith {version}" if version else "a nacrith that was not released"
