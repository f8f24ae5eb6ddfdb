"""Training and validation texts as the model will read them: transformed, in tokens."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

import corpora
from corpora import training
from corpora.leaks import Benchmarks
from nacrith.transforms.prepare import prepare
from predictors.language_models.vocabulary import Vocabulary

REQUIRED, OTHERS = ("canterbury",), ("calgary", "silesia")
"""Corpora that must have no part in training, beside enwik8. Without the required ones, and
enwik8, there is no training; the others are compared with where they are here."""

AUTHORS = {"calgary": ("hardy",), "silesia": ("dickens", "reymont")}
"""Authors of works in `OTHERS`, as names and sources of texts have them: where a corpus is not here
to compare with, none of their texts is for training."""

ENWIK8_SIZES = (100_000_000, 1_000_000)
"""Bytes of enwik8 that are looked for: all, or the prefix that benchmarks are made with."""

Tokens = npt.NDArray[np.int32]


def benchmarks() -> tuple[Benchmarks, list[str]]:
    """The benchmark texts that are here, and the names of those that are not.

    Raises:
        CorpusError: a required one is missing.
    """
    texts = [path.read_bytes() for name in REQUIRED for path in corpora.files(name)]
    missing = []
    for name in OTHERS:
        try:
            texts += [path.read_bytes() for path in corpora.files(name)]
        except (corpora.CorpusError, KeyError):
            missing.append(name)
    return Benchmarks([*texts, _enwik8()]), missing


def _enwik8() -> bytes:
    for size in ENWIK8_SIZES[:-1]:
        try:
            return corpora.enwik8(size)
        except corpora.CorpusError:
            continue
    return corpora.enwik8(ENWIK8_SIZES[-1])


def documents(
    split: str, vocabulary: Vocabulary, folder: Path, report: Callable[[str], None]
) -> dict[str, list[Tokens]]:
    """Tokens of all documents of one side by kind; none shares a passage with a benchmark, nor is
    for training by an author of one that is not here.

    Args:
        split: `training.TRAIN` or `training.VALIDATION`.
        folder: where tokens are kept between runs.
        report: is told what was left out, and why.

    Raises:
        CorpusError: no texts, or no benchmarks to compare them with, are here.
    """
    forbidden, missing = benchmarks()
    if missing:
        report(f"not compared with {', '.join(missing)}: not here")
    authors = [author for name in missing for author in AUTHORS[name]]
    found: dict[str, list[Tokens]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for text, data in training.read(split):
        named = f"{text.name} {text.source}".lower()
        if split == training.TRAIN and any(author in named for author in authors):
            report(f"{text.name} left out: of an author who is in a benchmark that is not here")
            continue
        if passages := forbidden.shared(data):
            report(f"{text.name} left out: it shares {passages[0]!r} with a benchmark")
            continue
        kept = folder / f"{text.sha256[:32]}.npy"
        if kept.exists():
            tokens = np.load(kept)
        else:
            symbols = vocabulary.encode(prepare(data).text)
            tokens = vocabulary.token_of_symbol[symbols]
            np.save(kept, tokens)
        found.setdefault(text.kind, []).append(tokens)
    if not found:
        raise corpora.CorpusError(
            "no training texts are here; $NACRITH_CORPORA names the folders that have `training`"
        )
    return found
