"""Files made once with the exact backend: every machine must open them for ever."""

import io

import pytest

from nacrith.bench.tiny_model import write_tiny_model
from nacrith.format.parameters import Parameters
from nacrith.pipeline import CompressOptions, compress_stream, decompress_stream
from tests import golden_cases
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(scope="module")
def golden_model(tmp_path_factory):
    """The tiny model, always of the same name, which is in its file."""
    return write_tiny_model(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("case", golden_cases.cases(), ids=lambda case: case.name)
def test_every_feature_of_the_format_is_pinned(golden_model, case):
    packed = (GOLDEN / f"{case.name}.nc").read_bytes()
    restored = io.BytesIO()
    decompress_stream(io.BytesIO(packed), restored, golden_model)
    assert restored.getvalue() == case.data
    assert golden_cases.holds(case, packed)
    assert golden_cases.make(case, golden_model) == packed


@pytest.mark.parametrize("name", ["exact-1"])
def test_a_golden_file_opens_and_is_made_again(real_gguf, name):
    original = (GOLDEN / f"{name}.txt").read_bytes()
    packed = (GOLDEN / f"{name}.nc").read_bytes()
    restored = io.BytesIO()
    decompress_stream(io.BytesIO(packed), restored)
    assert restored.getvalue() == original
    again = io.BytesIO()
    compress_stream(io.BytesIO(original), again, CompressOptions(backend="exact"), len(original))
    assert again.getvalue() == packed


@pytest.mark.parametrize("streams", [1, 3])
def test_the_file_does_not_depend_on_threads_or_batches(tiny_gguf, monkeypatch, streams):
    text = b"the sea and the land, and what is between the two of them; " * 30
    files = set()
    for threads, rows in ((1, 64), (2, 64), (2, 1), (1, 7), (2, 1000)):
        monkeypatch.setattr("predictors.exact.model._ROWS_AHEAD", rows)
        sink = io.BytesIO()
        parameters = Parameters(streams=streams, window=256)
        options = CompressOptions(tiny_gguf, "exact", threads, parameters=parameters)
        compress_stream(io.BytesIO(text), sink, options, len(text))
        files.add(sink.getvalue())
    (file,) = files
    restored = io.BytesIO()
    decompress_stream(io.BytesIO(file), restored, tiny_gguf)
    assert restored.getvalue() == text
