"""Weights are mapped ahead for files that a frame of this process will need them for."""

import io

import pytest

from nacrith.cli import ahead
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.options import CompressOptions
from nacrith.pipeline.presets import LEVELS
from nacrith.system.devices import DeviceChoice
from predictors.language_models.correction.file_head import describe_correction
from predictors.language_models.exact.model_data import kept_at
from predictors.language_models.file_hash import sha256_of
from tests.correction_examples import random_correction

TEXT = b"The boats had gone out before it was light.\n"


@pytest.fixture
def mapped(monkeypatch, tmp_path, tiny_gguf):
    """The paths that were mapped; what is kept of the tiny model is there, and its hash."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found: list = []
    monkeypatch.setattr("predictors.language_models.array_file.map_ahead", found.append)
    sha256_of(tiny_gguf)
    kept = kept_at(tiny_gguf)
    assert kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.touch()
    (kept.parent / f"{'0' * 32}-2-0.arrays").touch()
    monkeypatch.setattr(
        "predictors.language_models.file_hash.remembered_sha256", lambda path: sha256_of(path)
    )
    return found, kept


def test_for_text(mapped, tmp_path, tiny_gguf):
    found, kept = mapped
    (tmp_path / "a").write_bytes(TEXT)
    ahead.before_compression(tmp_path / "a", CompressOptions(tiny_gguf))
    assert found == [kept]


def test_those_with_the_correction(mapped, tmp_path, tiny_gguf, keep_text):
    found, plain = mapped
    (tmp_path / "correction").write_bytes(random_correction(tiny_gguf).to_bytes())
    kept = kept_at(tiny_gguf, describe_correction(tmp_path / "correction"))
    assert kept and kept != plain
    kept.touch()
    (tmp_path / "a").write_bytes(TEXT)
    given = {"correction": tmp_path / "correction"}
    ahead.before_compression(tmp_path / "a", CompressOptions(tiny_gguf, **given))
    assert found == [kept]
    kept.unlink()
    (tmp_path / "a.nc").write_bytes(packed(tiny_gguf, TEXT, threads=1, **given))
    found.clear()
    ahead.before_restoring(tmp_path / "a.nc", DeviceChoice())
    assert found == [kept]


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (TEXT, {"preset": LEVELS[2]}),
        (TEXT, {"backend": "llama.cpp"}),
        (TEXT, {"block_size": len(TEXT) - 1}),
        (b"\x7fELF\0\0\0", {}),
    ],
    ids=["without the model", "another backend", "several frames", "binary"],
)
def test_not_for_what_will_not_need_them(mapped, tmp_path, tiny_gguf, data, options):
    (tmp_path / "a").write_bytes(data)
    options = CompressOptions(tiny_gguf, **options)
    ahead.before_compression(tmp_path / "a", options)
    ahead.before_compression(tmp_path / "none", options)
    assert not mapped[0]


def test_not_without_a_model(mapped, tmp_path):
    (tmp_path / "a").write_bytes(TEXT)
    ahead.before_compression(tmp_path / "a", CompressOptions(tmp_path / "none.gguf"))
    assert not mapped[0]


def packed(tiny_gguf, data, **options):
    sink = io.BytesIO()
    compress_stream(io.BytesIO(data), sink, CompressOptions(tiny_gguf, **options), len(data))
    return sink.getvalue()


def test_for_a_file_that_names_the_model(mapped, tmp_path, tiny_gguf, keep_text):
    found, kept = mapped
    path = tmp_path / "a.nc"
    path.write_bytes(packed(tiny_gguf, TEXT, threads=1))
    found.clear()
    ahead.before_restoring(path, DeviceChoice())
    assert found == [kept]
    found.clear()
    ahead.before_restoring(path, DeviceChoice("cuda"))
    ahead.before_restoring(None, DeviceChoice())
    assert not found


def test_not_for_files_that_do_not_or_are_damaged(mapped, tmp_path, tiny_gguf, keep_text):
    whole = packed(tiny_gguf, TEXT, threads=1)
    several = packed(tiny_gguf, TEXT, threads=1, block_size=30)
    for data in (packed(tiny_gguf, TEXT, preset=LEVELS[1]), several, whole[:-1], b"", b"PK\3\4"):
        mapped[0].clear()
        (tmp_path / "a.nc").write_bytes(data)
        ahead.before_restoring(tmp_path / "a.nc", DeviceChoice())
        assert not mapped[0]
    ahead.before_restoring(tmp_path / "none", DeviceChoice())
    assert not mapped[0]
