"""A user's modules do not take the place of nacrith's."""

import os
import subprocess
import sys

import pytest

from nacrith.system.own_packages import ImportNameError, check_packages
from tests.conftest import ROOT

COMPRESS = "import nacrith; nacrith.compress(b'', level=1)"


def run(folder, *arguments):
    """In a folder whose modules come first."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize("name", ["coder.py", "predictors/__init__.py"])
def test_a_module_of_the_same_name_is_named(name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise SystemExit('never to be run')\n")
    (tmp_path / "a").write_bytes(b"a")
    result = run(tmp_path, "-m", "nacrith", "a")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert f"but {path} would be imported in its place; rename that" in result.stderr
    result = run(tmp_path, "-c", COMPRESS)
    assert "ImportNameError" in result.stderr and str(path) in result.stderr
    # Nothing is wrong where it does not come first.
    assert (
        run(ROOT, "-c", f"import sys; sys.path.append({str(tmp_path)!r}); {COMPRESS}").stderr == ""
    )


def test_one_that_has_been_imported_is_found(monkeypatch):
    check_packages("coder", "predictors", "corpora")
    monkeypatch.setitem(sys.modules, "coder", type(sys)("coder"))
    with pytest.raises(ImportNameError, match="what has no file would be imported"):
        check_packages("coder")


def test_a_folder_without_init_is_none_of_ours(tmp_path, monkeypatch):
    (tmp_path / "tidings").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ImportNameError, match=str(tmp_path / "tidings")):
        check_packages("tidings")
