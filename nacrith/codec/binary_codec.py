"""Without the language model: context mixing, LZMA2 (of the standard library), or stored."""

import lzma
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from coder import Coder, Decoder, Encoder
from nacrith.codec.binary_parts import MAX_PARTS, find_parts
from nacrith.codec.callbacks import DoneCallback, ignore
from nacrith.codec.known import Known
from nacrith.codec.payload import can_hold, padded
from nacrith.codec.text_mixing import (
    INSTEAD_OF_MODEL,
    LONG,
    LONG_INSTEAD_OF_MODEL,
    may_be_text,
    mix_text,
    unmix_text,
)
from nacrith.errors import FormatError
from nacrith.format.frame import Kind
from nacrith.format.varint import Reader, to_varint
from nacrith.transforms.calls import Calls, find_calls, to_absolute, to_relative
from predictors.binary.engine import least_cost
from predictors.binary.parts import NUMBERS, Model, Part, code_part, problem
from predictors.text.text_model import TextPast

Bytes = npt.NDArray[np.uint8]

_MIN_DICTIONARY = 1 << 12
"""Bytes, the least that LZMA2 takes."""

# Of this much data of which LZMA leaves next to nothing, context mixing, which takes
# minutes for it, could not save much either.
_LARGE, _NEARLY_EMPTY = 1 << 20, 64
# Bytes between two progress calls, and between two sizes that are noted.
_COARSE, _FINE = 1 << 12, 1 << 8
# Fewer zeros in a text are no table of strings.
_LEAST_STRINGS = 16

_CALLS = frozenset(Calls)


def _filters(size: int) -> list[dict[str, int]]:
    """LZMA2 with a dictionary that covers `size` bytes: both directions derive it."""
    dictionary = max(_MIN_DICTIONARY, 1 << (size - 1).bit_length())
    return [
        {
            "id": lzma.FILTER_LZMA2,
            "preset": 9 | lzma.PRESET_EXTREME,
            "dict_size": dictionary,
        }
    ]


def encode_binary(
    data: bytes,
    on_progress: DoneCallback = ignore,
    mixed: bytes | None = None,
    as_text: bool = True,
    past: TextPast | None = None,
    known: Known | None = None,
    text: bytes = b"",
) -> tuple[Kind, bytes]:
    """Return (kind, payload), the smallest of context mixing, LZMA and stored.

    What may be text is mixed as text too, which restores faster.

    Args:
        mixed: what `mix` makes of the data, if it is there already.
        as_text: may the kind be MIXED_TEXT?
        past: what MIXED_TEXT begins with.
        known, text: see `mix`.
    """
    packed = encode_lzma(data)
    found = (Kind.LZMA, packed) if len(packed) < len(data) else (Kind.STORED, data)
    nearly_empty = len(data) >= _LARGE and len(packed) < len(data) // _NEARLY_EMPTY
    if mixed is None and not nearly_empty:
        mixed, _ = mix(data, on_progress=on_progress, known=known, text=text)
    if mixed is not None and len(mixed) < len(found[1]):
        found = (Kind.MIXED, mixed)
    if as_text and not nearly_empty and may_be_text(data):
        variant = INSTEAD_OF_MODEL if len(data) < LONG else LONG_INSTEAD_OF_MODEL
        as_mixed_text = mix_text(data, variant, on_progress, past)
        if len(as_mixed_text) < len(data) and len(as_mixed_text) <= len(found[1]):
            found = (Kind.MIXED_TEXT, as_mixed_text)
    return found


def encode_lzma(data: bytes) -> bytes:
    """The payload of the kind LZMA."""
    return lzma.compress(data, format=lzma.FORMAT_RAW, filters=_filters(len(data)))


def decode_binary(
    kind: Kind,
    payload: bytes,
    size: int,
    on_progress: DoneCallback = ignore,
    past: TextPast | None = None,
    text: bytes = b"",
) -> bytes:
    """Inverse of `encode_binary`; `size` is the original's length, `text` as for `mix`.

    Raises:
        FormatError: the payload is damaged. Never returns more than `size` bytes.
    """
    if kind == Kind.MIXED:
        return _unmix(payload, size, on_progress, text)
    if kind == Kind.MIXED_TEXT:
        return unmix_text(payload, size, on_progress, past)
    if kind == Kind.LZMA:
        return _unpack(payload, size)
    if len(payload) != size:
        raise FormatError("a frame's stored data is damaged: its length does not match")
    return payload


def _unpack(payload: bytes, size: int) -> bytes:
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(size))
    try:
        data = decoder.decompress(payload, max_length=size)
        # The end marker follows the last byte.
        while not decoder.eof and not decoder.needs_input and len(data) <= size:
            data += decoder.decompress(b"", max_length=1)
    except (lzma.LZMAError, EOFError) as error:
        raise FormatError(f"a frame's binary data is damaged: {error}") from error
    if len(data) != size or not decoder.eof or decoder.unused_data:
        raise FormatError("a frame's binary data is damaged: its length does not match")
    return data


