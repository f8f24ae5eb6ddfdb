"""A GGUF with the corrected weights, for the backends that read nothing else.

It is written to the user's cache folder once. The corrected matrices are Q8_0, blocks of 32
numbers of 8 bits with a scale (float32 where rows don't divide so), about what the exact
backend makes of them; all else is as it was, byte for byte.
"""

from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gguf
import numpy as np

from predictors.base import FloatArray, ModelError
from predictors.language_models.array_file import MOST_CORRECTED, cache_folder, remove_oldest
from predictors.language_models.correction.correction_file import Correction, factors_of
from predictors.language_models.correction.file_head import CorrectionFile
from predictors.language_models.correction.matrices import NAMES
from predictors.language_models.exact.gguf_file import Gguf
from predictors.language_models.file_hash import sha256_of

_KIND = gguf.GGMLQuantizationType.Q8_0
_BLOCK = gguf.GGML_QUANT_SIZES[_KIND][0]
"""Numbers that share a scale."""


def merged_gguf(path: Path, correction: CorrectionFile) -> Path:
    """The GGUF to load in place of `path`.

    Raises:
        ModelError: the correction is of another model, or there is no room for the file.
    """
    with suppress(OSError):
        # Whoever reads a file that can't be read says what is wrong.
        if sha256_of(path) != correction.model:
            raise ModelError(f"the correction is for another model than {path}; use it without")
    folder = cache_folder()
    name = f"{correction.model[:32]}+{correction.sha256[:16]}"
    # The name ends in the file's own hash: a damaged one would be a model that nobody else has.
    for found in sorted(folder.glob(f"{name}-*.gguf")) if folder else ():
        with suppress(OSError):
            if sha256_of(found).startswith(found.stem.rsplit("-", 1)[1]):
                return found
    try:
        if folder is None:
            raise OSError(None, "there is no cache folder")
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder) as scratch:
            made = Path(scratch, "model.gguf")
            _write(path, factors_of(correction), made)
            remove_oldest(folder.glob(f"{name}-*.gguf"), 0)
            remove_oldest(folder.glob(f"{correction.model[:32]}+*.gguf"), MOST_CORRECTED - 1)
            return made.replace(folder / f"{name}-{_hash(made)[:16]}.gguf")
    except OSError as error:
        raise ModelError(
            f"the corrected model can't be written to {folder}: {error.strerror}; use "
            "--backend exact, or --correction none"
        ) from error


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _write(path: Path, correction: Correction, made: Path) -> None:
    model = Gguf(path)
    reader = gguf.GGUFReader(path)
    writer = gguf.GGUFWriter(made, "llama")
    writer.data_alignment = reader.alignment
    for field in reader.fields.values():
        # The library writes these by itself.
        if field.name == "general.architecture" or field.name.startswith("GGUF."):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, inner)
    corrected = dict(_corrected(model, correction))
    for tensor in reader.tensors:
        if tensor.name not in corrected:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
            continue
        weights = corrected[tensor.name]
        if weights.shape[1] % _BLOCK:
            writer.add_tensor(tensor.name, weights)
        else:
            packed: Any = gguf.quants.quantize(weights, _KIND)
            writer.add_tensor(tensor.name, packed, raw_dtype=_KIND)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _corrected(model: Gguf, correction: Correction) -> Iterator[tuple[str, FloatArray]]:
    """Tensors that differ, by name."""
    for layer in range(correction.shape.layers):
        for matrix, names in NAMES.items():
            full = [f"blk.{layer}.{name}.weight" for name in names]
            parts = [model.tensor(name) for name in full]
            merged = correction.merged(matrix, layer, np.concatenate(parts))
            ends = np.cumsum([len(part) for part in parts])[:-1]
            yield from zip(full, np.split(merged, ends), strict=True)
