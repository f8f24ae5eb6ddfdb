"""What a warm start of the command does not wait for."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

MAIN = """import sys
sys.argv = ["nacrith", *sys.argv[1:]]
from nacrith.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end
print(*sys.modules)"""

IN_VAIN = {
    "yaml",
    "numba.np.arrayobj",
    "numba.np.linalg",
    "numba.cpython.unicode",
    "nacrith.codec.frame_encoder",
    "nacrith.codec.binary_codec",
}


@pytest.fixture(scope="module")
def restored_once(real_gguf, tmp_path_factory):
    """A file of text that this machine has restored before."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "a").write_text("What was restored before has all of its kernels compiled.\n")
    run(folder, "compress", "a")
    run(folder, "decompress", "-k", "-o", "b", "a.nc")
    return folder / "a.nc"


def run(folder, *arguments):
    """What is imported when the command has run in a folder."""
    result = subprocess.run(
        [sys.executable, "-c", MAIN, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("command", [["decompress", "-o", "a"], ["test"]])
def test_restoring_text_imports_nothing_in_vain(restored_once, tmp_path, command):
    found = run(tmp_path, *command, restored_once)
    assert "numba" in found and "predictors.language_models.exact.model" in found
    assert not found & IN_VAIN


def test_settings_of_numba_are_read_where_there_are_some(restored_once, tmp_path):
    (tmp_path / ".numba_config.yaml").write_text("opt: 3\n")
    found = run(tmp_path, "decompress", "-o", "a", restored_once)
    assert "yaml" in found


@pytest.mark.parametrize("given", [None, "2"])
def test_numpy_starts_no_threads_unless_they_are_asked_for(given):
    code = (
        "import os, nacrith.cli\n"
        "nacrith.cli.main = lambda program: print(os.environ['OPENBLAS_NUM_THREADS'])\n"
        "from nacrith.__main__ import main; main()"
    )
    name = "OPENBLAS_NUM_THREADS"
    environment = {k: v for k, v in os.environ.items() if k != name}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | ({name: given} if given else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split()[-1] == (given or "1")


def test_what_was_left_out_can_be_imported_later():
    code = (
        "from nacrith.cli.fast_import import import_numba\n"
        "import sys; import_numba(); assert 'numba' in sys.modules and 'yaml' not in sys.modules\n"
        "import yaml; yaml.safe_load('1')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
