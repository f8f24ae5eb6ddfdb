"""Exceptions → the line that a person reads."""

import sys
import traceback

from nacrith.cli.display import say
from nacrith.cli.extras import how_to_get, missing_package
from nacrith.errors import NacrithError


def describe(error: Exception) -> str:
    """What went wrong, and what to do about it."""
    if isinstance(error, NacrithError):
        return str(error)
    if isinstance(error, MemoryError):
        return "not enough memory; use fewer --streams or a smaller --window"
    if package := missing_package(error):
        return how_to_get([package])
    if isinstance(error, EOFError):
        return "a file that the program reads has ended too early"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    kind = type(error).__name__
    return (
        f"internal error, {kind}: {error}; please report it with the input, if you can share "
        "it, and what -v prints"
    )


def is_internal(error: Exception) -> bool:
    """Is it a fault of this program rather than of what it was given?"""
    known = isinstance(error, (NacrithError, MemoryError, OSError))
    return not known and not missing_package(error)


def show_traceback(error: Exception) -> None:
    """For who asked with -v, and reports it."""
    say(f"nacrith: {sys.version}")
    for line in "".join(traceback.format_exception(error)).splitlines():
        say(line)
