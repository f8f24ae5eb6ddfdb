"""Files made once with the exact backend: every machine must open them for ever."""

import hashlib
import io
from collections import defaultdict
from dataclasses import fields

import pytest

from nacrith.format.container import MemberReader
from nacrith.format.frame import Kind
from nacrith.format.header import KNOWN_MODELS
from nacrith.format.parameters import MAX_PROMPT, Parameters
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.transforms.calls import Calls
from nacrith.transforms.transforms_made import CHARSETS
from predictors.binary.parts import Model
from tests.golden_cases import CASES, GOLDEN, TINY_SHA256, features

OLDER = GOLDEN / "older"


def test_the_tiny_model_is_the_one_of_the_golden_files(tiny_gguf):
    assert hashlib.sha256(tiny_gguf.read_bytes()).hexdigest() == TINY_SHA256


def opened(case, packed, tiny):
    restored = io.BytesIO()
    model = None if case.real else tiny
    correction = case.correction(tiny)
    decompress_stream(
        io.BytesIO(packed), restored, model, dictionary=case.dictionary, correction=correction
    )
    return restored.getvalue()


@pytest.mark.parametrize("name", CASES)
def test_a_golden_file_opens_and_is_made_again(tiny_gguf, name):
    case = CASES[name]
    packed = (GOLDEN / f"{name}.nc").read_bytes()
    assert opened(case, packed, tiny_gguf) == case.original
    assert case.make(tiny_gguf) == packed


@pytest.mark.parametrize("path", sorted(OLDER.glob("*.nc")), ids=lambda path: path.stem)
def test_a_file_of_older_numerics_opens(tiny_gguf, path):
    """Made before version 3: with rows of 16 bits, which have a version with a correction."""
    case, packed = CASES[path.stem], path.read_bytes()
    model = next(iter(MemberReader(io.BytesIO(packed)))).header.model
    assert model and model.numerics.version == ("2" if model.correction else "1")
    assert opened(case, packed, tiny_gguf) == case.original


def test_the_golden_files_name_each_feature():
    assert {path.stem for path in GOLDEN.glob("*.nc")} == set(CASES)
    seen = defaultdict(list)
    for name, case in CASES.items():
        packed = (GOLDEN / f"{name}.nc").read_bytes()
        assert not case.lacks(packed), name
        for key, value in features(packed).items():
            seen[key].append(value)
    assert set().union(*seen["kinds"]) == set(Kind)
    assert set(seen["charset"]) == set(CHARSETS)
    assert any(seen["dictionary"])
    shipped = {known.correction for known in KNOWN_MODELS.values()}
    assert len({*seen["correction"]} - {None} - shipped) == 2
    assert shipped <= {*seen["correction"]}
    assert set(seen["prompt"]) == set(range(MAX_PROMPT + 1))
    assert set().union(*seen["models"]) == set(Model)
    assert set(seen["calls"]) == {Calls.NONE, Calls.X86, Calls.ARM64}
    for key in ("crlf", "wrapped", "slides", "opened", "pictures", "pixels"):
        assert set(seen[key]) == {False, True}, key
    for parameter in fields(Parameters):
        assert set(seen[parameter.name]) - {parameter.default}, parameter.name


@pytest.mark.parametrize("streams", [1, 3])
def test_the_file_does_not_depend_on_threads_or_batches(tiny_gguf, monkeypatch, streams):
    text = b"the sea and the land, and what is between the two of them; " * 30
    files = set()
    for threads, rows in ((1, 64), (2, 64), (2, 1), (1, 7), (2, 1000)):
        monkeypatch.setattr("predictors.language_models.exact.model._PREFETCHED_ROWS", rows)
        sink = io.BytesIO()
        parameters = Parameters(window=256)
        options = CompressOptions(
            tiny_gguf, "exact", threads, parameters=parameters, streams=streams
        )
        compress_stream(io.BytesIO(text), sink, options, len(text))
        files.add(sink.getvalue())
    (file,) = files
    restored = io.BytesIO()
    decompress_stream(io.BytesIO(file), restored, tiny_gguf)
    assert restored.getvalue() == text
