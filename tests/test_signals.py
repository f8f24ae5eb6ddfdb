"""A signal whose exception was lost is raised again at the next check."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT, assert_fails

LOST = """
import os, signal
from nacrith.system import signals

signals.install()
try:
    os.kill(os.getpid(), signal.{name})
except SystemExit:
    pass  # as a library's callback would
print("went on", flush=True)
signals.check()
print("unreachable")
"""


@pytest.mark.parametrize(("name", "number"), [("SIGHUP", 1), ("SIGINT", 2), ("SIGTERM", 15)])
def test_a_lost_signal_comes_back(name, number):
    result = subprocess.run(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, "
         "signal.default_int_handler); signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
         + LOST.format(name=name)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 128 + number
    assert result.stdout == "went on\n"


def test_an_ignored_signal_stays_ignored():
    code = (
        "import os, signal\n"
        "from nacrith.system import signals\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "signals.install()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "signals.check()\n"
        "print('went on')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "went on\n"


IN_A_DESTRUCTOR = """
import os, signal
from nacrith.system import signals

class Ending:
    def __init__(self, end):
        self.end = end

    def __del__(self):
        self.end()

signal.signal(signal.SIGINT, signal.default_int_handler)
signals.install()
Ending(lambda: os.kill(os.getpid(), signal.SIGINT))
print("went on", flush=True)
Ending(lambda: 1 / 0)
signals.check()
"""


def test_what_python_drops_itself_is_not_told_but_errors_are():
    result = subprocess.run(
        [sys.executable, "-c", IN_A_DESTRUCTOR],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 130 and result.stdout == "went on\n"
    assert result.stderr.count("Exception ignored") == 1 and "ZeroDivisionError" in result.stderr


LATE = """
import os, signal
from nacrith.system import signals

class Late:
    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.{name}):
        kill(pid, number)

signal.signal(signal.SIGINT, signal.default_int_handler)
signals.install()
late = Late()
raise SystemExit(3)
"""


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
def test_a_signal_while_the_interpreter_ends_changes_nothing(name):
    result = subprocess.run(
        [sys.executable, "-c", LATE.format(name=name)], cwd=ROOT, capture_output=True, check=False
    )
    assert result.returncode == 3 and not result.stderr


def test_an_end_of_a_file_is_no_interruption(nacrith, tmp_path):
    """click makes the same exception of Ctrl-C and of EOFError."""
    (tmp_path / "sitecustomize.py").write_text(
        "import nacrith.format.description\n"
        "def ended(source, **more):\n"
        "    raise EOFError\n"
        "nacrith.format.description.describe_file = ended\n"
    )
    (tmp_path / "a").touch()
    path = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    assert_fails(nacrith("info", "a", environment=path), 1, "nacrith: ", "too early")
