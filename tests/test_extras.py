"""What is missing is said at once, with what installs it."""

import re
from importlib.metadata import packages_distributions

import pytest

from nacrith.cli import extras
from nacrith.cli.failures import describe, is_internal
from nacrith.errors import NacrithError
from tests.conftest import ROOT


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
