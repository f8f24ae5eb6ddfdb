"""A run of bytes: of a block, or of its text."""

from typing import NamedTuple


class Run(NamedTuple):
    """Bytes from one place up to another."""

    begin: int
    end: int
