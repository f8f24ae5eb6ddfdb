"""Files made once with the exact backend: every machine must open them for ever."""

import io

import pytest

from nacrith.pipeline import CompressOptions, compress_stream, decompress_stream
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"


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


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_file_does_not_depend_on_threads(tiny_gguf, threads):
    text = b"the sea and the land, and what is between the two of them; " * 12
    files = []
    for count in (threads, 1):
        sink = io.BytesIO()
        options = CompressOptions(model=tiny_gguf, backend="exact", threads=count)
        compress_stream(io.BytesIO(text), sink, options, len(text))
        files.append(sink.getvalue())
    assert files[0] == files[1]
    restored = io.BytesIO()
    decompress_stream(io.BytesIO(files[0]), restored, tiny_gguf)
    assert restored.getvalue() == text
