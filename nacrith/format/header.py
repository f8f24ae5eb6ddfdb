"""The header of a NC06 file: what a decoder must know before the first frame."""

from dataclasses import dataclass, field
from typing import NamedTuple

from nacrith.backends import EXACT, NUMBERS
from nacrith.errors import FormatError, UnsupportedError
from nacrith.format.dictionary import ID_SIZE
from nacrith.format.numerics import FEATURES, MACHINES, NumericsRecord
from nacrith.format.parameters import BITS, Parameters
from nacrith.format.varint import Reader, to_varint

CORRECTION_SIZE = 8
"""Bytes of a correction's SHA-256 that name it."""


class KnownModel(NamedTuple):
    """A model that a file names by a number; see `ModelRecord`."""

    name: str
    sha256: str
    correction: str = ""


_SMOLLM2 = KnownModel(
    "SmolLM2-135M-Instruct.Q4_1",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)

# Frozen: known models by number, so that a small file need not carry a name and
# hashes. Append only; number 0 means name and hash follow, 255 a correction and then
# the model that it is of.
KNOWN_MODELS = {
    1: _SMOLLM2,
    2: _SMOLLM2._replace(correction="484b5c256d661512"),
    3: _SMOLLM2._replace(correction="cf252ffa3915b9b3"),
    4: _SMOLLM2._replace(correction="2e45484ab20bbf61"),
}
_NAMED, _CORRECTED = 0, 255

MAX_THREADS = 1024
"""More are neither taken nor named in a header."""

_HAS_MODEL, _HAS_METADATA, _HAS_PARAMETERS, _SOLE, _HAS_DICTIONARY = 1, 2, 4, 8, 16
_KNOWN_FLAGS = _HAS_MODEL | _HAS_METADATA | _HAS_PARAMETERS | _SOLE | _HAS_DICTIONARY


@dataclass(frozen=True)
class ModelRecord:
    """Which model coded the text, and what its logits depend on.

    Attributes:
        name: for people.
        sha256: of the GGUF file, 64 hexadecimal digits.
        numerics: of the machine that compressed.
        probe: CRC-32 of the logits of a fixed short batch there; 0 if the numerics
            are exact.
        correction: of the weights: the first `CORRECTION_SIZE` bytes of its hash, in
            hexadecimal; empty = none.
    """

    name: str
    sha256: str
    numerics: NumericsRecord
    probe: int
    correction: str = ""


@dataclass(frozen=True)
class Metadata:
    """Attributes of the original file: permission bits, and seconds since 1970."""

    mode: int
    mtime: int


@dataclass(frozen=True)
class Header:
    """Everything in front of the frames.

    Attributes:
        model: None if no frame has text.
        dictionary: hash of what was read before the original (`dictionary_id`); empty = nothing.
    """

    model: ModelRecord | None = None
    parameters: Parameters = field(default_factory=Parameters)
    metadata: Metadata | None = None
    dictionary: bytes = b""

    def to_bytes(self, sole: bool = False) -> bytes:
        """As docs/format.md specifies it. `sole`: the only frame follows in its record."""
        flags, out = _SOLE if sole else 0, bytearray()
        if self.model:
            flags |= _HAS_MODEL
            out += _pack_model(self.model)
            changed = [
                bit
                for bit, name in BITS.items()
                if getattr(self.parameters, name) != getattr(Parameters(), name)
            ]
            if changed:
                flags |= _HAS_PARAMETERS
                out += to_varint(sum(1 << bit for bit in changed))
                for bit in changed:
                    out += to_varint(getattr(self.parameters, BITS[bit]))
        if self.metadata:
            flags |= _HAS_METADATA
            out += to_varint(self.metadata.mode) + to_varint(self.metadata.mtime)
        if self.dictionary:
            flags |= _HAS_DICTIONARY
            out += self.dictionary
        return bytes([flags]) + bytes(out)

    @classmethod
    def read(cls, reader: Reader) -> tuple["Header", bool]:
        """Inverse of `to_bytes`: the header, and whether the only frame follows.

        Raises:
            FormatError: not well formed.
            UnsupportedError: well formed, but of a later version.
        """
        flags = reader.byte()
        if flags & ~_KNOWN_FLAGS:
            raise UnsupportedError(
                "this file uses a feature that this version of nacrith does not know; "
                "install a newer version"
            )
        model = _unpack_model(reader) if flags & _HAS_MODEL else None
        parameters = Parameters()
        if flags & _HAS_PARAMETERS:
            parameters = _unpack_parameters(reader)
        metadata = None
        if flags & _HAS_METADATA:
            metadata = Metadata(reader.varint(), reader.varint())
        dictionary = reader.take(ID_SIZE) if flags & _HAS_DICTIONARY else b""
        if dictionary and parameters.prompt:
            raise FormatError("the header is damaged: it names a prompt and a dictionary")
        return cls(model, parameters, metadata, dictionary), bool(flags & _SOLE)


