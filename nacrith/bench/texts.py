"""The texts that are measured."""

from collections.abc import Sequence
from pathlib import Path

import corpora
from corpora.folders import folders
from corpora.training import TRAIN, manifest
from nacrith.errors import FileError, NacrithError

_ALONG_BYTES = 40_000

TRAINING = "training"
"""The folder of public texts by kind."""

UNSEEN = "unseen"
"""The corpus of texts that were written for the benchmarks."""

KINDS = ("prose", "wiki", "code", "markup")
"""Kinds of text there, a folder each."""


def canterbury() -> dict[str, bytes]:
    """The files of the Canterbury corpus by name; fetched if they are not here.

    Raises:
        NacrithError: they are not here and can't be fetched.
    """
    return corpus_files("canterbury")


def unseen() -> dict[str, bytes]:
    """The texts that were written for the benchmarks by name; raises FileError."""
    return corpus_files(UNSEEN)


def enwik8(size: int) -> bytes:
    """The first `size` bytes of enwik8; raises like `canterbury`."""
    return next(iter(corpus_files("enwik8", size).values()))


def alice() -> bytes:
    """alice29.txt; raises like `canterbury`."""
    return canterbury()["alice29.txt"]


def corpus_files(name: str, n_bytes: int | None = None) -> dict[str, bytes]:
    """The files of a corpus by name, fetched if they are not here.

    Args:
        n_bytes: only so many first bytes of each; such a file has another name.

    Raises:
        NacrithError: they are not here and can't be fetched.
    """
    if name == UNSEEN:
        return read_files(corpora.unseen(), n_bytes)
    try:
        if name in ("canterbury", "calgary"):
            return read_files(corpora.files(name, fetch=True), n_bytes)
        whole = corpora.manifest()[name]["files"][name]["size"]
        size = min(n_bytes or whole, whole)
        label = name if size == whole else f"{name}-{size}"
        return {label: corpora.prefix_of(name, size, fetch=True)}
    except corpora.CorpusError as error:
        raise NacrithError(str(error)) from error


def texts_of_kinds(
    n_bytes: int, names: Sequence[str] = KINDS, learned_too: bool = False
) -> dict[str, bytes]:
    """The first `n_bytes` of the files of each kind, joined in alphabetical order.

    They are those of the folders `training/prose` and so on of public texts, looked for beside
    the other corpora, but for those that the correction of the model was trained on.

    Args:
        learned_too: these stand behind the others, where not enough bytes are in those.

    Raises:
        NacrithError: they are not here.
        FileError: one can't be read.
    """
    learned = {text.name for text in manifest() if text.split == TRAIN}
    for folder in folders():
        found = {}
        for name in names:
            paths = sorted((folder / TRAINING / name).glob("*"))
            known = [path for path in paths if f"{name}/{path.name}" in learned]
            found[name] = [path for path in paths if path not in known]
            if found[name] and learned_too:
                found[name] += known
        if all(found.values()):
            return {name: _joined(paths, n_bytes) for name, paths in found.items()}
    raise NacrithError(
        f"there is no folder `{TRAINING}` with texts of {', '.join(names)} in the folder of the "
        "corpora, which $NACRITH_CORPORA names; give FILEs instead"
    )


def _joined(paths: Sequence[Path], n_bytes: int) -> bytes:
    """The first bytes of files one behind the other; no character is cut."""
    text = b""
    for path in paths:
        if len(text) >= n_bytes:
            break
        text += next(iter(read_files([path]).values()))
    return text[:n_bytes].decode("utf-8", "ignore").encode()


def read_files(paths: Sequence[Path], n_bytes: int | None = None) -> dict[str, bytes]:
    """Contents by name, or the first `n_bytes` of each; raises FileError."""
    found = {}
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FileError(f"can't read {path}: {error.strerror}") from error
        cut = n_bytes is not None and n_bytes < len(data)
        found[f"{path.name}-{n_bytes}" if cut else path.name] = data[:n_bytes]
    return found


def longest_text(files: dict[str, bytes]) -> tuple[str, bytes] | None:
    """Name and beginning of the longest file that is all valid text; None if there is none."""
    for name, data in sorted(files.items(), key=lambda item: -len(item[1])):
        beginning = data[:_ALONG_BYTES]
        if beginning and b"\0" not in beginning and _is_text(beginning):
            return name, beginning
    return None


def _is_text(data: bytes) -> bool:
    """UTF-8, but for a character that the end cuts?"""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(data) - 4
    return True
