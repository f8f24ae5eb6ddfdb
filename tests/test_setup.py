"""`nacrith setup` sees in a moment that there is nothing to do, and only then does nothing."""

import os
from dataclasses import replace

import pytest

from coder.kernels import KernelCache, _digest
from nacrith import setup_record, warm_up
from nacrith.models.catalog import ModelFile
from predictors.language_models.correction.file_head import CorrectionFile


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.gguf"
    path.touch()
    return ModelFile("model", path, "1" * 64)


@pytest.fixture
def done(tmp_path, monkeypatch, model):
    """A record of one kernel, one module and one model; returns their paths."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    kernel, source, kept = (tmp_path / name for name in ("kernel.nbc", "code/a.py", "a.arrays"))
    kernel.write_bytes(_digest(b"code") + b"code")
    source.parent.mkdir()
    source.write_text("a = 1\n")
    kept.touch()
    monkeypatch.setattr(KernelCache, "used", {kernel})
    monkeypatch.setattr(setup_record, "PACKAGES", (source.parent,))
    monkeypatch.setattr(setup_record, "kept_at", lambda path, correction: kept)
    assert not setup_record.is_done(model)
    setup_record.write(model)
    assert setup_record.is_done(model)
    return kernel, source, kept


def test_another_model_is_not_done(done, model):
    assert not setup_record.is_done(ModelFile("model", model.path, "2" * 64))
    other = CorrectionFile(model.path, "3" * 64, model.sha256)
    assert not setup_record.is_done(replace(model, correction=other))


def test_other_code_is_not_done(done, model):
    _, source, _ = done
    source.write_text("a = 1 \n")
    assert not setup_record.is_done(model)


def test_code_of_another_time_is_not_done(done, model):
    _, source, _ = done
    os.utime(source, (1, 1))
    assert not setup_record.is_done(model)


def test_more_code_is_not_done(done, model):
    _, source, _ = done
    (source.parent / "b.py").touch()
    assert not setup_record.is_done(model)


def test_other_settings_of_the_compiler_are_not_done(done, model, monkeypatch):
    monkeypatch.setenv("NUMBA_OPT", "2")
    assert not setup_record.is_done(model)


@pytest.mark.parametrize("which", [0, 2])
def test_what_is_gone_is_not_done(done, model, which):
    done[which].unlink()
    assert not setup_record.is_done(model)


@pytest.mark.parametrize("data", [b"", _digest(b"code") + b"cove"])
def test_a_damaged_kernel_is_not_done(done, model, data):
    done[0].write_bytes(data)
    assert not setup_record.is_done(model)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"state": 1}', b"\xff"])
def test_a_damaged_record_is_none(done, model, data, tmp_path):
    (record,) = tmp_path.glob("kernels/*/setup.*.json")
    record.write_bytes(data)
    assert not setup_record.is_done(model)


def test_without_a_folder_nothing_is_recorded(done, model, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(done[0]))
    setup_record.write(model)
    assert not setup_record.is_done(model)


def test_nothing_is_run_if_all_is_done(done, model, monkeypatch):
    ran = []
    monkeypatch.setattr(warm_up, "describe", lambda path: model)
    monkeypatch.setattr(warm_up, "_there_and_back", lambda *_: ran.append(1))
    assert list(warm_up.warm_up(model.path)) == ["ready: all has been compiled and unpacked before"]
    assert not ran
    done[2].unlink()
    first, last = warm_up.warm_up(model.path)
    assert "compiling" in first and last.startswith("ready, after") and ran
