"""What is missing is said at once, with what installs it."""

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from nacrith.cli import extras
from nacrith.cli.failures import describe, is_internal
from nacrith.errors import NacrithError
from tests.conftest import ROOT, assert_fails


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [
        ("bench report", "torch", "torch"),
        ("bench report", "transformers", "torch"),
        ("bench compare x", "matplotlib", "bench"),
        ("bench compare x", "zstandard", "bench"),
        ("bench media", "PIL", "bench"),
    ],
)
def test_commands_ask_before_they_begin(run_main, monkeypatch, tmp_path, command, package, extra):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == package else 1)
    code, message = run_main(*command.split())
    assert code == 1
    assert message == f"nacrith: this needs {package}: pip install 'nacrith[{extra}]'\n"
    assert not list(tmp_path.iterdir())


def test_all_that_is_missing_is_said_at_once(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(NacrithError, match=r"torch, brotli: pip install 'nacrith\[bench,torch\]'"):
        extras.require("torch", "brotli")


def test_what_is_found_missing_later():
    error = ModuleNotFoundError("No module named 'distributed.comm'", name="distributed.comm")
    assert "nacrith[cluster]" in describe(error) and not is_internal(error)
    assert is_internal(ModuleNotFoundError("No module named 'x'", name="x"))
    # It is there, but another version.
    assert is_internal(ModuleNotFoundError("No module named 'numba.x'", name="numba.x"))


def test_a_checkout_that_was_not_installed():
    """Python's own packages, then, and none of those that nacrith depends on."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    listed = text.partition("\ndependencies")[2].partition("]")[0]
    needed = re.findall(r'"([\w-]+)>=', listed)
    assert len(needed) == 8
    for package in needed:
        error = ModuleNotFoundError(f"No module named '{package}'", name=package)
        assert package == "click" or "pip install ." in describe(error)
        assert package == "click" or not is_internal(error)


def test_without_click_there_is_one_line(tmp_path):
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError('No module', name='click')\n")
    result = subprocess.run(
        [sys.executable, "-m", "nacrith", "-V"], capture_output=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}, cwd=tmp_path,
    )  # fmt: skip
    assert_fails(result, 1, "nacrith: this needs click", "pip install .")
    assert result.stderr.count(b"\n") == 1


def test_the_extras_bring_these_packages():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    names = packages_distributions()
    for package, extra in extras._EXTRAS.items():
        wanted = {name.lower().replace("_", "-") for name in names.get(package, [package])}
        if package == "PIL":
            # Matplotlib brings it.
            wanted = {"matplotlib"}
        found = re.search(rf"^{extra} = \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
        assert found, extra
        lines = re.findall(r'"(\S+?)[>=]', found[1])
        assert wanted & {line.lower() for line in lines}, package
