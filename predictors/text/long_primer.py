"""What the strongest model of text reads first: more text of more kinds, then the primer.

A file of its own, `long_primer.txt`: passages of 40 books of Project Gutenberg that are in the
public domain, of speeches and guidelines of the US government, of Python's PEPs and Bitcoin's
BIPs (public domain), of a JSON file, an SVG and a TeX file (CC0 or public domain), of books in
Spanish, French and German, and of this project's source code.
"""

from functools import cache
from pathlib import Path

from predictors.text.primer import PRIMER

_FILE = Path(__file__).with_name("long_primer.txt")


@cache
def long_primer() -> bytes:
    """Some 100 KB, most of it prose: 2/3 s. Frozen, as `PRIMER` is."""
    return _FILE.read_bytes() + PRIMER
