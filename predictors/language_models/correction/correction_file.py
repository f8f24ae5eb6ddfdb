"""A packed correction: int8 factors of all matrices, in one file, named by its hash.

Behind its head (`file_head`) the file has for each matrix of `matrices.NAMES` the arrays
a [L, r, k] int8, b [L, n, r] int8 and scale [L, n] float32, little endian. The JSON of the head
holds `shape`: the model's dimensions, `ranks`: by matrix, `model`: SHA-256 of the GGUF that it
was trained for; and `on`: the hash of the correction that it builds on, if it does.

Files are written with these arrays as two streams of zlib: all a and b, and all scales, first the
first byte of each number, then the second, and so on. Those of before, which have the arrays as
they are, are read too.
"""

import hashlib
import io
import json
import operator
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from predictors.base import FloatArray, ModelError
from predictors.language_models.correction.file_head import (
    HASHED_FROM,
    MAGIC_DEFLATED,
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
        names = matrices(self.shape)
        integers = b"".join(self.a[name].tobytes() + self.b[name].tobytes() for name in names)
        scales = np.concatenate([self.scale[name].ravel() for name in names]).astype(_SCALE)
        planes = scales.view(np.uint8).reshape(-1, _SCALE.itemsize).T.tobytes()
        return b"".join(
            [
                MAGIC_DEFLATED, self.sha256.encode(), b"\n", self._head(),
                _huffman_coded(integers), zlib.compress(planes, 9),
            ]
        )  # fmt: skip

    def _head(self) -> bytes:
        head: dict[str, Any] = {
            "shape": [int(n) for n in self.shape],
            "ranks": [a.shape[1] for a in self.a.values()],
            "model": self.model,
        }
        if self.base:
            head["on"] = self.base.sha256
        return json.dumps(head).encode() + b"\n"

    def _hashed(self) -> bytes:
        """What its hash is of: head and arrays, as in the files of before."""
        parts = [self._head()]
        for name in matrices(self.shape):
            parts += [self.a[name].tobytes(), self.b[name].tobytes()]
            parts.append(self.scale[name].astype(_SCALE).tobytes())
        return b"".join(parts)

    @cached_property
    def sha256(self) -> str:
        """Names the correction: 64 hexadecimal digits."""
        return hashlib.sha256(self._hashed()).hexdigest()


_BYTE = np.dtype(np.int8)
_SCALE = np.dtype("<f4")


def _huffman_coded(data: bytes) -> bytes:
    """A stream of zlib without matches: in integers like noise those found cost a tenth."""
    coder = zlib.compressobj(9, strategy=zlib.Z_HUFFMAN_ONLY)
    return coder.compress(data) + coder.flush()


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
    if expected and sha256 != expected:
        raise ModelError(f"the correction {path} has changed; begin again")
    try:
        shape = Shape(*(operator.index(n) for n in head["shape"]))
        ranks = dict(zip(matrices(shape), head["ranks"], strict=True))
        if any(not 0 < rank <= MAX_RANK for rank in ranks.values()):
            raise problem
    except (ValueError, TypeError, KeyError) as error:
        raise problem from error
    sizes = [
        (name, part, size, dtype)
        for name, m in matrices(shape).items()
        for part, size, dtype in (
            ("a", (shape.layers, ranks[name], m.inputs), _BYTE),
            ("b", (shape.layers, m.outputs, ranks[name]), _BYTE),
            ("scale", (shape.layers, m.outputs), _SCALE),
        )
    ]
    lengths = [prod(size) * dtype.itemsize for _, _, size, dtype in sizes]
    body = memoryview(data)[at:]
    if data.startswith(MAGIC_DEFLATED):
        try:
            body = memoryview(_inflated(body, lengths))
        except (ValueError, OverflowError, zlib.error) as error:
            raise problem from error
    hashed = hashlib.sha256(memoryview(data)[HASHED_FROM:at])
    hashed.update(body)
    if hashed.hexdigest() != sha256 or len(body) != sum(lengths) or min(lengths) < 0:
        raise problem
    arrays: dict[str, dict[str, npt.NDArray[Any]]] = {"a": {}, "b": {}, "scale": {}}
    begin = 0
    for (name, part, size, dtype), length in zip(sizes, lengths, strict=True):
        array = np.frombuffer(body[begin : begin + length], dtype).reshape(size)
        arrays[part][name] = array.astype(dtype.newbyteorder("="))
        begin += length
    base = factors_of(find_base(head["on"], path)) if head["on"] else None
    if base and (base.shape, base.model) != (shape, head["model"]):
        raise problem
    return Correction(shape, head["model"], **arrays, base=base)


def _inflated(data: memoryview, lengths: Sequence[int]) -> bytes:
    """The arrays a, b and scale of each matrix in turn, of the two streams.

    Args:
        lengths: bytes of each array.

    Raises:
        ValueError, OverflowError, zlib.error: they do not have these.
    """
    of_scales = sum(lengths[2::3])
    integers, rest = _stream(data, sum(lengths) - of_scales)
    planes, rest = _stream(rest, of_scales)
    if rest:
        raise ValueError
    scales = np.frombuffer(planes, np.uint8).reshape(_SCALE.itemsize, -1).T.tobytes()
    factors, scale = map(io.BytesIO, (integers, scales))
    of_matrices = zip(lengths[::3], lengths[1::3], lengths[2::3], strict=True)
    return b"".join(factors.read(a + b) + scale.read(n) for a, b, n in of_matrices)


def _stream(data: bytes | memoryview, length: int) -> tuple[bytes, bytes]:
    """What a stream of zlib holds, and what is behind it.

    Raises:
        ValueError, OverflowError, zlib.error: it is not whole, or holds other than `length` bytes.
    """
    inflater = zlib.decompressobj()
    found = inflater.decompress(data, length + 1)
    if len(found) != length or not inflater.eof:
        raise ValueError
    return found, inflater.unused_data