def _pack_model(model: ModelRecord) -> bytes:
    out = bytearray()
    numbers = {known[1:]: number for number, known in KNOWN_MODELS.items()}
    number = numbers.get((model.sha256, model.correction))
    if number is None and model.correction:
        out += bytes([_CORRECTED]) + bytes.fromhex(model.correction)
        number = numbers.get((model.sha256, ""))
    out.append(_NAMED if number is None else number)
    if number is None:
        out += _pack_string(model.name) + bytes.fromhex(model.sha256)
    numerics = model.numerics
    out.append(_number(NUMBERS, numerics.backend))
    out += _pack_string(numerics.version)
    if numerics.is_exact:
        return bytes(out)
    out.append(_number(MACHINES, numerics.machine))
    out += to_varint(sum(1 << _number(FEATURES, name) for name in numerics.features))
    out += to_varint(numerics.threads)
    out += _pack_string(numerics.device)
    out += model.probe.to_bytes(4, "little")
    return bytes(out)


def _unpack_model(reader: Reader) -> ModelRecord:
    number = reader.byte()
    given = ""
    if number == _CORRECTED:
        given, number = reader.take(CORRECTION_SIZE).hex(), reader.byte()
    if number == _NAMED:
        name, sha256, correction = reader.string(), reader.take(32).hex(), given
    elif number in KNOWN_MODELS:
        name, sha256, correction = KNOWN_MODELS[number]
        if given and correction:
            raise FormatError("the header is damaged: it names two corrections of the model")
        correction = correction or given
    else:
        raise UnsupportedError(
            f"this file was made with model number {number}, which this version of "
            "nacrith does not know (a newer one, or one with a newer correction of its weights); "
            "install a newer version"
        )
    backend = _name(NUMBERS, reader.byte(), "backend")
    version = reader.string()
    if backend == EXACT:
        return ModelRecord(name, sha256, NumericsRecord(backend, version), 0, correction)
    machine = _name(MACHINES, reader.byte(), "machine")
    mask = reader.varint()
    if mask >> len(FEATURES):
        raise UnsupportedError(
            "this file was made on a processor that this version of nacrith does not "
            "know; install a newer version"
        )
    features = frozenset(name for bit, name in FEATURES.items() if mask >> bit & 1)
    threads = reader.varint()
    if not 1 <= threads <= MAX_THREADS:
        raise FormatError(f"the header is damaged: it claims {threads} threads")
    device = reader.string()
    probe = int.from_bytes(reader.take(4), "little")
    numerics = NumericsRecord(backend, version, machine, features, threads, device)
    return ModelRecord(name, sha256, numerics, probe, correction)


def _unpack_parameters(reader: Reader) -> Parameters:
    mask = reader.varint()
    if mask >> len(BITS):
        raise UnsupportedError(
            "this file uses a parameter that this version of nacrith does not know; "
            "install a newer version"
        )
    given = {name: reader.varint() for bit, name in BITS.items() if mask >> bit & 1}
    parameters = Parameters(**given)
    problem = parameters.problem()
    if problem:
        raise FormatError(f"the header is damaged: {problem}")
    return parameters


def _pack_string(text: str) -> bytes:
    raw = text.encode("utf-8")
    return to_varint(len(raw)) + raw


def _name(names: dict[int, str], number: int, what: str) -> str:
    if number not in names:
        raise UnsupportedError(
            f"this file names {what} number {number}, which this version of nacrith "
            "does not know; install a newer version"
        )
    return names[number]


def _number(names: dict[int, str], name: str) -> int:
    return next(number for number, known in names.items() if known == name)
