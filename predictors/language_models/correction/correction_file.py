"""A packed correction: int8 factors of all matrices, in one file, named by its hash.

Behind its head (`file_head`) the file has for each matrix of `matrices.NAMES` the arrays
a [L, r, k] int8, b [L, n, r] int8 and scale [L, n] float32, little endian. The JSON of the head
holds `shape`: the model's dimensions, `ranks`: by matrix, `model`: SHA-256 of the GGUF that it
was trained for; and `on`: the hash of the correction that it builds on, if it does.
"""

import hashlib
import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from predictors.base import FloatArray, ModelError
from predictors.language_models.correction.file_head import (
    HASHED_FROM,
    MAGIC,
    MAGIC_ON,
    CorrectionFile,
    find_base,
    not_a_correction,
    split_head,
)
from predictors.language_models.correction.matrices import matrices
from predictors.language_models.correction.merge import MAX_RANK, merged
from predictors.language_models.exact.shape import Shape


@dataclass(frozen=True, eq=False)
class Correction:
    """What is added to the weights of one model.

    Attributes:
        shape: dimensions of the model. model: SHA-256 of its GGUF, hexadecimal.
        a: by matrix, [L, r, k] int8. b: [L, n, r] int8. scale: [L, n] float32.
        base: the correction that it builds on.
    """

    shape: Shape
    model: str
    a: Mapping[str, npt.NDArray[np.int8]]
    b: Mapping[str, npt.NDArray[np.int8]]
    scale: Mapping[str, npt.NDArray[np.float32]]
    base: "Correction | None" = None

    def merged(self, name: str, layer: int, weights: FloatArray) -> FloatArray:
        """The corrected weights of a layer's matrix, [n, k] float32."""
        if self.base:
            weights = self.base.merged(name, layer, weights)
        a, b, scale = self.a[name][layer], self.b[name][layer], self.scale[name][layer]
        return merged(weights, a, b, scale)

    @property
    def count(self) -> int:
        """Of corrections: this one, and those below it."""
        return 1 + (self.base.count if self.base else 0)

    def to_bytes(self) -> bytes:
        """The contents of its file."""
        hashed = self._hashed()
        magic = MAGIC_ON if self.base else MAGIC
        return magic + hashlib.sha256(hashed).hexdigest().encode() + b"\n" + hashed

    def _hashed(self) -> bytes:
        head: dict[str, Any] = {
            "shape": [int(n) for n in self.shape],
            "ranks": [a.shape[1] for a in self.a.values()],
            "model": self.model,
        }
        if self.base:
            head["on"] = self.base.sha256
        parts = [json.dumps(head).encode(), b"\n"]
        for name in matrices(self.shape):
            parts += [self.a[name].tobytes(), self.b[name].tobytes()]
            parts.append(self.scale[name].astype("<f4").tobytes())
        return b"".join(parts)

    @cached_property
    def sha256(self) -> str:
        """Names the correction: 64 hexadecimal digits, of its file but for what is before them."""
        return hashlib.sha256(self._hashed()).hexdigest()


def factors_of(correction: Correction | CorrectionFile) -> Correction:
    """The factors, read if they are in a file; raises ModelError."""
    if isinstance(correction, Correction):
        return correction
    return read_correction(correction.path, correction.sha256)


def read_correction(path: Path, expected: str = "") -> Correction:
    """Read a file of `Correction.to_bytes`.

    Args:
        expected: its hash, if that is known.

    Raises:
        ModelError: it can't be read, or is no such file, or what it builds on is not here.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"can't read the correction {path}: {error.strerror}") from error
    problem = not_a_correction(path)
    sha256, head, at = split_head(data, path)
    if hashlib.sha256(memoryview(data)[HASHED_FROM:]).hexdigest() != sha256:
        raise problem
    if expected and sha256 != expected:
        raise ModelError(f"the correction {path} has changed; begin again")
    try:
        shape = Shape(*(operator.index(n) for n in head["shape"]))
        ranks = dict(zip(matrices(shape), head["ranks"], strict=True))
        if any(not 0 < rank <= MAX_RANK for rank in ranks.values()):
            raise problem
    except (ValueError, TypeError, KeyError) as error:
        raise problem from error
    arrays: dict[str, dict[str, npt.NDArray[Any]]] = {"a": {}, "b": {}, "scale": {}}
    try:
        for name, m in matrices(shape).items():
            for part, size, dtype in (
                ("a", (shape.layers, ranks[name], m.inputs), np.dtype(np.int8)),
                ("b", (shape.layers, m.outputs, ranks[name]), np.dtype(np.int8)),
                ("scale", (shape.layers, m.outputs), np.dtype("<f4")),
            ):
                n = int(np.prod(size))
                array = np.frombuffer(data, dtype, n, at).reshape(size)
                arrays[part][name] = array.astype(dtype.newbyteorder("="))
                at += n * dtype.itemsize
    except ValueError as error:
        raise problem from error
    if at != len(data):
        raise problem
    base = factors_of(find_base(head["on"], path)) if head["on"] else None
    if base and (base.shape, base.model) != (shape, head["model"]):
        raise problem
    return Correction(shape, head["model"], **arrays, base=base)
