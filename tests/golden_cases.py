"""Originals and options of the golden files, and what each file must hold.

Every feature of the format is named by one case. `features` says what a file really holds,
so that a case can't lose its feature unnoticed.
"""

import hashlib
import io
import struct
import textwrap
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from coder import Decoder
from nacrith.codec.binary_codec import read_head
from nacrith.codec.layout import Layout, code_layout
from nacrith.format.container import MemberReader
from nacrith.format.dictionary import dictionary_id
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import KNOWN_MODELS, Metadata
from nacrith.format.parameters import Parameters
from nacrith.format.varint import Reader
from nacrith.models.corrections import shipped_path
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import LEVELS
from nacrith.transforms.calls import Calls
from nacrith.transforms.charset_table import CODECS
from nacrith.transforms.transforms_made import CHARSETS, code_transforms
from predictors.binary.parts import Model
from tests.charset_texts import TEXTS
from tests.conftest import ROOT, keep_in_model
from tests.correction_examples import random_correction, write_two

GOLDEN = ROOT / "tests" / "golden"

# The file names the model by its hash, so a golden file needs the very same tiny model.
TINY_SHA256 = "62099e461e71a80fd2293dd1309888edd47e66e4bc3a08b92b637d253da6c2c2"
TINY_CORRECTION = "adb253b9c8d53b7e"
TINY_CORRECTION_ON = "adbbe671ce63b554"
"""Likewise."""


@dataclass(frozen=True)
class Case:
    """A golden file.

    Attributes:
        originals: one of each member.
        holds: what `features` must say of the file, as far as it matters.
        options: of compress, as keywords of `CompressOptions`.
        real: with the embedded model and the choices that it leads to, else with the tiny
            one, with all text kept in it.
        corrected: with a correction of the tiny model, or two, one of which builds on the other.
    """

    originals: tuple[bytes, ...]
    holds: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    real: bool = False
    corrected: int = 0

    @property
    def dictionary(self) -> bytes:
        return self.options.get("dictionary", b"")

    def correction(self, tiny: Path) -> Path | str | None:
        """Of the model's weights; that of the tiny model is written beside it."""
        if self.corrected == 2:
            write_two(tiny, tiny.parent)
            return tiny.with_name("on.bin")
        if self.corrected:
            path = tiny.with_name("correction.bin")
            path.write_bytes(random_correction(tiny).to_bytes())
            return path
        return self.options.get("correction")

    @property
    def original(self) -> bytes:
        """What the whole file restores to."""
        return b"".join(self.originals)

    def make(self, tiny: Path) -> bytes:
        """The compressed file. `tiny`: path of the tiny model."""
        sink = io.BytesIO()
        model = None if self.real else tiny
        given = {**self.options, "correction": self.correction(tiny)}
        options = CompressOptions(model, "exact", threads=1, **given)
        with nullcontext() if self.real else pytest.MonkeyPatch.context() as monkeypatch:
            if monkeypatch:
                keep_in_model(monkeypatch)
            for original in self.originals:
                compress_stream(io.BytesIO(original), sink, options, len(original))
        return sink.getvalue()

    def lacks(self, packed: bytes) -> dict[str, Any]:
        """What `packed` has instead of what it is to hold; empty if all is there."""
        found = features(packed)
        return {key: found.get(key) for key, value in self.holds.items() if found.get(key) != value}


def features(packed: bytes) -> dict[str, Any]:
    """What a file holds: of the header that of the first member, of the rest all there is."""
    members = []
    frames: list[Frame] = []
    trailers = 0
    for member in MemberReader(io.BytesIO(packed)):
        members.append(member.header)
        frames += member.frames()
        trailers += member.trailer is not None
    found = {
        "members": len(members),
        "frames": len(frames),
        "trailers": trailers,
        "model": members[0].model and members[0].model.name,
        "correction": members[0].model and members[0].model.correction,
        "metadata": members[0].metadata,
        "dictionary": members[0].dictionary,
        "kinds": {segment.kind for frame in frames for segment in frame.segments},
        "opened": False,
        "pictures": False,
        "pixels": False,
        "slides": sum(frame.n_symbols for frame in frames) > members[0].parameters.window,
        **vars(members[0].parameters),
    }
    for frame in frames:
        if frame.opened:
            found["opened"] = True
            found["pictures"] = found["pictures"] or bool(frame.opened.pictures)
            found["pixels"] = found["pixels"] or frame.opened.pictures == b""
        for kind, payload in frame.payloads.items():
            if kind == Kind.TEXT:
                coder = Decoder(payload)
                made = code_transforms(coder)
                found |= {**made._asdict(), "charset": CHARSETS[made.charset]}
                whole = Layout((frame.n_symbols,), (frame.size_of(Kind.TEXT),))
                found["streams"] = len(code_layout(coder, whole))
            elif kind == Kind.MIXED:
                coded = read_head(Reader(payload, "mixed data"), frame.size_of(kind))
                found["models"] = {part.part.model for part in coded}
                found["record"] = coded[0].part.numbers[0]
                found["calls"] = coded[0].calls
            elif kind == Kind.MIXED_TEXT:
                found["variant"] = Reader(payload, "mixed text").varint()
    return found


