"""Folders, pipes, links to devices, netCDF's files: as inputs and as outputs."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT, assert_fails, without_notice
from tests.test_display import NOISE


def shell(command, folder):
    """Run a command of bash in which $N is the program."""
    result = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "N": f"{sys.executable} -m nacrith"},
    )  # fmt: skip
    return without_notice(result)


@pytest.mark.parametrize("name", [".", "./", "/", ".."])
@pytest.mark.parametrize("command", ["compress", "decompress", "test", "info", "explain"])
def test_folders_are_refused(nacrith, tmp_path, command, name):
    (tmp_path / "b").mkdir()
    assert_fails(nacrith(command, name), 1, "is a directory")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("my letters", "tar -cf - 'my letters' | nacrith compress > 'my letters.tar.nc'"),
        ("..", "tar -cf - .. | nacrith compress > folder.tar.nc"),
    ],
)
def test_how_to_pack_a_folder_can_be_pasted(tmp_path, monkeypatch, run_main, name, command):
    (tmp_path / "my letters").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run_main("compress", name)[1].strip().endswith(command)


def test_an_output_folder_that_is_not_there(nacrith, tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    assert_fails(nacrith("compress", "-o", "new/", "a"), 1, "there is no folder new/")
    assert_fails(nacrith("explain", "-o", "new/", "a"), 1, "there is no folder new/")
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("link", ["/proc/self/fd/1", "/dev/fd/1", "/dev/stdout"])
@pytest.mark.parametrize("options", ["-f", ""])
def test_a_link_to_standard_output_is_written_to(tmp_path, link, options):
    (tmp_path / "a").write_bytes(NOISE)
    (tmp_path / "o").symlink_to(link)
    result = shell(f"echo before > out; $N compress {options} a -o o >> out", tmp_path)
    assert (result.returncode, result.stderr) == (0, b"")
    assert (tmp_path / "o").is_symlink()
    before, packed = (tmp_path / "out").read_bytes().split(b"\n", 1)
    assert before == b"before" and packed[:4] == b"NC06"
    assert_fails(shell("$N compress --rm a -o o > out", tmp_path), 1, "--rm needs")
    assert (tmp_path / "a").exists() and not os.path.exists("/dev/stdout.part")


def test_a_link_to_a_device_or_pipe_is_written_to(tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    (tmp_path / "null").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "pipe").symlink_to("fifo")
    for options in ("", "-f"):
        assert_fails(shell(f"$N compress {options} -o null a", tmp_path), 0)
        result = shell(
            f"cat fifo > out & $N compress {options} -o pipe a; wait; head -c 4 out", tmp_path
        )
        assert (result.returncode, result.stdout) == (0, b"NC06")
        assert (tmp_path / "null").is_symlink() and (tmp_path / "pipe").is_symlink()


def test_pipes_as_inputs(tmp_path):
    (tmp_path / "a").write_bytes(NOISE)
    assert_fails(shell("$N compress a", tmp_path), 0)
    assert b"OK" in shell("$N test <(cat a.nc)", tmp_path).stderr
    assert b"NC06 version" in shell("$N info <(cat a.nc)", tmp_path).stdout
    assert_fails(shell("$N compress <(cat a)", tmp_path), 1, "-o or -c")
    assert shell("$N compress -c <(cat a) | $N -d", tmp_path).stdout == NOISE


def test_a_model_that_is_no_file(tmp_path, tiny_gguf):
    (tmp_path / "a").write_bytes(b"some text that the model shall read " * 3)
    result = shell(f"$N compress --model <(cat {tiny_gguf}) a", tmp_path)
    assert_fails(result, 1, "not a regular file", "save it")
    assert_fails(shell("$N compress --model . a", tmp_path), 1, "not a regular file")
    assert os.listdir(tmp_path) == ["a"]


def test_netcdf_files_are_told_by_their_content(nacrith, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").write_bytes(NOISE)
    (folder / "grid.nc").write_bytes(b"CDF\x01" + NOISE)
    assert_fails(nacrith("compress", "-r", "in"), 0)
    assert sorted(os.listdir(folder)) == ["a", "a.nc", "grid.nc", "grid.nc.nc"]
    result = nacrith("compress", "-r", "-f", "in")
    assert_fails(result, 0, "in/a.nc is passed over: it holds compressed data", "in/grid.nc.nc is")
    assert nacrith("compress", "-q", "-r", "-f", "in").stderr == b""
    result = nacrith("test", "-r", "in")
    assert_fails(result, 0, "in/grid.nc is passed over: it is netCDF data", "in/a.nc: OK")
    # Without -r, and with a damaged beginning, which is no reason to pass over a file.
    assert_fails(nacrith("compress", "-c", "in/grid.nc"), 0)
    assert_fails(nacrith("compress", "in/a.nc"), 1, "compressed already", "-f")
    (folder / "bad.nc").write_bytes(b"XC06" + (folder / "a.nc").read_bytes()[4:])
    assert_fails(nacrith("test", "-r", "in"), 1, "in/bad.nc: ", "not a NC06 file")


def test_a_file_that_grows_while_it_is_read(tmp_path, monkeypatch, run_main):
    """Such as a log: the message names the way to take what is there."""
    (tmp_path / "a").write_bytes(NOISE)

    def append(*arguments):
        with open(tmp_path / "a", "ab") as file:
            file.write(b"more")

    monkeypatch.setattr("nacrith.pipeline.compress.compress_stream", append)
    code, message = run_main("compress", str(tmp_path / "a"))
    assert code == 1 and f"nacrith compress < {tmp_path / 'a'}" in message
    assert os.listdir(tmp_path) == ["a"]


def test_an_internal_error_does_not_stop_the_others(tmp_path, monkeypatch, run_main):
    from nacrith.pipeline.compress import compress_stream

    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(name.encode() + NOISE)

    def fail_for_b(source, *arguments):
        if source.name.endswith("b"):
            raise ValueError("an invented fault")
        return compress_stream(source, *arguments)

    monkeypatch.setattr("nacrith.pipeline.compress.compress_stream", fail_for_b)
    files = [str(tmp_path / name) for name in "abc"]
    code, message = run_main("compress", *files)
    assert code == 1 and f"{tmp_path}/b: internal error, ValueError: an invented fault" in message
    assert "report it" in message and "Traceback" not in message
    assert "2 files done, 1 failed" in message
    assert sorted(os.listdir(tmp_path)) == ["a", "a.nc", "b", "c", "c.nc"]
    _, message = run_main("compress", "-f", "-v", *files)
    assert "fail_for_b" in message


@pytest.mark.parametrize(
    ("package", "arguments"),
    [("matplotlib", ["compare", "missing"]), ("transformers", ["report", "--quick"]),
     ("llama_cpp", ["report", "--quick"])],
)  # fmt: skip
def test_an_extra_that_is_not_installed(monkeypatch, run_main, package, arguments):
    monkeypatch.setitem(sys.modules, package, None)
    code, message = run_main("bench", *arguments)
    assert code == 1 and f"this needs {package}: pip install 'nacrith[" in message
