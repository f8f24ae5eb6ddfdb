"""A signal whose exception was lost is raised again at the next check."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

LOST = """
import os, signal
from nacrith import signals

signals.install()
try:
    os.kill(os.getpid(), signal.{name})
except SystemExit:
    pass  # as a library's callback would
print("went on", flush=True)
signals.check()
print("unreachable")
"""


@pytest.mark.parametrize(("name", "number"), [("SIGINT", 2), ("SIGTERM", 15)])
def test_a_lost_signal_comes_back(name, number):
    result = subprocess.run(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, "
         "signal.default_int_handler)\n" + LOST.format(name=name)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 128 + number
    assert result.stdout == "went on\n"
