"""Environment variables that can't be used are an error that names them."""

import re

import pytest

from nacrith.cli.man_page import pages
from nacrith.errors import EnvironmentVariableError
from nacrith.system.environment import VARIABLES, check_environment
from tests.conftest import ROOT, assert_fails

_NAME = re.compile(r'"(NACRITH_[A-Z]+|NUMBA_[A-Z_]+|XDG_[A-Z_]+|GOMP_[A-Z]+)"')


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("NUMBA_NUM_THREADS", ["0", "-3", "x", "", "1e9", "99999999"], ["1", "08"]),
        ("NACRITH_THREADS", ["-3", "x", "²"], ["", "0", "1", "16"]),
        ("NUMBA_CPU_FEATURES", ["avx2", "+avx2,", "+avx2 fma", "+"], ["", "+avx2,-avx512f"]),
        ("NACRITH_LEVEL", ["0", "10", "x"], ["", "1", "9"]),
        (
            "NACRITH_MEMLIMIT",
            ["-1", "0%", "101%", "much", "1e9", "1X"],
            ["", "0", "800M", "2 GiB", "50%", "100%", "max"],
        ),
        ("NUMBA_DISABLE_JIT", ["1", "yes"], ["0", ""]),
    ],
)
def test_values(monkeypatch, name, bad, good):
    for value in bad:
        monkeypatch.setenv(name, value)
        with pytest.raises(EnvironmentVariableError, match=name):
            check_environment()
    for value in good:
        monkeypatch.setenv(name, value)
        check_environment()


def test_all_variables_are_documented():
    text = (ROOT / "docs" / "environment.md").read_text("utf-8")
    rows = [
        f"| `{name}` | {variable.meaning} | {variable.usual} |"
        for name, variable in VARIABLES.items()
    ]
    assert [line for line in text.splitlines() if line.startswith("| `")] == rows
    page = pages()["nacrith-compress"]
    assert all(f".B {name}\n" in page for name in VARIABLES)


def test_all_variables_that_are_read_are_in_the_table():
    used = set()
    for package in ("nacrith", "coder", "predictors", "corpora"):
        for path in (ROOT / package).rglob("*.py"):
            if "bench" not in path.parts:
                used |= set(_NAME.findall(path.read_text("utf-8")))
    assert used - set(VARIABLES) <= {"GOMP_SPINCOUNT"}
    assert {"NACRITH_LEVEL", "NACRITH_MEMLIMIT", "NUMBA_CACHE_DIR"} <= used


def test_the_program_says_so(nacrith):
    assert_fails(nacrith("info", environment={"NUMBA_NUM_THREADS": "0"}), 1, "NUMBA_NUM_THREADS")


def test_the_package_says_so(monkeypatch):
    import nacrith

    monkeypatch.setenv("NUMBA_NUM_THREADS", "0")
    with pytest.raises(EnvironmentVariableError, match="NUMBA_NUM_THREADS"):
        nacrith.compress  # noqa: B018


def test_a_value_that_numba_ignores_is_one_line(nacrith):
    result = nacrith("compress", "-c", stdin=b"a", environment={"NUMBA_OPT": "7"})
    assert result.returncode == 0
    assert result.stderr.count(b"\n") == 1 and b"NUMBA_OPT" in result.stderr


@pytest.mark.parametrize(("given", "threads"), [("0", None), ("3", 3)])
def test_an_option_counts_more_than_the_variable(monkeypatch, tmp_path, run_main, given, threads):
    """0 too: all processors, not what the variable says."""
    from predictors.language_models.numerics import available_threads

    monkeypatch.delenv("NACRITH_THREADS", raising=False)
    all_there_are = available_threads()
    monkeypatch.setenv("NACRITH_THREADS", "7")
    (tmp_path / "a").write_bytes(b"a text")
    assert run_main("compress", "-1", "-T", given, tmp_path / "a")[0] == 0
    assert available_threads() == (threads or all_there_are)
