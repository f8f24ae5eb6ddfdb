"""Names that would act on a terminal, or that are no text."""

import os
import pty
import random
import subprocess
import sys

import pytest

from nacrith.cli.display import printable
from tests.conftest import ROOT
from tests.terminal import shown_on

NOISE = random.Random(2).randbytes(700)
NAMES = {
    "two\nlines": "two\\nlines",
    "red\x1b[31m": "red\\x1b[31m",
    "evil\u202etxt.exe": "evil\\u202etxt.exe",
    os.fsdecode(b"caf\xe9"): "caf\\xe9",
    "[bold]": "[bold]",
    "naïve ж 字": "naïve ж 字",
}


@pytest.mark.parametrize(("name", "shown"), NAMES.items(), ids=map(repr, NAMES))
def test_printable(name, shown):
    assert printable(name) == shown


def on_a_terminal(*arguments, folder, stdin=None):
    """Run with standard error, and input if none is given, on a terminal; return what it shows."""
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nacrith", *arguments], cwd=folder, stdin=stdin or theirs,
        stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(theirs)
    shown = shown_on(mine)
    assert process.stdout is not None
    process.stdout.close()
    return process.wait(60), shown.decode()


def test_names_that_look_like_markup_on_a_terminal(tmp_path):
    (tmp_path / "d[").mkdir()
    name = os.path.join("d[", "f].txt")
    (tmp_path / name).write_bytes(NOISE)
    code, shown = on_a_terminal("compress", name, folder=tmp_path)
    assert code == 0 and "d[/f].txt: 700 bytes" in shown
    code, shown = on_a_terminal("test", name + ".nc", folder=tmp_path)
    assert code == 0 and "OK" in shown


def test_hostile_names_in_messages(nacrith, tmp_path):
    for name, shown in NAMES.items():
        (tmp_path / name).write_bytes(NOISE)
        result = nacrith("compress", "-v", name)
        assert result.returncode == 0 and result.stderr.decode().startswith(f"{shown}: 700 bytes")
        result = nacrith("info", name + ".nc", environment={"PYTHONIOENCODING": "utf-8"})
        assert result.stdout.decode().startswith(f"{shown}.nc: NC06")
        result = nacrith("decompress", name)
        assert result.returncode == 1 and result.stderr.decode().count("\n") == 1
        assert f"{shown} does not end in .nc" in result.stderr.decode()


def test_compressed_data_is_not_read_from_a_keyboard(tmp_path):
    for command in (["decompress"], ["test"], ["info"], ["-d"]):
        code, shown = on_a_terminal(*command, folder=tmp_path)
        assert code == 1 and "not read from a terminal" in shown, command


def test_the_page_about_a_file_whose_name_is_no_text(tmp_path, tiny_gguf, keep_text, run_main):
    name = tmp_path / os.fsdecode(b"caf\xe9")
    name.write_bytes(b"the king and the thing " * 5)
    page = tmp_path / "page.html"
    assert run_main("explain", "-o", page, "--model", tiny_gguf, name) == (0, "")
    assert r"caf\\xe9" in page.read_text("utf-8")
