"""The texts that are measured."""

import corpora
from nacrith.errors import NacrithError


def canterbury() -> dict[str, bytes]:
    """The files of the Canterbury corpus by name; fetched if they are not here.

    Raises:
        NacrithError: they are not here and can't be fetched.
    """
    try:
        return {path.name: path.read_bytes() for path in corpora.canterbury(fetch=True)}
    except corpora.CorpusError as error:
        raise NacrithError(str(error)) from error


def enwik8(size: int) -> bytes:
    """The first `size` bytes of enwik8; raises like `canterbury`."""
    try:
        return corpora.enwik8(size, fetch=True)
    except corpora.CorpusError as error:
        raise NacrithError(str(error)) from error


def alice() -> bytes:
    """alice29.txt; raises like `canterbury`."""
    return canterbury()["alice29.txt"]
