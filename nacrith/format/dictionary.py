"""Dictionaries: texts that are read before the input, which a file names by a hash."""

import hashlib

from nacrith.errors import DictionaryError

ID_SIZE = 4
"""Bytes of the hash in a header."""

MAX_SIZE = 1 << 24
"""Bytes of a dictionary. Much less of it is read (docs/format.md, section 8)."""


def dictionary_id(dictionary: bytes) -> bytes:
    """What a header names a dictionary by: BLAKE2b with a digest of `ID_SIZE` bytes.

    Empty for an empty one, which is none.
    """
    if not dictionary:
        return b""
    return hashlib.blake2b(dictionary, digest_size=ID_SIZE).digest()


def check_dictionary(needed: bytes, dictionary: bytes) -> None:
    """Raise DictionaryError unless this is the dictionary that a header names, if it does."""
    given = dictionary_id(dictionary)
    if not needed or given == needed:
        return
    wrong = f"not the one given, which has {given.hex()}" if given else "and none was given"
    raise DictionaryError(
        f"this file needs the dictionary with the hash {needed.hex()}, {wrong}; name it with "
        "-D FILE (in Python: dictionary=)"
    )
