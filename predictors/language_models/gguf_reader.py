"""A GGUF's metadata and tensors, read with the library `gguf` but without its delay."""

import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from predictors.base import ModelError
from predictors.language_models.gguf_magic import check_magic

# Kind of the elements and their number.
_ARRAY_HEAD = struct.Struct("<IQ")
_LENGTH = struct.Struct("<Q")


class _QuickReader(gguf.GGUFReader):  # type: ignore[misc]
    """The library's reader, which leaves arrays where they are: they take it seconds.

    The only part of such a field is the place in the file where the array begins.
    """

    def _get_field_parts(self, orig_offs: int, raw_type: int) -> Any:
        begin = int(orig_offs)
        if raw_type != gguf.GGUFValueType.ARRAY or self.byte_order != "I":
            return super()._get_field_parts(orig_offs, raw_type)
        kind, count = _ARRAY_HEAD.unpack_from(self.data, begin)
        kind = gguf.GGUFValueType(kind)
        end = begin + _ARRAY_HEAD.size
        if kind == gguf.GGUFValueType.STRING:
            data = memoryview(self.data)
            for _ in range(count):
                end += _LENGTH.size + _LENGTH.unpack_from(data, end)[0]
        elif kind in self.gguf_scalar_to_np:
            end += count * np.dtype(self.gguf_scalar_to_np[kind]).itemsize
        else:
            return super()._get_field_parts(orig_offs, raw_type)
        return end - begin, [np.array([begin])], [], [gguf.GGUFValueType.ARRAY, kind]


class GgufReader:
    """What is in a GGUF, by name.

    Attributes:
        path: the file.
        tensors: the library's `ReaderTensor` of each tensor.

    Raises:
        ModelError: it can't be read or is not a GGUF.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        check_magic(path)
        try:
            self._reader = _QuickReader(path)
        except (OSError, ValueError, KeyError, IndexError, struct.error) as error:
            raise ModelError(f"can't read the model {path}: {error}") from error
        self.tensors = {tensor.name: tensor for tensor in self._reader.tensors}

    def tensor(self, name: str) -> Any:
        """The library's `ReaderTensor`; raises ModelError if it is missing."""
        if name not in self.tensors:
            raise ModelError(f"the model {self.path} is damaged: it lacks {name}")
        return self.tensors[name]

    def scalar(self, name: str, default: Any = None) -> Any:
        """A number or a string; raises ModelError if it is missing and has no default."""
        field = self._reader.get_field(name)
        if field is None:
            if default is None:
                raise ModelError(f"the model {self.path} is damaged: it lacks {name}")
            return default
        return field.contents()

    def strings(self, name: str) -> list[bytes]:
        """An array of strings; raises ModelError if it is missing."""
        field = self._array(name, gguf.GGUFValueType.STRING)
        if field.data:
            return [field.parts[i].tobytes() for i in field.data]
        data = memoryview(self._reader.data)
        place = int(field.parts[-1][0])
        count = _ARRAY_HEAD.unpack_from(data, place)[1]
        place += _ARRAY_HEAD.size
        found = []
        for _ in range(count):
            begin = place + _LENGTH.size
            place = begin + _LENGTH.unpack_from(data, place)[0]
            found.append(data[begin:place].tobytes())
        return found

    def integers(self, name: str) -> list[int]:
        """An array of int32; raises ModelError if it is missing."""
        field = self._array(name, gguf.GGUFValueType.INT32)
        if field.data:
            values: list[int] = field.contents()
            return values
        begin = int(field.parts[-1][0])
        count = _ARRAY_HEAD.unpack_from(self._reader.data, begin)[1]
        numbers = np.frombuffer(self._reader.data, "<i4", count, begin + _ARRAY_HEAD.size)
        return numbers.tolist()

    def _array(self, name: str, kind: gguf.GGUFValueType) -> Any:
        field = self._reader.get_field(name)
        if field is None or field.types != [gguf.GGUFValueType.ARRAY, kind]:
            raise ModelError(f"the model {self.path} is damaged: it lacks the array {name}")
        return field
