"""What the exact backend needs of a model, from the user's cache folder or from the GGUF.

Dequantizing and packing the weights and making the vocabulary's trie takes longer than
compressing a letter, so both are done once for each model, and mapped into memory afterwards.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from predictors.base import ModelError
from predictors.language_models.array_file import (
    MOST_CORRECTED,
    cache_folder,
    kept_name,
    map_arrays,
    remove_oldest,
    write_arrays,
)
from predictors.language_models.bpe import Bpe, tokenizer
from predictors.language_models.exact.linear import Linear
from predictors.language_models.exact.panels import OFFSET
from predictors.language_models.exact.rope import COARSE_BITS, FINE_BITS, TABLE_SIZE
from predictors.language_models.exact.rope_tables import cos_sin_table, rope_frequencies
from predictors.language_models.exact.shape import Shape
from predictors.language_models.exact.weights import Weights, read_weights
from predictors.language_models.file_hash import sha256_of
from predictors.language_models.vocabulary import Tokenize, Vocabulary

if TYPE_CHECKING:
    from predictors.language_models.correction.correction_file import Correction
    from predictors.language_models.correction.file_head import CorrectionFile

_LAYOUT = 2
"""Of the arrays in the file; it changes with what is in them."""

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class ModelData:
    """A model as the exact backend computes with it.

    Attributes:
        vocabulary: of the model.
        shape: its dimensions.
        context: positions that it was trained on.
        weights: integers in panels.
        frequencies: of `rope_frequencies`.
        coarse_table, fine_table: of `cos_sin_table`.
        bpe: tables of the tokenizer; None = there are none, or they are not needed.
    """

    vocabulary: Vocabulary
    shape: Shape
    context: int
    weights: Weights
    frequencies: npt.NDArray[np.int64]
    coarse_table: npt.NDArray[np.float64]
    fine_table: npt.NDArray[np.float64]
    bpe: Bpe | None


def model_data(
    path: Path, threads: int, correction: "Correction | CorrectionFile | None" = None
) -> ModelData:
    """Read a GGUF, or what was kept of it; its weights are corrected.

    Raises:
        ModelError: it can't be read, needs what the exact backend does not have, or is
            not the model of the correction.
    """
    if correction:
        _check_model(path, correction)
    kept = kept_at(path, correction)
    arrays = map_arrays(kept, threads) if kept else None
    if arrays is not None:
        return _from_arrays(arrays, path)
    data = _read(path, threads, correction)
    if kept:
        _make_room(kept)
        write_arrays(kept, _to_arrays(data))
    return data


def _make_room(kept: Path) -> None:
    """Remove what was kept of the same in other layouts, and of the oldest corrections."""
    same = kept.name.split("-")[0]
    remove_oldest(kept.parent.glob(f"{same}-*"), 0)
    if "+" in same:
        pattern = kept_name(same.split("+")[0], "*", "*")
        remove_oldest(kept.parent.glob(pattern), MOST_CORRECTED - 1)


def _check_model(path: Path, correction: "Correction | CorrectionFile") -> None:
    # Whoever reads a file that can't be read says what is wrong.
    with suppress(OSError):
        if sha256_of(path) != correction.model:
            raise ModelError(f"the correction is for another model than {path}; use it without")


def kept_at(path: Path, correction: "Correction | CorrectionFile | None" = None) -> Path | None:
    """Where the data of a GGUF are kept; None = nowhere."""
    folder = cache_folder()
    try:
        name = kept_name(
            sha256_of(path), f"{_LAYOUT}-{OFFSET}", correction.sha256 if correction else ""
        )
        return folder / name if folder else None
    except OSError:
        # Whoever reads it says what is wrong.
        return None


def _read(path: Path, threads: int, correction: "Correction | CorrectionFile | None") -> ModelData:
    from predictors.language_models.exact.gguf_file import Gguf
    from predictors.language_models.gguf_vocabulary import read_bpe

    file = Gguf(path)
    read = None
    if correction:
        from predictors.language_models.correction.correction_file import factors_of

        read = factors_of(correction)
    factors = file.tensor("rope_freqs.weight") if file.has("rope_freqs.weight") else None
    return ModelData(
        file.vocabulary(),
        file.shape,
        file.context,
        read_weights(file, threads, read),
        rope_frequencies(file.rope_base, file.shape.rope_pairs, factors),
        cos_sin_table(COARSE_BITS, TABLE_SIZE),
        cos_sin_table(FINE_BITS, TABLE_SIZE),
        read_bpe(file.reader),
    )


def _to_arrays(data: ModelData) -> Arrays:
    arrays: Arrays = {
        "shape": np.array(data.shape, dtype=np.int64),
        "context": np.array([data.context], dtype=np.int64),
        "frequencies": data.frequencies,
        "coarse_table": data.coarse_table,
        "fine_table": data.fine_table,
    }
    if data.bpe:
        arrays |= {f"bpe.{name}": array for name, array in data.bpe._asdict().items()}
    for name, value in data.weights._asdict().items():
        if isinstance(value, Linear):
            arrays |= {f"{name}.{part}": array for part, array in value._asdict().items()}
        else:
            arrays[name] = np.asarray(value)
    return arrays | {f"vocabulary.{name}": a for name, a in data.vocabulary.to_arrays().items()}


def _from_arrays(arrays: Arrays, path: Path) -> ModelData:
    def part(prefix: str) -> Arrays:
        return {name[len(prefix) :]: a for name, a in arrays.items() if name.startswith(prefix)}

    def weights(name: str) -> Any:
        if name in arrays:
            return np.float64(arrays[name]) if name == "epsilon" else arrays[name]
        return Linear(**part(f"{name}."))

    bpe = Bpe(**part("bpe.")) if "bpe.pairs" in arrays else None
    return ModelData(
        Vocabulary.from_arrays(part("vocabulary."), _tokenizer_of(path, bpe)),
        Shape(*arrays["shape"].tolist()),
        int(arrays["context"][0]),
        Weights(**{name: weights(name) for name in Weights._fields}),
        arrays["frequencies"],
        arrays["coarse_table"],
        arrays["fine_table"],
        bpe,
    )


def _tokenizer_of(path: Path, bpe: Bpe | None) -> Tokenize:
    """The tokenizer of a GGUF, made when it is first needed: only an encoder needs it."""

    @cache
    def library() -> Tokenize:
        from predictors.language_models.gguf_vocabulary import load_tokenizer

        return load_tokenizer(path)

    @cache
    def own() -> Tokenize:
        return tokenizer(bpe, lambda text: library()(text)) if bpe else library()

    return lambda text: own()(text)