def mix(
    data: bytes,
    ends: Sequence[int] = (),
    on_progress: DoneCallback = ignore,
    known: Known | None = None,
    text: bytes = b"",
) -> tuple[bytes, list[int]]:
    """Code by context mixing.

    Args:
        ends: places in the data, ascending, from 1 on.
        known: see `find_parts`.
        text: the text of the frame, which is decoded before the data. It is of use if it
            `holds_strings`.

    Returns:
        The payload of the kind MIXED, and how many bytes of it were there at each of the
        ends, ± 4.
    """
    places, sizes = [0], [0]
    coder = Encoder()

    def note(done: int) -> None:
        places.append(done)
        sizes.append(coder.size)
        on_progress(done)

    values: Any = np.frombuffer(data, dtype=np.uint8).copy()
    coded = []
    begin = 0
    for part in find_parts(values, known):
        end = begin + part.size
        calls = find_calls(values[begin:end]) if part.model == Model.BYTES else Calls.NONE
        if part.model == Model.BYTES and holds_strings(text):
            part = replace(part, model=Model.BYTES_AFTER_TEXT)
        coded.append(CodedPart(part, calls))
        begin = end
    _code(coder, values, coded, True, note, _FINE if ends else _COARSE, text)
    payload = _head(coded) + padded(coder.finish(), least_cost(len(data)))
    found = []
    for end in ends:
        i = bisect_left(places, end, 1)
        step = places[i] - places[i - 1]
        share = (sizes[i] - sizes[i - 1]) * (end - places[i - 1])
        found.append(sizes[i - 1] + share // step)
    return payload, found


@dataclass(frozen=True)
class CodedPart:
    """A part, and whose calls have absolute targets while it is coded."""

    part: Part
    calls: Calls


def _code(
    coder: Coder,
    values: Bytes,
    parts: Sequence[CodedPart],
    encodes: bool,
    on_progress: DoneCallback,
    every: int = _COARSE,
    text: bytes = b"",
) -> None:
    """Code all parts of the data, [n] uint8, with an encoder or a decoder."""
    begin = 0
    strings = np.frombuffer(text, dtype=np.uint8)
    for coded in parts:
        end = begin + coded.part.size
        piece = values[begin:end]
        if encodes:
            to_absolute(piece, coded.calls)
        code_part(coder, piece, coded.part, _from(begin, on_progress), every, strings)
        if not encodes:
            to_relative(piece, coded.calls)
        begin = end


def _from(begin: int, on_progress: DoneCallback) -> DoneCallback:
    """Report what is done of a part as what is done of all."""
    return lambda done: on_progress(begin + done)


def _head(parts: Sequence[CodedPart]) -> bytes:
    """What a payload says of its parts; the last one's size follows from the others'."""
    head = b""
    for i, coded in enumerate(parts):
        is_last = i == len(parts) - 1
        part = coded.part
        head += to_varint(part.model << 4 | coded.calls << 1 | (not is_last))
        head += b"".join(map(to_varint, part.numbers))
        head += b"" if is_last else to_varint(part.size)
    return head


def read_head(reader: Reader, size: int) -> list[CodedPart]:
    """Inverse of `_head`, for data of `size` bytes."""
    parts: list[CodedPart] = []
    goes_on = True
    while goes_on:
        packed = reader.varint()
        goes_on = bool(packed & 1)
        model, calls = packed >> 4, packed >> 1 & 7
        if model not in NUMBERS or calls not in _CALLS or len(parts) == MAX_PARTS:
            raise FormatError("a frame's binary data is damaged: it has parts of no kind")
        model = Model(model)
        numbers = tuple(reader.varint() for _ in range(NUMBERS[model]))
        part = Part(model, reader.varint() if goes_on else size, numbers)
        if found := problem(part):
            raise FormatError(f"a frame's binary data is damaged: it claims {found}")
        if not 0 < part.size <= size:
            raise FormatError("a frame's binary data is damaged: its parts are too long")
        size -= part.size
        parts.append(CodedPart(part, Calls(calls)))
    return parts


def holds_strings(text: bytes) -> bool:
    """Are there names in this text that tables may point to?"""
    return text.count(0) >= _LEAST_STRINGS


def needs_text(payload: bytes, size: int) -> bool:
    """Must the text of the frame be known before a payload of the kind MIXED?

    Raises:
        FormatError: it is damaged.
    """
    parts = read_head(Reader(payload, "binary data of a frame"), size)
    return any(coded.part.model == Model.BYTES_AFTER_TEXT for coded in parts)


def _unmix(payload: bytes, size: int, on_progress: DoneCallback, text: bytes) -> bytes:
    reader = Reader(payload, "binary data of a frame")
    parts = read_head(reader, size)
    coded = reader.rest()
    if not can_hold(coded, least_cost(size)):
        raise FormatError(f"a frame is damaged: {size} bytes in {len(payload)}")
    values = np.zeros(size, dtype=np.uint8)
    _code(Decoder(coded), values, parts, False, on_progress, text=text)
    return values.tobytes()
