"""How far a run over several files is."""

import os
import pty
import re
import subprocess
import sys
import time

import pytest

from nacrith.cli import whole_run
from nacrith.cli.progress_bar import BarProgress
from nacrith.cli.whole_run import WholeRun
from tests.conftest import ROOT
from tests.terminal import shown_on


def test_shares_and_seconds(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    paths = [tmp_path / name for name in "abc"]
    for path, size in zip(paths, (1000, 3000, 4000), strict=True):
        path.write_bytes(bytes(size))
    run = WholeRun()
    run.begin([*paths, tmp_path / "missing", tmp_path])
    assert (run.n_files, run.size) == (5, 8000)
    run.begin_file(paths[0])
    assert run.place == "1/5 "
    run.end_file(failed=True)
    run.begin_file(paths[1])
    now[0] += 10
    # What failed took no time: 1,500 bytes in 10 s, and 5,500 are left.
    assert run.share(0.5) == (1000 + 1500) / 8000
    assert run.seconds_left(0.5) == pytest.approx(10 * 5500 / 1500)
    run.end_file(failed=False)
    assert run.done == 4000 and run.share(0) == 0.5
    assert whole_run.ONE_FILE.place == ""


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


@pytest.fixture
def terminal(monkeypatch):
    def of(columns: int) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("FORCE_COLOR", "1")

    return of


@pytest.mark.parametrize("columns", [20, 40, 71, 80, 120])
def test_stages_and_totals_fit(terminal, capsys, columns):
    terminal(columns)
    run = WholeRun(n_files=12, size=10**6, number=3, current=10**5, done=10**5, begun=0.0)
    bar = BarProgress("a long name of a file.txt", whole=run)
    bar.begin(10**5)
    bar.stage("loading the model")
    bar._bar.refresh()
    loading = plain(capsys.readouterr().err)
    bar.update(1, 0, 0)
    bar._last = 0.0
    bar.update(50_000, 0, 0)
    bar._bar.refresh()
    shown = plain(capsys.readouterr().err)
    bar.end()
    lines = [line for line in re.split(r"[\r\n]+", loading + shown) if line.strip()]
    assert max(map(len, lines)) <= columns
    assert "3/12" in shown
    if columns >= 40:
        assert "loading the model" in loading and "all 12 files" in shown
        assert "loading" not in shown.split("3/12")[-1]
    if columns < 72:
        assert "50%" in shown and "15%" in shown


def test_loading_and_what_was_done_before_are_no_speed(terminal, capsys, monkeypatch):
    terminal(120)
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    bar = BarProgress("a")
    bar.begin(2_000_000)
    bar.skip(1_000_000)
    now[0] = 60.0
    bar.update(0, 0, 0)
    now[0] = 62.0
    bar.update(100_000, 0, 0)
    bar._bar.refresh()
    bar.end()
    shown = plain(capsys.readouterr().err)
    # 100 kB in 2 s; 900 kB are left.
    assert "50.0 kB/s" in shown and "18 s" in shown and "1.1/2.0 MB" in shown


def test_on_a_terminal(tmp_path):
    """Two files on a real terminal of 40 columns."""
    for name in ("first.txt", "second of a long name.txt"):
        (tmp_path / name).write_bytes(os.urandom(300_000))
    master, slave = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "40", "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "nacrith", "-1", "--workers", "1", "-r", str(tmp_path)],
        stderr=slave, stdin=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    os.close(slave)
    shown = shown_on(master)
    assert process.wait(120) == 0
    text = plain(shown.decode())
    assert "1/2 " in text and "2/2 " in text and "all 2 files" in text
    assert "2 files done: 600000 bytes" in text