SENTENCE = (
    "the sea and land between two rivers was quiet that morning while boats went out for "
    "fish nets dried on stones near houses of those who had stayed at home to mend them"
)


def _numbers(n: int) -> Iterator[int]:
    """n numbers below 2**16 that look random, the same everywhere."""
    state = 1
    for _ in range(n):
        # Numerical Recipes' linear congruential generator.
        state = (1664525 * state + 1013904223) % (1 << 32)
        yield state >> 16


def _prose(n_words: int) -> str:
    known = SENTENCE.split()
    words = [known[i % len(known)] for i in _numbers(n_words)]
    return " ".join(words).capitalize() + ".\n"


def _code() -> bytes:
    """Machine code in which four functions are called from 60 places."""
    code = bytearray(b"\x55\x48\x89\xe5" * 64)
    for i in _numbers(60):
        code += b"\x48\x8b\x45" + bytes([i & 0x7F])
        target = (16, 48, 112, 208)[i >> 7 & 3]
        code += b"\xe8" + (target - len(code) - 5).to_bytes(4, "little", signed=True)
    return bytes(code)


def _words() -> bytes:
    """Machine code of 64-bit ARM in which four functions are called from 60 places."""
    code = b""
    for i in _numbers(60):
        code += b"\xe0\x03" + bytes([i & 0x1F]) + b"\xaa\xfd\x7b\xbf\xa9"
        distance = (4, 12, 28, 52)[i >> 7 & 3] - len(code) // 4
        code += (0x94000000 | distance & 0x3FFFFFF).to_bytes(4, "little")
    return code


def _rows() -> bytes:
    """A table of rows of 12 bytes."""
    return b"".join(
        i.to_bytes(4, "little") + (number % 50).to_bytes(4, "big") + b"\1\0\xff\xfe"
        for i, number in enumerate(_numbers(100))
    )


def _symbols() -> bytes:
    """A table of symbols, which begin with the offsets of their names, and the names."""
    words = SENTENCE.encode().split()
    numbers = list(_numbers(120))
    names = [words[number % 8] + b"_" + words[number % len(words)] for number in numbers]
    table, offset = b"", 1
    for name, number in zip(names, numbers, strict=True):
        table += offset.to_bytes(4, "big") + number.to_bytes(4, "big") + b"\0\x11\0\2"
        offset += len(name) + 1
    return table + b"\0".join(names) + b"\0"


def _disc() -> bytes:
    """A picture of one bit a pixel: rows of 8 bytes, of a ragged disc."""
    edges = _numbers(128)
    bits = "".join(
        "1" if (x - 32) ** 2 + (y - 64) ** 2 < 700 + edge % 64 else "0"
        for y, edge in enumerate(edges)
        for x in range(64)
    )
    return int(bits, 2).to_bytes(1024, "big")


def _ramp() -> bytes:
    """A PPM picture of 48 x 48 pixels, curved, with noise."""
    places = [(x, y, color) for y in range(48) for x in range(48) for color in range(3)]
    noise = _numbers(2 * len(places))
    values = (
        ((x - 20) ** 2 + (y - 30) ** 2) // 12 + 10 * color + next(noise) % 8 + next(noise) % 8
        for x, y, color in places
    )
    return b"P6\n48 48\n255\n" + bytes(values)


def _chord() -> bytes:
    """A WAV file of two triangular tones in 16 bits."""
    noise = _numbers(2000)
    tones = [
        500 * abs(i % 80 - 40) + 300 * abs(i % 54 - 27) + next(noise) % 400 for i in range(2000)
    ]
    data = b"".join(tone.to_bytes(2, "little", signed=True) for tone in tones)
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(data))
        + head
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )


