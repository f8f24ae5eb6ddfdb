"""The embedded 98 MB model, end to end, on short input."""

import random

import numpy as np
import pytest

import nacrith
from nacrith.errors import NacrithError
from nacrith.models.catalog import default_model
from nacrith.pipeline.options import CompressOptions
from predictors.language_models.correction.correction_file import read_correction
from predictors.language_models.exact.gguf_file import Gguf
from tests import exact_reference
from tests.correction_examples import random_correction
from tests.whole_files import compressed, header_of, restored

SENTENCE = (
    b"The committee will meet again on Thursday to discuss "
    b"the budget for the coming year and its reports."
)


def compress(data: bytes, streams: int = 0) -> bytes:
    return compressed(data, CompressOptions(streams=streams))


@pytest.fixture(scope="module")
def packed_sentence() -> bytes:
    return compress(SENTENCE)


def test_the_embedded_model_is_the_known_one():
    model = default_model()
    assert model.name == "SmolLM2-135M-Instruct.Q4_1"
    assert model.sha256.startswith("b179c952")


def test_a_sentence_of_100_bytes_comes_out_smaller(packed_sentence):
    assert len(SENTENCE) == 100
    assert len(packed_sentence) < 85
    assert header_of(packed_sentence).model is not None
    assert restored(packed_sentence) == SENTENCE


def test_every_byte_of_a_small_file_is_protected(packed_sentence):
    """Each flip gives an error at once: the model is not even loaded."""
    for i in range(len(packed_sentence)):
        spoiled = bytearray(packed_sentence)
        spoiled[i] ^= 1 + i % 255
        with pytest.raises(NacrithError):
            restored(bytes(spoiled))


def test_every_truncation_is_an_error(packed_sentence):
    for n in range(len(packed_sentence)):
        with pytest.raises(NacrithError):
            restored(packed_sentence[:n])


def test_the_model_is_not_used_for_next_to_nothing():
    """Bytes in hexadecimal take a token each digit, and the model saves 3 %."""
    bytes_of = random.Random(1).randbytes
    data = "".join(f"{bytes_of(16).hex(' ')}\n" for _ in range(24)).encode()
    assert 1024 < len(data) < 1200
    packed = compress(data)
    assert header_of(packed).model is None
    assert restored(packed) == data


@pytest.mark.parametrize("streams", [1, 4])
def test_a_page_of_prose(canterbury, streams):
    page = canterbury["alice29.txt"].read_bytes()[:2500]
    packed = compress(page, streams)
    assert 8 * len(packed) / len(page) < 1.75
    assert restored(packed) == page


@pytest.mark.parametrize(
    "name", ["fields.c", "grammar.lsp", "xargs.1", "cp.html", "kennedy.xls", "ptt5", "sum"]
)
def test_the_head_of_canterbury_files(canterbury, name):
    data = canterbury[name].read_bytes()[:800]
    packed = compress(data)
    assert len(packed) < len(data)
    assert restored(packed) == data


def test_bytes_the_vocabulary_lacks_survive(canterbury):
    page = canterbury["alice29.txt"].read_bytes()[:300]
    data = page + bytes(range(256)) + page
    assert restored(compress(data)) == data


def test_a_correction_that_builds_on_the_shipped_one(tmp_path, monkeypatch):
    from nacrith.models.corrections import shipped_path

    path = default_model().path
    # Its merged weights are not to stay.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    base = read_correction(shipped_path(2))
    made_up = random_correction(path, rank=2, size=0.02, base=base)
    (tmp_path / "on").write_bytes(made_up.to_bytes())
    for name, matrix in (("attn_output", "output"), ("ffn_down", "down")):
        weights = Gguf(path).tensor(f"blk.11.{name}.weight")
        found = made_up.merged(matrix, 11, weights)
        for one in (base, made_up):
            parts = (one.a[matrix][11], one.b[matrix][11], one.scale[matrix][11])
            weights = exact_reference.merged(weights, *parts)
        assert np.array_equal(found, weights)
    packed = nacrith.compress(SENTENCE, correction=tmp_path / "on")
    record = header_of(packed).model
    assert record and record.correction == made_up.sha256[:16]
    assert nacrith.decompress(packed, correction=tmp_path / "on") == SENTENCE
