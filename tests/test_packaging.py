"""What pyproject.toml says goes into a wheel is all that there is."""

import sys

import pytest

from nacrith.cli.man_page import write_pages
from tests.conftest import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

TOP = ("nacrith", "coder", "predictors", "corpora")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_every_package_is_listed():
    inits = [path for name in TOP for path in (ROOT / name).rglob("__init__.py")]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in inits}
    assert found == set(PYPROJECT["tool"]["setuptools"]["packages"])


def test_every_file_beside_the_modules_is_listed():
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]
    assert set(patterns) == set(TOP)
    for name in TOP:
        listed = {p for pattern in patterns[name] for p in (ROOT / name).glob(pattern)}
        assert beside_modules((ROOT / name).rglob("*")) == beside_modules(listed)
        assert ROOT / name / "py.typed" in listed


def beside_modules(paths):
    """The files among them that are neither modules nor made of modules."""
    files = {p for p in paths if p.is_file() and "__pycache__" not in p.parts}
    return {p for p in files if p.suffix != ".py"}


def test_the_default_needs_no_compiler():
    names = [requirement.split(">")[0] for requirement in PYPROJECT["project"]["dependencies"]]
    assert "llama-cpp-python" not in names and "numba" in names


def test_each_command_has_a_man_page(tmp_path):
    pages = write_pages(tmp_path / "man")
    assert all(page.read_text("utf-8").strip() for page in pages)
    assert {page.stem for page in pages} >= set(PYPROJECT["project"]["scripts"])