TEXT = _prose(30).encode()
LONG = _prose(290).encode()
LINES = "\r\n".join(textwrap.wrap(_prose(30), 30)) + "\r\n"
PARAGRAPHS = "\n\n".join(textwrap.fill(_prose(90), 64) for _ in range(2)) + "\n"
RANDOM = hashlib.shake_128(b"golden").digest(64)

UTF16_TEXT = "\ufeffOù sont les élèves? À la forêt.\n"


def _in_charset(name: str) -> bytes:
    """A text that is recognised as one of this charset."""
    if name.startswith("utf-16"):
        return UTF16_TEXT.encode(name)
    return TEXTS[name].encode(CODECS[name])


SMALL_WINDOW = Parameters(window=256)
GOLDEN_TEXT = (GOLDEN / "exact-1.txt").read_bytes()
GENERAL = {"model": KNOWN_MODELS[2].name, "correction": KNOWN_MODELS[2].correction}
WITH_GENERAL = {"correction": shipped_path(2)}


def _text(holds: dict[str, Any], original: bytes = TEXT, **parameters: int) -> Case:
    """A case of text in one frame with these parameters."""
    given = Parameters(**{**vars(SMALL_WINDOW), **parameters})
    holds = {
        "streams": 1,
        "kinds": {Kind.TEXT},
        "members": 1,
        "frames": 1,
        "trailers": 0,
        **parameters,
        **holds,
    }
    return Case((original,), holds, {"parameters": given})


def _binary(kind: Kind, original: bytes, **holds: Any) -> Case:
    return Case((original,), {"kinds": {kind}, "model": None, **holds})


def _mixed_text(level: int, variant: int) -> Case:
    """A case of text in one frame by a level without the model."""
    holds = {"kinds": {Kind.MIXED_TEXT}, "model": None, "variant": variant}
    return Case((TEXT + LINES.encode(),), holds, {"preset": LEVELS[level]})


