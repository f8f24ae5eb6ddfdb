"""That kernels are compiled is said once, on standard error, if it takes longer than a moment."""

import logging
import os
import subprocess
import sys
import time

import pytest

from coder import messages
from coder.compiling import MESSAGE, CompilingNotice
from nacrith.cli import notices
from tests.conftest import ROOT

MOMENT = 0.05  # seconds


@pytest.fixture
def said(caplog):
    messages.say_once.cache_clear()
    caplog.set_level(logging.INFO, "coder")
    yield lambda: [record.getMessage() for record in caplog.records]
    messages.say_once.cache_clear()


def compiled(notice: CompilingNotice, seconds: float) -> None:
    notice.began()
    # A kernel that the first one calls.
    notice.began()
    notice.ended()
    time.sleep(seconds)
    notice.ended()


def test_it_is_said_while_it_lasts(said):
    notice = CompilingNotice(MOMENT)
    notice.began()
    for _ in range(100):
        time.sleep(MOMENT)
        if said():
            break
    assert said() == [MESSAGE]
    notice.ended()
    compiled(notice, 2 * MOMENT)
    assert said() == [MESSAGE]


def test_a_moment_is_not_worth_a_line(said):
    notice = CompilingNotice(60)
    compiled(notice, MOMENT)
    assert not said()


def test_many_moments_are_worth_one(said):
    notice = CompilingNotice(4 * MOMENT)
    for _ in range(10):
        compiled(notice, MOMENT)
    time.sleep(MOMENT)
    assert said() == [MESSAGE]


def test_what_is_not_compiling_does_not_count(said):
    notice = CompilingNotice(2 * MOMENT)
    compiled(notice, 0)
    time.sleep(4 * MOMENT)
    assert not said()


SLOW = """
import time
from coder import compiling
from nacrith.cli.notices import show_notices
compiling.notice._left = 0.0
{before}
from coder.kernels import njit

@njit(cache=True)
def double(x):
    return 2 * x

assert double(21) == 42
time.sleep({wait})
"""


@pytest.mark.parametrize(
    ("before", "expected"),
    [("show_notices()", f"{MESSAGE}\n"), ("show_notices(quiet=True)", ""), ("", "")],
)
def test_a_command_says_it_and_a_quiet_one_or_a_library_does_not(tmp_path, before, expected):
    # With the moment at 0 the timer fires at once.
    script = tmp_path / "script.py"
    script.write_text(SLOW.format(before=before, wait=0.2))

    def errors() -> str:
        result = subprocess.run(
            [sys.executable, script],
            env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path / "new")},
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        return result.stderr

    assert errors() == expected
    # Now it is kept.
    assert errors() == ""


def test_quiet_leaves_warnings(capsys):
    messages.say_once.cache_clear()
    logger = logging.getLogger("coder")
    before = logger.handlers[:], logger.level
    try:
        notices.show_notices(quiet=True)
        messages.say_once("nacrith: a warning")
        messages.say_once("nacrith: a notice", logging.INFO)
        notices.show_notices()
        messages.say_once("nacrith: another notice", logging.INFO)
        assert capsys.readouterr().err == "nacrith: a warning\nnacrith: another notice\n"
    finally:
        logger.handlers, logger.level = before[0], before[1]
        logger.setLevel(before[1])
        messages.say_once.cache_clear()
