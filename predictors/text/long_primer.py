"""What the strongest model of text reads first: words, samples of many kinds, then the primer.

Two files, 90 KB. `primer_words.txt`: identifiers of code, names, words, and a walk over the
commonest pairs of words, by their counts in the training corpus (`tests/make_primer_words.py`).
`primer_samples.txt`: short texts of many kinds, written for this: seven languages, logs, tables,
configurations, markup, programs, an RFC, articles, a scene, verse, a chapter of a novel.
"""

from functools import cache
from pathlib import Path

from predictors.text.primer import PRIMER

_FILES = ("primer_words.txt", "primer_samples.txt")


@cache
def long_primer() -> bytes:
    """Some 112 KB: 2/3 s. Frozen, as `PRIMER` is."""
    folder = Path(__file__).parent
    return b"".join((folder / name).read_bytes() for name in _FILES) + PRIMER