CASES = {
    "empty": Case((b"",), {"kinds": set(), "members": 1, "model": None}),
    "text": _text({"charset": "utf-8", "crlf": False, "wrapped": False, "model": "tiny"}),
    "three-streams": Case(
        (PARAGRAPHS.encode(),),
        {"streams": 3, "wrapped": True, "kinds": {Kind.TEXT}, "frames": 1},
        {"parameters": SMALL_WINDOW, "streams": 3},
    ),
    "unlike-streams": Case(
        (PARAGRAPHS.encode(),),
        {"streams": 3, "unlike": 1, "kinds": {Kind.TEXT}},
        {"parameters": replace(SMALL_WINDOW, unlike=1), "streams": 3},
    ),
    "default-window": _text({"window": 1024}, window=1024),
    "sliding": _text({"slides": True}, LONG),
    "sinks": _text({"slides": True}, LONG, sinks=16),
    "no-bias-head": _text({}, bias_rate=0),
    "no-output-head": _text({}, head_rate=0),
    "no-refinement": _text({}, contexts=0),
    "some-contexts": _text({}, contexts=0b101),
    "no-neighbors": _text({}, neighbors=0),
    "prompt-1": _text({}, prompt=1),
    "prompt-2": _text({}, prompt=2),
    "bytes-without-token": _text({"charset": "utf-8"}, TEXT + b"\x04\x13" + "😀é".encode() + TEXT),
    "invalid-utf-8": _text({"charset": "utf-8"}, TEXT + "é".encode() * 9 + b"\xff\xc0" + TEXT),
    "crlf": _text({"crlf": True, "wrapped": False}, LINES.encode()),
    "unwrapped": _text({"crlf": False, "wrapped": True}, PARAGRAPHS.encode()),
    "dictionary": Case(
        (PARAGRAPHS.encode(),),
        {"dictionary": dictionary_id(LONG), "streams": 2, "kinds": {Kind.TEXT}},
        {"parameters": SMALL_WINDOW, "streams": 2, "dictionary": LONG},
    ),
    "correction": Case(
        (TEXT,),
        {"correction": TINY_CORRECTION, "kinds": {Kind.TEXT}},
        {"parameters": SMALL_WINDOW},
        corrected=1,
    ),
    "correction-on": Case(
        (TEXT,),
        {"correction": TINY_CORRECTION_ON, "kinds": {Kind.TEXT}},
        {"parameters": SMALL_WINDOW},
        corrected=2,
    ),
    "dictionary-mixed-text": Case(
        (TEXT,),
        {"dictionary": dictionary_id(LONG), "variant": 2, "kinds": {Kind.MIXED_TEXT}},
        {"preset": LEVELS[2], "dictionary": LONG},
    ),
    "frames": Case(
        (TEXT * 3,),
        {"frames": 3, "trailers": 1, "members": 1, "kinds": {Kind.TEXT}},
        {"block_size": len(TEXT), "parameters": SMALL_WINDOW},
    ),
    "members": Case(
        (TEXT, b"", _rows()),
        {"members": 3, "kinds": {Kind.TEXT, Kind.MIXED}},
        {"parameters": SMALL_WINDOW},
    ),
    "metadata": Case(
        (TEXT,),
        {"metadata": Metadata(0o640, 1_600_000_000)},
        {"parameters": SMALL_WINDOW, "metadata": Metadata(0o640, 1_600_000_000)},
    ),
    "text-and-binary": Case(
        (TEXT * 2 + _rows() + TEXT * 2,),
        {"frames": 1, "kinds": {Kind.TEXT, Kind.MIXED}},
        {"parameters": SMALL_WINDOW},
    ),
    "mixed": _binary(Kind.MIXED, _rows(), record=12, calls=Calls.NONE),
    "calls": _binary(Kind.MIXED, _code(), calls=Calls.X86),
    "word-calls": _binary(Kind.MIXED, _words(), calls=Calls.ARM64),
    "strings": Case(
        (_symbols(),),
        {"models": {Model.BYTES_AFTER_TEXT}, "kinds": {Kind.MIXED, Kind.MIXED_TEXT}},
        {"preset": LEVELS[2]},
    ),
    "bilevel": _binary(Kind.MIXED, _disc(), models={Model.BILEVEL}),
    "pixels": _binary(Kind.MIXED, _ramp(), models={Model.BYTES, Model.PIXELS}),
    "sound": _binary(Kind.MIXED, _chord(), models={Model.BYTES, Model.SOUND}),
    "lzma": _binary(Kind.LZMA, bytes(1 << 20)),
    "stored": _binary(Kind.STORED, RANDOM),
    # Streams of zlib and of 7-zip, in gzip, zip and PNG, and in each other.
    "opened": Case(
        ((GOLDEN / "opened.bin").read_bytes(),),
        {"opened": True, "kinds": {Kind.MIXED, Kind.MIXED_TEXT}, "model": None},
        {"preset": LEVELS[1]},
    ),
    # JPEG: with restarts, progressive, and one that is cut off.
    "pictures": Case(
        ((GOLDEN / "pictures.bin").read_bytes(),),
        {"opened": True, "pictures": True, "model": None},
        {"preset": LEVELS[1]},
    ),
    # A PNG picture, as pixels.
    "opened-pixels": Case(
        ((GOLDEN / "pixels.png").read_bytes(),),
        {"opened": True, "pixels": True, "models": {Model.BYTES, Model.PIXELS}, "model": None},
        {"preset": LEVELS[1]},
    ),
    "mixed-text-1": _mixed_text(1, 1),
    "mixed-text-2": _mixed_text(2, 2),
    "mixed-text-3": _mixed_text(3, 3),
    "exact-1": Case(
        (GOLDEN_TEXT,),
        {**GENERAL, "prompt": 0, "kinds": {Kind.TEXT}},
        WITH_GENERAL,
        real=True,
    ),
    "uncorrected": Case(
        (GOLDEN_TEXT,),
        {"model": "SmolLM2-135M-Instruct.Q4_1", "correction": "", "kinds": {Kind.TEXT}},
        {"correction": "none"},
        real=True,
    ),
    "exact-prompt": Case(
        (b';; Sum of a list.\n(defun sum (xs)\n  "Return the sum of XS."\n  (apply #\'+ xs))\n',),
        {**GENERAL, "prompt": 2, "kinds": {Kind.TEXT}},
        WITH_GENERAL,
        real=True,
    ),
}
CASES |= {f"charset-{name}": _text({"charset": name}, _in_charset(name)) for name in CHARSETS[1:]}
# The newest correction that is shipped is the default, the earlier ones are kept.
CASES |= {
    f"exact-{number}": Case(
        (GOLDEN_TEXT,),
        {"model": known.name, "correction": known.correction, "kinds": {Kind.TEXT}},
        {} if number == max(KNOWN_MODELS) else {"correction": shipped_path(number)},
        real=True,
    )
    for number, known in KNOWN_MODELS.items()
    if number > 2
}
"""By name of the file, without its ending."""
