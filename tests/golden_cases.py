"""One small file for each feature of the format: `python -m tests.golden_cases` makes them.

Each case says how its feature is told, so that a change elsewhere can't hollow it out. The
files are in tests/golden; the model is the tests' tiny one, which is random, so the encoder is
kept from choosing context mixing for text.
"""

import io
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from unittest import mock

from nacrith.bench.tiny_model import write_tiny_model
from nacrith.charset import CHARSETS
from nacrith.format.container import Member, MemberReader
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import Metadata
from nacrith.format.parameters import Parameters
from nacrith.model_pays import Choice
from nacrith.pipeline import CompressOptions, compress_stream
from nacrith.prepared_text import prepare

FOLDER = Path(__file__).parent / "golden"

PROSE = (
    b"The river rises in the hills and runs to the sea.\n"
    b"Nobody has ever counted the boats on it, or the men who row them.\n"
) * 2
WRAPPED = (
    b"The sea and the land and what is between the two\n"
    b"of them were all that the king of the island had\n"
    b"to think of on the long evenings of that winter,\n"
    b"and the things of the court were far from him as\n"
    b"the sun was far from the snow on the dark roofs.\n"
) * 4
LETTERS = "Ærø, café, naïve, Straße, señor, über, ça ira. " * 3


@dataclass(frozen=True)
class Case:
    """Attributes:
    name: of the file in tests/golden.
    data: the original.
    holds: is the feature there? Told the members and all frames.
    options: of the compression, but for the model.
    part: where the second member begins, if there are two.
    """

    name: str
    data: bytes
    holds: Callable[[list[Member], list[Frame]], bool]
    options: dict[str, object] = field(default_factory=dict)
    part: int | None = None


def _parameters(**given: int) -> dict[str, object]:
    return {"parameters": Parameters(**{"window": 256, **given})}


def _kinds(*kinds: Kind) -> Callable[[list[Member], list[Frame]], bool]:
    return lambda members, frames: {k for f in frames for k in f.payloads} == set(kinds)


def _calls(members: list[Member], frames: list[Frame]) -> bool:
    return bool(frames[0].payloads[Kind.MIXED][0] & 1)


def _charset_case(number: int, name: str) -> Case:
    letters = _LETTERS.get(name, LETTERS)
    data = letters.encode(name)
    return Case(
        f"charset-{name}",
        data,
        lambda members, frames: prepare(data).charset == number and Kind.TEXT in frames[0].payloads,
    )


_LETTERS: dict[str, str] = {}
"""Text for charsets that have no Latin letters with accents."""


def cases() -> Iterator[Case]:
    """All of them."""
    noise = random.Random(7).randbytes
    text = _kinds(Kind.TEXT)
    yield Case("one-stream", PROSE, lambda m, f: text(m, f) and m[0].header.parameters.streams == 1)
    yield Case(
        "three-streams",
        PROSE,
        lambda m, f: text(m, f) and m[0].header.parameters.streams == 3,
        _parameters(streams=3),
    )
    yield Case(
        "several-frames",
        PROSE + noise(300) + PROSE,
        lambda m, f: len(f) > 2 and m[0].trailer is not None,
        {"block_size": 200, **_parameters()},
    )
    yield Case(
        "prompt-man-page",
        b".TH A 1\n.SH NAME\na \\- the first\n.SH SYNOPSIS\n.B a\n.PP\nThe end.\n",
        lambda m, f: m[0].header.parameters.prompt == 1,
    )
    yield Case(
        "prompt-lisp",
        b";;; a.el --- the first\n(defun first (list) (car list))\n",
        lambda m, f: m[0].header.parameters.prompt == 2,
    )
    yield Case("crlf", PROSE.replace(b"\n", b"\r\n"), lambda m, f: text(m, f) and _crlf())
    yield Case("unwrapped", WRAPPED, lambda m, f: text(m, f) and prepare(WRAPPED).wrapped)
    yield Case(
        "no-predictors",
        PROSE,
        lambda m, f: m[0].header.parameters.contexts == 0,
        _parameters(contexts=0, bias_rate=0, head_rate=0, neighbors=0, sinks=8),
    )
    yield Case("sliding-window", PROSE * 4, lambda m, f: f[0].n_symbols > 2 * 256)
    yield Case("mixed", bytes(range(256)) * 3 + bytes(400), _kinds(Kind.MIXED))
    yield Case("calls", _machine_code(), _calls)
    yield Case("lzma", noise(20000) * 2, _kinds(Kind.LZMA))
    yield Case("stored", noise(500), _kinds(Kind.STORED))
    yield Case("empty", b"", lambda m, f: f[0].segments == [])
    yield Case(
        "metadata",
        noise(50),
        lambda m, f: m[0].header.metadata == Metadata(0o640, 10**9),
        {"metadata": Metadata(0o640, 10**9)},
    )
    yield Case("two-members", PROSE + noise(100), lambda m, f: len(m) == 2, part=len(PROSE))
    for number, name in enumerate(CHARSETS):
        if number:
            yield _charset_case(number, name)


def _machine_code() -> bytes:
    """Calls of three functions, from places that are 9 bytes apart."""
    code = b""
    for i in range(300):
        target = (0x40, 0x80, 0x100)[i * i % 3]
        code += b"\x55\x90\x90\x90\xe8" + (target - len(code) - 9).to_bytes(
            4, "little", signed=True
        )
    return code


def _crlf() -> bool:
    return prepare(PROSE.replace(b"\n", b"\r\n")).crlf


@contextmanager
def keeping_text() -> Iterator[None]:
    """See `keep_text` in conftest.py."""
    with (
        mock.patch("nacrith.pipeline._SMALL", 0),
        mock.patch("nacrith.groups._DOUBTFUL", float("inf")),
        mock.patch("nacrith.groups.choose", lambda block, segments, *_: Choice(segments, 0)),
    ):
        yield


def make(case: Case, model: Path) -> bytes:
    """The file of a case."""
    sink = io.BytesIO()
    options = CompressOptions(model, "exact", 1, **{**_parameters(), **case.options})
    cut = [0, len(case.data)] if case.part is None else [0, case.part, len(case.data)]
    with keeping_text():
        for begin, end in pairwise(cut):
            compress_stream(io.BytesIO(case.data[begin:end]), sink, options, end - begin)
    return sink.getvalue()


def holds(case: Case, packed: bytes) -> bool:
    """Does the file have the feature that it is there for?"""
    members, frames = [], []
    for member in MemberReader(io.BytesIO(packed)):
        members.append(member)
        frames += list(member.frames())
    return case.holds(members, frames)


def main() -> None:
    """Write the files; to be run when the format's version changes, and only then."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        model = write_tiny_model(Path(folder))
        for case in cases():
            packed = make(case, model)
            if not holds(case, packed):
                sys.exit(f"{case.name} does not have its feature")
            (FOLDER / f"{case.name}.nc").write_bytes(packed)
            print(f"{case.name}: {len(case.data)} bytes, {len(packed)}")


if __name__ == "__main__":
    main()
