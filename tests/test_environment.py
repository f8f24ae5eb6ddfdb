"""Environment variables that can't be used are an error that names them."""

import pytest

from nacrith.errors import EnvironmentVariableError
from nacrith.system.environment import check_environment
from tests.conftest import assert_fails


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("NUMBA_NUM_THREADS", ["0", "-3", "x", "", "1e9", "99999999"], ["1", "08"]),
        ("NACRITH_THREADS", ["0", "-3", "x", "²"], ["", "1", "16"]),
        ("NUMBA_CPU_FEATURES", ["avx2", "+avx2,", "+avx2 fma", "+"], ["", "+avx2,-avx512f"]),
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
